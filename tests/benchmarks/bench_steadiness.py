"""How steady a model is: on a still probe, on the bundled clip, along real sweeps. No mask is smoothed over frames.

python tests/benchmarks/bench_steadiness.py [--model FILE] [--volumes FOLDER] [--sweeps FOLDER] [--middle N]

Still: twelve frames of one plane of simulated patients that differ in receiver noise only. Flicker, where the picture
moves: the share by which a frame's area departs from the mean of its two neighbours, median over frames with a contour.
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from benchfile import keep
from numpy.typing import NDArray

from inference.assets import demo_clip_path, demo_model_path
from inference.model.engine import Engine
from inference.model.segmentation import mask_of
from inference.sources import open_source
from inference.sources.base import RecordedSource
from training.simulation import scanning
from training.simulation.acoustics import render_plane
from training.simulation.geometry import Pose, square_raster
from training.simulation.parameters import CohortKind
from training.simulation.patient import SMALL, draw_patient

Mask = NDArray[np.bool_]
DATA = Path(__file__).resolve().parents[3] / "shared/data"
VOLUMES, SWEEPS = DATA / "resect/us", DATA / "plus"
NO_SCALE = "no scale"
STILL_FRAMES, SIZE, PATIENTS = 12, 384, 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--volumes", type=Path, default=VOLUMES, help="real volumes, slice by slice along k")
    parser.add_argument("--sweeps", type=Path, default=SWEEPS, help="real tracked frames, of phantoms")
    parser.add_argument("--middle", type=int, default=60, help="so many frames from the middle of each")
    given = parser.parse_args()
    engine = Engine.load(given.model or demo_model_path())
    overlaps, changes = [], []
    for kind in (CohortKind.TRAIN, CohortKind.HARD):
        for number in range(1, PATIENTS + 1):
            masks = _masks(engine, *_still(kind, number))
            pairs = [(a, b) for a, b in itertools.pairwise(masks) if a.any() or b.any()]
            overlaps += [(a & b).sum() / (a | b).sum() for a, b in pairs]
            changes += [abs(int(a.sum()) - int(b.sum())) / max(a.sum(), b.sum()) for a, b in pairs]
    figures = {
        "still_pairs": len(overlaps),
        "still_iou_median": round(float(np.median(overlaps)), 3),
        "still_iou_of_95_percent": round(float(np.percentile(overlaps, 5)), 3),
        "still_pairs_iou_095": round(float(np.mean(np.array(overlaps) >= 0.95)), 3),
        "still_area_change_median": round(float(np.median(changes)), 4),
        "clip_flicker": _flicker_of(engine, demo_clip_path()),
        "real_flicker": {
            path.name: _flicker_of(engine, path, given.middle)
            for path in (*sorted(given.volumes.glob("*.gz")), *sorted(given.sweeps.glob("*.mha")))
        },
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    on = f"still frames and clip: simulated; the middle {given.middle} slices of real volumes, frames of phantoms"
    keep("steadiness", figures, on)


def flicker(areas: Sequence[float]) -> float | None:
    """Median share by which an area departs from the mean of its neighbours; None where hardly anything is drawn."""
    inner = [
        (abs(b - (a + c) / 2), b) for a, b, c in zip(areas, areas[1:], areas[2:], strict=False) if min(a, b, c) > 0
    ]
    return round(float(np.median([away / area for away, area in inner])), 4) if len(inner) > 5 else None


def _still(kind: CohortKind, number: int) -> tuple[list[NDArray[np.uint8]], float]:
    """Frames of the plane through the tumour's middle, and their mm a pixel."""
    detail = SMALL
    patient = draw_patient(77, number, kind, detail)
    scene, centre = patient.scene, patient.anatomy.centre
    pivot = 150.0
    pose = Pose(float(np.arcsin(centre[1] / (centre[2] + pivot))), pivot)
    levels = np.stack([render_plane(scene, pose, shot) for shot in range(STILL_FRAMES)])
    grey = scanning.set_grey_map(scene, levels)
    raster = square_raster(scene.sector, SIZE)
    lateral, depth = (np.broadcast_to(axis, (SIZE, SIZE)) for axis in raster.points())
    line, sample, inside = scene.sector.polar_index(lateral, depth)
    frames = [cv2.remap(grey.apply(level), line, sample, cv2.INTER_LINEAR) for level in levels]
    return [np.where(inside, np.maximum(frame, 1), 0).astype(np.uint8) for frame in frames], raster.pitch_mm


def _masks(engine: Engine, frames: list[NDArray[np.uint8]], pixel_mm: float) -> list[Mask]:
    """One after the other, each by itself."""
    largest = engine.contract.output.keep_largest
    segmented = [engine.segment(frame.astype(np.float32), (pixel_mm, pixel_mm)).margin for frame in frames]
    return [mask_of(margin, keep_largest=largest) > 0 for margin in segmented]


def _flicker_of(engine: Engine, path: Path, middle: int | None = None) -> float | str | None:
    """Flicker of a source, or of its middle frames; in words if it has no scale, since nothing is analysed then."""
    with closing(open_source(str(path))) as source:
        if source.info.spacing is None:
            return NO_SCALE
        count = len(source) if middle is None else min(middle, len(source))
        first = (len(source) - count) // 2
        return flicker(list(_areas(engine, source, range(first, first + count))))


def _areas(engine: Engine, source: RecordedSource, indices: range) -> Iterator[float]:
    """Area of each frame, mm²."""
    for index in indices:
        frame = source.read(index)
        spacing = frame.spacing
        if spacing is None:
            raise SystemExit("A frame has no scale although its source has one.")
        rows_cols = (spacing.row_mm, spacing.col_mm)
        mask = mask_of(engine.segment(frame.pixels, rows_cols).margin, keep_largest=engine.contract.output.keep_largest)
        yield float((mask > 0).sum()) * rows_cols[0] * rows_cols[1]


if __name__ == "__main__":
    main()
