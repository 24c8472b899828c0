"""Registration of a real MRI-ultrasound pair with landmarks from random starts: target registration error, seconds.

Each start is the navigation's alignment, shifted 2 to 12 mm in a random direction and turned up to 5 degrees about a
random axis through the sector's centre, by seed. Case 24 of RESECT (CC BY 4.0) has its T1 only. Not a test.

    python tests/benchmarks/bench_registration.py ../shared/data/resect [--starts 20] [--metric lc2+mind] [--seed 1]
"""

import argparse
import time
from pathlib import Path

import numpy as np

from training.landmarks import best_rigid, mtre_mm, read_landmarks
from training.registration.align import METRICS, align, sector_centre
from training.registration.transforms import Matrix, rigid
from training.registration.volume import as_volume, read_image

SHIFT_MM = (2.0, 12.0)
TURN_DEG = 5.0
SUCCESS_MM = 2.5
RESECT = Path(__file__).resolve().parents[3] / "shared/data/resect"


def random_start(rng: np.random.Generator, centre: np.ndarray) -> Matrix:
    """A misalignment about the sector's centre."""
    shift, axis = rng.normal(size=3), rng.normal(size=3)
    shift *= rng.uniform(*SHIFT_MM) / np.linalg.norm(shift)
    axis *= np.radians(rng.uniform(0, TURN_DEG)) / np.linalg.norm(axis)
    return rigid(np.concatenate([shift, axis]), centre)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("resect", type=Path, nargs="?", default=RESECT)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--metric", choices=METRICS, default=METRICS[0])
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    us = as_volume(read_image(arguments.resect / "us/Case24-US-before-0p5mm.nii.gz"))
    mri = as_volume(read_image(arguments.resect / "mri/Case24-T1-in-US-0p5mm.nii.gz"))
    landmarks = read_landmarks(arguments.resect / "landmarks/Case24-MRI-beforeUS.tag")
    print(f"navigation {mtre_mm(landmarks):.2f} mm, best rigid {mtre_mm(landmarks, best_rigid(landmarks)):.2f} mm")
    rng = np.random.default_rng(arguments.seed)
    errors, seconds = [], []
    for number in range(arguments.starts):
        start = random_start(rng, sector_centre(us))
        began, cpu = time.perf_counter(), time.process_time()
        found = align(us, [mri], start, arguments.metric)
        seconds.append((time.perf_counter() - began, time.process_time() - cpu))
        errors.append(mtre_mm(landmarks, found.matrix))
        print(
            f"{number:3d}  {mtre_mm(landmarks, start):5.2f} -> {errors[-1]:5.2f} mm   "
            f"similarity {found.similarity:.5f}   {seconds[-1][0]:.1f} s ({seconds[-1][1]:.1f} s of one core)",
            flush=True,
        )
    good = sum(error < SUCCESS_MM for error in errors)
    wall, cpu = np.median(seconds, axis=0)
    print(
        f"{arguments.metric}: {good}/{len(errors)} under {SUCCESS_MM} mm, median {np.median(errors):.2f} mm, "
        f"worst {max(errors):.2f} mm; {wall:.1f} s a pair, {cpu:.1f} s of one core (medians)"
    )


if __name__ == "__main__":
    main()
