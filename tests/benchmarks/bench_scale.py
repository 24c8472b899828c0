"""How often a scale is read from a screen, and how often wrongly: simulated screens of several makers, and real ones.

A proposal counts as right within one per cent. With --lies, every screen that writes its depth writes another one: each
proposal is then one that a misread digit would make. `data_store` is pydicom-data's.

python tests/benchmarks/bench_scale.py [--count N] [--seed N] [--lies] [--screens FOLDER ...]
"""

import argparse
import sys
import warnings
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from time import process_time

import cv2
import numpy as np
import pydicom
from benchfile import keep
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "inference"))
from scanner_screens import Shot, draw, shots, system_fonts

from inference.screen.scale import NoProposal, read_scale

RIGHT = 0.01
REAL_MM = {
    "butterfly-ocular-phantom.mp4": 0.05769,
    "clarius-ocular-image.png": 0.0508,
    "clarius-ocular-short.mp4": 0.0508,
    "clarius_axial-lateral-resolution-2020.png": None,
    "interson-image.jpg": 0.06329,
    "interson-phantom.png": 0.05952,
    "sonoque_anechoic-3mm-3mm.dcm": 0.0291,
    "sonoque_axial-lateral-resolution-2020.dcm": 0.0291,
    "sonosite-anon-eye1-video.mp4": 0.07576,
    "sonosite-anon-eye1.jpg": 0.07576,
    "color3d_jpeg_baseline.dcm": 0.5105,
    "JPGLosslessP14SV1_1s_1f_8b.dcm": 0.25477,
    "OBXXXX1A_2frame.dcm": 0.26229,
    "gdcm-US-ALOKA-16.dcm": 0.38265,
    "US1_UNCR.dcm": None,
}
"""mm per pixel by the file's own region, else by hand from the ends of its ruler; None: unknown."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=220, help="simulated screens")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lies", action="store_true", help="write another depth than the right one")
    parser.add_argument("--screens", type=Path, nargs="+", metavar="FOLDER", help="where real screens are")
    wanted = parser.parse_args()
    cv2.setNumThreads(1)
    if wanted.screens is not None:
        return real(wanted.screens)
    drawn = shots(wanted.count, wanted.seed, system_fonts())
    simulated([lie(shot, wanted.seed) for shot in drawn if shot.style.depth] if wanted.lies else drawn, wanted.lies)
    return None


def lie(shot: Shot, seed: int) -> Shot:
    """The same screen with another depth written, of those that scanners have."""
    rng = np.random.default_rng((seed, shot.seed))
    other = shot.depth_mm
    while other == shot.depth_mm:
        other = 5.0 * int(rng.integers(4, 60))
    number = other / shot.style.unit
    written = f"{number:.1f}" if number % 1 else f"{number:.0f}"
    return replace(shot, style=replace(shot.style, depth=shot.style.depth.replace("{}", written)))


def simulated(drawn: list[Shot], lies: bool) -> None:
    """Read every screen, and count by maker."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    errors, seconds = [], []
    for shot in drawn:
        screen, begun = draw(shot), process_time()
        found = read_scale(screen.picture)
        seconds.append(process_time() - begun)
        verdict, error = judged(found, screen.mm)
        counts[shot.style.name][verdict] += 1
        errors += [] if error is None or verdict == "wrong" else [error]
        if verdict == "wrong":
            print(f"WRONG {shot.style.name} {shot.depth_mm:g} mm at {shot.scale:g}: {found}")
    total = sum(counts.values(), Counter())
    for name, count in (*counts.items(), ("all", total)):
        print(f"{name:10} right {count['right']:4} wrong {count['wrong']:4} none {count['none']:4}")
    print(
        f"largest error of those right {max(errors, default=0):.2%}; {np.median(seconds):.2f} s of processor a screen"
    )
    keep(f"scale-{'lies' if lies else 'simulated'}", {"screens": len(drawn), **total}, "simulated screens")


def judged(found: object, mm: float | None) -> tuple[str, float | None]:
    """Whether a reading is right, and its error as a share."""
    if isinstance(found, NoProposal):
        return "none", None
    error = abs(found.spacing.row_mm / mm - 1) if mm else np.inf
    return ("right" if error <= RIGHT else "wrong"), error


def real(folders: list[Path]) -> None:
    """Read every real screen whose name is known."""
    total: Counter[str] = Counter()
    for name, mm in REAL_MM.items():
        path = next((path for folder in folders for path in folder.rglob(name)), None)
        if path is None:
            print(f"{name}: not here")
            continue
        found = read_scale(picture(path))
        verdict, error = judged(found, mm)
        total[verdict] += 1
        said = found.reason if isinstance(found, NoProposal) else f"{found.spacing.row_mm:.5g} mm, {found.words}"
        print(f"{verdict:6} {name:42} {'' if error is None else f'{error:.2%}':7} {said}")
    print(dict(total))
    keep("scale-real", dict(total), "real screens of point-of-care and cart scanners")


def picture(path: Path) -> NDArray[np.uint8]:
    """The first whole picture of a file, as the scanner drew it."""
    if path.suffix == ".dcm":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = pydicom.dcmread(path)
            pixels = data.pixel_array
            if data.PhotometricInterpretation == "PALETTE COLOR":
                pixels = (pydicom.pixels.apply_color_lut(pixels, data) >> 8).astype(np.uint8)
        frames = int(data.get("NumberOfFrames", 1))
        return np.asarray(pixels[0] if frames > 1 else pixels, np.uint8)
    ok, pixels = cv2.VideoCapture(str(path)).read() if path.suffix == ".mp4" else (True, cv2.imread(str(path)))
    assert ok
    return np.asarray(pixels, np.uint8)


if __name__ == "__main__":
    main()
