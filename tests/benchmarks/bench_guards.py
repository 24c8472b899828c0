"""What the guards cost a frame: each alone and all together, on a phantom's screen, and on the bundled clip enlarged.

With --sweeps, what fires on real volumes.

With --screens, how often the graphics guard is right on real screens, and how well the sector is found on them:
screens.json says what is drawn in each and where its sector is. `data_store` is pydicom-data's.

python tests/benchmarks/bench_guards.py [--sweeps FOLDER] [--screens FOLDER ...]
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np
from benchfile import keep

from inference.assets import demo_clip_path, demo_model_path
from inference.crop import Rect
from inference.dice import dice
from inference.errors import ChoiceError
from inference.frame import Frame, Origin, Pixels, View
from inference.guards.all import every_guard
from inference.guards.black import black
from inference.guards.coloured import coloured
from inference.guards.frozen import FrozenGuard
from inference.guards.graphics import Graphics
from inference.guards.lifted import lifted
from inference.guards.panes import panes
from inference.guards.thumbnail import Thumbnail
from inference.guards.unlike import unlike_training
from inference.model.engine import Engine
from inference.sector import DARK, GrowingSector, _drawn, _largest, sector_mask
from inference.sources import open_here, open_source
from inference.sources.base import Whole
from inference.sources.colour import colour_map
from inference.sources.depth_watch import DepthGuard
from inference.sources.disturbances import drawn
from inference.sources.disturbed import screens
from inference.sources.pixels import grey

SIZES = ((480, 640), (720, 1280))
SCREENS_OF_CLIP = ((720, 1280), (1080, 1920))
FPS = 25.0
RUNS = 60
SCREENS = Path(__file__).with_name("screens.json")
FIRST = 12
"""Frames of a clip that are looked at, from its first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", type=Path, metavar="FOLDER", help="volumes to sweep along all three axes")
    parser.add_argument("--screens", type=Path, nargs="+", metavar="FOLDER", help="where real screens are")
    wanted = parser.parse_args()
    cv2.setNumThreads(1)
    if wanted.screens is not None:
        real_screens(wanted.screens)
        return
    found = {f"{size[1]}×{size[0]}, ms": costs(*size) for size in SIZES}
    found |= {f"bundled clip at {size[1]}×{size[0]}, ms": on_clip(*size) for size in SCREENS_OF_CLIP}
    keep("guards", found, "a live phantom's screen (simulated), one thread")
    if wanted.sweeps is not None:
        sweeps(wanted.sweeps)


def costs(rows: int, cols: int) -> dict[str, float]:
    """Median milliseconds of each step on a live phantom's screen, speckled, with text around it."""
    seen = Engine.load(demo_model_path()).contract.input.seen
    pictures = [drawn(screen) for screen in screens(rows, cols, count=6)]
    sector = GrowingSector()
    origin = Origin("phantom", View.NATIVE, live=True)
    frames = [
        Frame(index, sector.apply(grey(picture)), None, index / FPS, origin) for index, picture in enumerate(pictures)
    ]
    thumbnails = [Thumbnail.of(frame, seen) for frame in frames]
    whole = [np.asarray(grey(picture)) for picture in pictures]
    depth = DepthGuard(whole[0], Rect(0, cols - 74, 18, 70))
    watch, still, graphics = every_guard(), FrozenGuard(), Graphics()
    steps: list[tuple[str, Callable[[int], object]]] = [
        ("thumbnail", lambda i: Thumbnail.of(frames[i], seen)),
        ("black", lambda i: black(thumbnails[i])),
        ("lifted", lambda i: lifted(thumbnails[i])),
        ("colour", lambda i: coloured(thumbnails[i])),
        ("panes", lambda i: panes(thumbnails[i])),
        ("graphics", lambda i: graphics(thumbnails[i])),
        ("frozen", lambda i: still.look(thumbnails[i])),
        ("unlike", lambda i: unlike_training(thumbnails[i])),
        ("all of these, as the session asks them", lambda i: watch.look(frames[i], seen)),
        ("in the source's thread: depth", lambda i: depth.compare(whole[i], 0.0)),
        ("in the source's thread: colour", lambda i: colour_map(pictures[i], order="BGR")),
    ]
    print(f"{cols}x{rows}, one thread, median of {RUNS} frames; share of the {1e3 / FPS:.0f} ms between two frames")
    return timed(steps, len(frames))


def timed(steps: list[tuple[str, Callable[[int], object]]], count: int) -> dict[str, float]:
    """Median milliseconds of each step over so many frames, in turn."""
    found = {}
    for name, step in steps:
        times = []
        for run in range(RUNS):
            begun = perf_counter()
            step(run % count)
            times.append((perf_counter() - begun) * 1e3)
        found[name] = round(median(times), 3)
        print(f"  {name:40s} {median(times):6.2f} ms  {median(times) * FPS / 10:5.1f} %")
    return found


def on_clip(rows: int, cols: int) -> dict[str, float]:
    """Median milliseconds of all guards on the bundled clip, whose sector's corners look like strokes.

    And of the sector's pieces: the rival labels every pixel to find the sector's pieces, as the product did before.
    """
    frames, origin = [], Origin("clip", View.NATIVE, live=True)
    with open_source(str(demo_clip_path())) as source:
        for index in range(0, len(source), 20):
            screen = np.zeros((rows, cols), np.uint8)
            left = (cols - rows) // 2
            screen[:, left : left + rows] = cv2.resize(source.read(index).pixels, (rows, rows))
            frames.append(Frame(index, screen, None, index / FPS, origin))
    bright = [(frame.pixels > DARK).view(np.uint8) for frame in frames]
    watch = every_guard()

    def labelled(index: int) -> object:
        _, labels, stats, _ = cv2.connectedComponentsWithStats(bright[index], connectivity=8)
        return (stats[:, cv2.CC_STAT_AREA] > 0).astype(np.uint8)[labels]

    steps: list[tuple[str, Callable[[int], object]]] = [
        ("all guards", lambda i: watch.look(frames[i])),
        ("the sector", lambda i: sector_mask([frames[i].pixels])),
        ("its pieces, by their outlines", lambda i: _drawn(_largest(bright[i]), bright[i].shape)),
        ("its pieces, every pixel labelled", labelled),
    ]
    print(f"the bundled clip on a screen of {cols}x{rows}, one thread, median of {RUNS} frames")
    return timed(steps, len(frames))


def sweeps(folder: Path) -> None:
    """Which guards fire on every slice of every volume, as slices of a volume and as if a probe had made them."""
    seen = Engine.load(demo_model_path()).contract.input.seen
    for view in (View.SLICE, View.NATIVE):
        found, frames = Counter[str](), 0
        for path in sorted(folder.glob("*.nii.gz")):
            for axis in "ijk":
                watch = every_guard()
                with open_source(str(path), axis=axis) as source:
                    for index in range(len(source)):
                        frame = source.read(index)
                        shown = replace(frame, origin=replace(frame.origin, view=view))
                        found.update(finding.alarm.value for finding in watch.look(shown, seen))
                        frames += 1
        print(f"{frames} slices of {folder.name} as {view.value}: {dict(found)}")


def real_screens(folders: list[Path]) -> None:
    """Alarms of the graphics guard and Dice of the sector found, on every screen that is in one of the folders."""
    scores, right = [], Counter[str]()
    for name, marked in json.loads(SCREENS.read_text())["screens"].items():
        path = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if path is None:
            print(f"{name}: not here")
            continue
        wholes, alarms = look(path)
        true = np.zeros(wholes[0].shape, np.uint8)
        cv2.fillPoly(true, [np.array(marked["sector"], np.int32)], 1)
        score, drawn_in = dice(sector_mask(wholes), true) or 0.0, bool(marked["graphics"])
        fired = alarms > 0
        verdict = "right" if fired is drawn_in else "FALSE ALARM" if fired else "MISSED"
        scores.append(score)
        right[verdict] += 1
        print(f"{path.name:72s} {len(wholes):3d} frames, alarm on {alarms:3d}: {verdict:11s} sector Dice {score:.3f}")
    if not scores:
        raise SystemExit("None of these screens is in the folders named.")
    print(f"{dict(right)}; sector Dice median {median(scores):.3f}, lowest {min(scores):.3f}")


def look(path: Path) -> tuple[list[Pixels], int]:
    """The first whole pictures of a file, and on how many of them the graphics guard rings."""
    wholes, alarms, graphics = list[Pixels](), 0, Graphics()
    try:
        source = open_here(str(path))
    except ChoiceError:  # it shows several pictures: the first one
        source = open_here(str(path), region=0)
    with source:
        for index in range(min(FIRST, len(source))):
            frame = source.read(index)
            whole = source.whole() if isinstance(source, Whole) else None
            wholes.append(frame.pixels if whole is None else whole)
            alarms += graphics(Thumbnail.of(frame, None))
    return wholes, alarms


if __name__ == "__main__":
    main()
