"""Everything but the network: what a frame costs beside the session, at the sizes of scanners' screens, on one core.

The bundled clip in the middle of a screen, the bundled model's own answers. Two peers, alternated with ours: the same
steps on the whole picture (`whole_picture`, what the product did before), and nnU-Net's own functions: skimage's
order-3 resize in, both logit channels resized back by skimage, argmax. Time is the calling thread's computing time,
which suffers least from a busy machine. Not a test.

    python tests/benchmarks/bench_frame.py [--repeats 10]
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchfile import heading, keep, quartiles, shown
from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests" / "soak"), str(ROOT / "tests" / "inference")]

import whole_picture  # noqa: E402
from senders import pictures  # noqa: E402

from inference.assets import demo_model_path  # noqa: E402
from inference.crop import propose_crop  # noqa: E402
from inference.frame import Frame, Origin, View  # noqa: E402
from inference.model.engine import Engine  # noqa: E402
from inference.model.segmenter import Segmenter  # noqa: E402
from inference.outcome import Region, Tumour  # noqa: E402
from inference.spacing import PixelSpacing, Provenance  # noqa: E402

SIZES = {(512, 512): 2.0, (720, 1280): 4.0, (1080, 1920): 7.0}
"""(rows, cols) of the picture, and the milliseconds that are wanted at most."""
EVERY = 10
"""Of the clip's frames; the tumour comes and goes in them."""
ON = "everything but the network, bundled clip (simulated) on a screen, one thread, computing time"


class Replayed:
    """A session that has answered before: what is left of a frame is everything but the network."""

    def __init__(self, session: object) -> None:
        self._session, self._answers = session, {}

    def run(self, outputs: list[str], feed: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """As the session's own, for inputs that were asked before."""
        (tile,) = feed.values()
        key = hash(tile[0, 0, ::16, ::16].tobytes())
        if key not in self._answers:
            self._answers[key] = self._session.run(outputs, feed)
        return self._answers[key]


@dataclass(frozen=True)
class Rivals:
    """The same frame analysed in three ways."""

    engine: Engine
    segmenter: Segmenter

    def ours(self, frame: Frame) -> tuple[NDArray[np.uint8] | None, tuple[Region, ...]]:
        """The product: mask and regions."""
        outcome = self.segmenter(frame)
        return (outcome.mask, outcome.regions) if isinstance(outcome, Tumour) else (None, ())

    def former(self, frame: Frame) -> tuple[NDArray[np.uint8], tuple[Region, ...]]:
        """The same on the whole picture."""
        return whole_picture.analysed(self.engine, frame)

    def nnunet(self, frame: Frame) -> None:
        """By nnU-Net's own functions, without outlines."""
        assert frame.spacing is not None
        own, target = (
            (999.0, frame.spacing.row_mm, frame.spacing.col_mm),
            (999.0, *self.engine.contract.input.spacing_mm),
        )
        shape = (1, *(round(n * a / b) for n, a, b in zip(frame.pixels.shape, own[1:], target[1:], strict=True)))
        picture = frame.pixels[None, None].astype(np.float32)
        picture = (picture - picture.mean()) / max(picture.std(), 1e-8)
        small = resample_data_or_seg_to_shape(picture, shape, own, target, is_seg=False, order=3, order_z=0)
        logits = np.concatenate([np.zeros_like(small), small])
        size = (1, *frame.pixels.shape)
        resample_data_or_seg_to_shape(logits, size, target, own, is_seg=False, order=1, order_z=0).argmax(0)


def frames(rows: int, cols: int) -> list[Frame]:
    """The clip on a screen of this size, 0 outside the sector, as a live source crops it."""
    screens, mm = pictures(rows, cols)
    screens = [screen[:, : cols - (cols - rows) // 2] for screen in screens[::EVERY]]  # without the depth text
    where = propose_crop(screens).where
    spacing, found = PixelSpacing(mm, mm, Provenance.RULER), []
    for index, screen in enumerate(screens):
        pixels = np.zeros((rows, cols), np.uint8)
        pixels[where] = screen[where]
        found.append(Frame(index, pixels, spacing, 0.0, Origin("screen", View.NATIVE, simulated=True)))
    return found


def computing(job: Callable[[Frame], object], clip: list[Frame]) -> float:
    """Mean milliseconds that this thread computes on a frame of a clip."""
    began = time.thread_time()
    for frame in clip:
        job(frame)
    return (time.thread_time() - began) * 1e3 / len(clip)


def compare(rivals: Rivals, clip: list[Frame]) -> dict[str, object]:
    """Whether ours and the former way say the same of every frame; printed."""
    areas, pixels, furthest = True, 0, 0.0
    for frame in clip:
        (mask, regions), (expected, former) = rivals.ours(frame), rivals.former(frame)
        pixels += int(np.count_nonzero(expected if mask is None else mask != expected))
        areas &= [one.area_px for one in regions] == [one.area_px for one in former]
        for one, other in zip(regions, former, strict=True):
            furthest = max(
                furthest, *(float(np.abs(a - b).max()) for a, b in zip(one.contours, other.contours, strict=True))
            )
    print(f"    masks differ by {pixels} pixels, areas {'equal' if areas else 'DIFFER'}, outlines by {furthest:.4f} px")
    return {"mask_pixels_differing": pixels, "areas_equal": areas, "outlines_px": round(furthest, 4)}


def measure(rivals: Rivals, size: tuple[int, int], repeats: int) -> dict[str, object]:
    """Alternated runs over the clip at one size; printed."""
    clip = frames(*size)
    jobs = {"ours": rivals.ours, "whole picture": rivals.former, "nnU-Net": rivals.nnunet}
    print(f"  {size[1]}×{size[0]}, {len(clip)} frames, {repeats} alternated repeats, ms a frame")
    same = compare(rivals, clip)  # which also fills the replayed answers
    rounds = []
    for number in range(repeats):
        names = list(jobs) if number % 2 else list(reversed(jobs))
        rounds.append({name: computing(jobs[name], clip[:1] if name == "nnU-Net" else clip) for name in names})
    times = {name: [one[name] for one in rounds] for name in jobs}
    ratios = {name: [one[name] / one["ours"] for one in rounds] for name in jobs if name != "ours"}
    for name, values in times.items():
        print(f"    {name:<22}{shown(values)}" + (f"   at most {SIZES[size]:g} wanted" if name == "ours" else ""))
    for name, values in ratios.items():
        print(f"    {f'{name} / ours':<22}{shown(values)}")
    return {
        "ms": {name: quartiles(values) for name, values in times.items()},
        "wanted_ms": SIZES[size],
        "ratio": {f"{name} / ours": quartiles(values) for name, values in ratios.items()},
        **same,
    }


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    print(heading(ON))
    engine = Engine.load(demo_model_path(), threads=1)
    engine._session = Replayed(engine._session)
    rivals = Rivals(engine, Segmenter(engine))
    keep("frame", {f"{size[1]}×{size[0]}": measure(rivals, size, repeats) for size in SIZES}, ON)


if __name__ == "__main__":
    main()
