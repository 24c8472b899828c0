"""How alike the surroundings must be for a corrected contour to be carried: wrong carries against right ones lost.

python tests/benchmarks/bench_carrying.py [--patients 5]

Simulated sweeps of plain and hard patients, 210 frames each. In the frame with the largest tumour the true outline
counts as the correction. It is carried 40 frames to each side, as the viewer does, but not stopped, and compared with
the truth in each frame: right is a Dice of 0.9 or more. For each threshold the carrying then ends where the
correlation first falls below it, as in the viewer.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from benchfile import keep
from numpy.typing import NDArray

from inference.frame import Frame, Origin, View
from inference.readout import carrying
from inference.readout.correction import Correction
from inference.spacing import PixelSpacing, Provenance
from training.simulation import scanning
from training.simulation.parameters import CohortKind
from training.simulation.patient import SMALL, draw_patient

SEED, FRAMES, SIZE, BESIDE = 91, 210, 384, 40
RIGHT = 0.9
THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
Side = list[tuple[float, float]]
"""Along one side of a correction: likeness and Dice, frame by frame."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=5, help="of each kind")
    given = parser.parse_args()
    carrying.ALIKE = -1.0  # nothing ends the carrying here: the thresholds are applied to what was found
    sides = [side for kind in (CohortKind.TRAIN, CohortKind.HARD) for side in _sides(kind, given.patients)]
    figures = {f"{threshold:g}": counted(sides, threshold) for threshold in THRESHOLDS}
    for threshold, found in figures.items():
        print(threshold, found)
    on = f"simulated sweeps of {2 * given.patients} patients, {len(sides)} sides of up to {BESIDE} frames"
    keep("carrying", {"right_from_dice": RIGHT, "by_threshold": figures}, on)


def counted(sides: Sequence[Side], threshold: float) -> dict[str, float]:
    """What a threshold carries and leaves: frames carried, the share of them that are wrong, right ones left."""
    carried = [side[: next((at for at, (like, _) in enumerate(side) if like < threshold), len(side))] for side in sides]
    scores = np.array([dice for side in carried for _, dice in side])
    every = np.array([dice for side in sides for _, dice in side])
    right, wrong = int((scores >= RIGHT).sum()), int((scores < RIGHT).sum())
    return {
        "carried": len(scores),
        "wrong": wrong,
        "wrong_share": round(wrong / max(1, len(scores)), 3),
        "right_left_out": int((every >= RIGHT).sum()) - right,
        "dice_of_worst_5_percent": round(float(np.percentile(scores, 5)), 3) if len(scores) else 0.0,
    }


def _sides(kind: CohortKind, patients: int) -> Iterator[Side]:
    """Both sides of the correction in each patient's sweep."""
    for number in range(1, patients + 1):
        patient = draw_patient(SEED, number, kind, replace(SMALL, frames=FRAMES))
        poses = scanning.sweep_poses(patient.rng, patient.anatomy, FRAMES)
        grey = scanning.set_grey_map(patient.scene, scanning.render_fan(patient.scene, poses[:: FRAMES // 12]))
        middle = FRAMES // 2
        near = poses[middle - BESIDE - 10 : middle + BESIDE + 11]
        sweep = scanning.record(patient.scene, patient.anatomy, near, grey, SIZE)
        start = int(np.argmax(sweep.truth.sum(axis=(1, 2))))
        yield _carried(sweep, start, 1)
        yield _carried(sweep, start, -1)


def _carried(sweep: scanning.Sweep, start: int, way: int) -> Side:
    frames = [_frame(sweep, at) for at in range(len(sweep.frames))]
    made = Correction(frames[start], (sweep.truth[start], sweep.truth[start]))
    beside = frames[start + 1 : start + 1 + BESIDE] if way > 0 else frames[max(0, start - BESIDE) : start][::-1]
    found = carrying.carried_on(made, beside, way)
    return [(one.likeness, _dice(one.mask, sweep.truth[one.frame.index])) for one in found]


def _frame(sweep: scanning.Sweep, index: int) -> Frame:
    spacing = PixelSpacing(sweep.pixel_mm, sweep.pixel_mm, Provenance.TYPED)
    return Frame(index, sweep.frames[index], spacing, index / 30, Origin("sweep", View.NATIVE, simulated=True))


def _dice(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    both = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / both if both else 1.0


if __name__ == "__main__":
    main()
