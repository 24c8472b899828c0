"""Registration of MRI to ultrasound from random starts: target registration error and seconds, method by method.

Each start is a shift in a random direction and a turn of up to 5 degrees about a random axis through the sector's
centre, by seed. Real (RESECT's Case 24, CC BY 4.0, T1 only) from the navigation's alignment, 2 to 12 mm away:

    python tests/benchmarks/bench_registration.py real [--resect ../shared/data/resect] [--metrics lc2+mind]

Simulated, shifted 2 to 16 mm from the truth, on the cohort that this makes:

    ius-train simulate --patients 20 --out DIR --seed 7 --cohort mini --mri --label-error low
    python tests/benchmarks/bench_registration.py simulated --cohort DIR --starts 3 --out simulated.jsonl

Wrong on purpose, each simulated ultrasound with the next patient's MRI, for the flag `weak`: add --swapped.

Rows are appended to --out, and what stands there is not done again. `registration_figure.py` draws them. Not a test.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from benchfile import keep
from mattes import mattes

from training.registration.align import Alignment, align, sector_centre
from training.registration.landmarks import Landmarks, best_rigid, mtre_mm, read_landmarks
from training.registration.result import flags
from training.registration.transforms import Matrix, read_transform, rigid
from training.registration.volume import Volume, as_volume, read_image

METRICS = ("lc2+mind", "lc2", "mind", "mattes")
REAL_SHIFT_MM = (2.0, 12.0)
SIMULATED_SHIFTS_MM = ((2.0, 6.0), (6.0, 11.0), (11.0, 16.0))
TURN_DEG = 5.0
SUCCESS_MM = 2.5
RESECT = Path(__file__).resolve().parents[3] / "shared/data/resect"

Method = Callable[[Volume, Sequence[Volume], Matrix], tuple[Matrix, Alignment | None]]
"""Gives the transform, and what is known of it."""


def method_of(metric: str) -> Method:
    if metric == "mattes":
        return lambda us, mris, start: (mattes(us, mris, start), None)

    def ours(us: Volume, mris: Sequence[Volume], start: Matrix) -> tuple[Matrix, Alignment | None]:
        found = align(us, mris, start, metric)  # type: ignore[arg-type]
        return found.matrix, found

    return ours


def random_start(rng: np.random.Generator, centre: np.ndarray, shift_mm: tuple[float, float]) -> Matrix:
    """A misalignment about the sector's centre."""
    shift, axis = rng.normal(size=3), rng.normal(size=3)
    shift *= rng.uniform(*shift_mm) / np.linalg.norm(shift)
    axis *= np.radians(rng.uniform(0, TURN_DEG)) / np.linalg.norm(axis)
    return rigid(np.concatenate([shift, axis]), centre)


def run_one(method: Method, us: Volume, mris: Sequence[Volume], start: Matrix, landmarks: Landmarks) -> dict[str, Any]:
    began, cpu = time.perf_counter(), time.process_time()
    found, known = method(us, mris, start)
    return {
        "start_mm": mtre_mm(landmarks, start),
        "mtre_mm": mtre_mm(landmarks, found),
        "wall_s": time.perf_counter() - began,
        "cpu_s": time.process_time() - cpu,
        "support": None if known is None else known.support,
        "flags": [] if known is None else flags(known, None),
    }


def real(arguments: argparse.Namespace) -> Iterator[tuple[str, int, Callable[[], Any]]]:
    folder = arguments.resect
    us = as_volume(read_image(folder / "us/Case24-US-before-0p5mm.nii.gz"))
    mri = as_volume(read_image(folder / "mri/Case24-T1-in-US-0p5mm.nii.gz"))
    landmarks = read_landmarks(folder / "landmarks/Case24-MRI-beforeUS.tag")
    print(f"navigation {mtre_mm(landmarks):.2f} mm, best rigid {mtre_mm(landmarks, best_rigid(landmarks)):.2f} mm")
    rng = np.random.default_rng(arguments.seed)
    for number in range(arguments.starts):
        yield (
            "Case24",
            number,
            partial(lambda start: (us, [mri], start, landmarks), random_start(rng, sector_centre(us), REAL_SHIFT_MM)),
        )


def simulated(arguments: argparse.Namespace) -> Iterator[tuple[str, int, Callable[[], Any]]]:
    patients = json.loads((arguments.cohort / "cohort.json").read_text())["patients"]
    floor = [patient["mri"]["mtre_best_rigid_mm"] for patient in patients]
    print(
        f"{len(patients)} simulated patients; best rigid: median {np.median(floor):.2f} mm, worst {max(floor):.2f} mm"
    )
    # Start by start, and neighbours at other distances: wherever it is stopped, distances and patients are even.
    for number in range(arguments.starts):
        for at, patient in enumerate(patients):
            files = {name: arguments.cohort / path for name, path in patient["files"].items()}
            shift = SIMULATED_SHIFTS_MM[(number + at) % len(SIMULATED_SHIFTS_MM)]
            name = patient["case"]
            if arguments.swapped:
                other = patients[(at + 1) % len(patients)]["files"]
                files |= {part: arguments.cohort / other[part] for part in ("flair", "mri_to_us")}
                name = f"{name} swapped"
            yield name, number, partial(_simulated, files, shift, (arguments.seed, at, number))


def _simulated(files: dict[str, Path], shift: tuple[float, float], seed: tuple[int, ...]) -> Any:
    us, flair = (as_volume(read_image(files[name])) for name in ("volume", "flair"))
    start = random_start(np.random.default_rng(seed), sector_centre(us), shift) @ read_transform(files["mri_to_us"])
    return us, [flair], start, read_landmarks(files["landmarks"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=("real", "simulated"), nargs="?", default="real")
    parser.add_argument("--resect", type=Path, default=RESECT)
    parser.add_argument("--cohort", type=Path)
    parser.add_argument("--swapped", action="store_true", help="with the MRI of the next simulated patient")
    parser.add_argument("--starts", type=int, default=20, help="of each pair")
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=METRICS[:1])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    rows = [json.loads(line) for line in arguments.out.open()] if arguments.out and arguments.out.is_file() else []
    done = {(row["case"], row["start"], row["metric"]) for row in rows}
    for case, number, load in (real if arguments.data == "real" else simulated)(arguments):
        todo = [metric for metric in arguments.metrics if (case, number, metric) not in done]
        inputs = load() if todo else None
        for metric in todo:
            row = {"data": arguments.data, "case": case, "start": number, "metric": metric}
            rows.append(row | run_one(method_of(metric), *inputs))
            print(f"{case} {number}", summary(rows[-1:]), flush=True)
            if arguments.out:
                with arguments.out.open("a") as stream:
                    stream.write(json.dumps(rows[-1]) + "\n")
    every = {
        name: summary([row for row in rows if row["metric"] == name])
        for name in dict.fromkeys(row["metric"] for row in rows)
    }
    print("\n".join(every.values()))
    keep(f"registration, {arguments.data}", every, f"{len({row['case'] for row in rows})} {arguments.data} pair(s)")


def summary(rows: list[dict[str, Any]]) -> str:
    """One method's figures; seconds and errors are medians."""
    errors = np.array([row["mtre_mm"] for row in rows])
    starts = np.array([row["start_mm"] for row in rows])
    wall, cpu = (np.median([row[name] for row in rows]) for name in ("wall_s", "cpu_s"))
    return (
        f"{rows[0]['metric']:8s} {starts.min():5.2f}-{starts.max():5.2f} -> median {np.median(errors):5.2f} mm, worst "
        f"{errors.max():5.2f} mm, {(errors < SUCCESS_MM).sum()}/{len(rows)} under {SUCCESS_MM} mm; {supports(rows)}"
        f"{wall:.1f} s, {cpu:.1f} s of one core"
    )


def supports(rows: list[dict[str, Any]]) -> str:
    """From where to where `support` goes, of results within 5 mm and of others, and how many carry a flag."""
    parts = []
    for words, right in (("right", True), ("wrong", False)):
        of = [row for row in rows if row.get("support") and (row["mtre_mm"] < 2 * SUCCESS_MM) == right]
        least, most = (end((row["support"] for row in of), default=0.0) for end in (min, max))
        flagged = sum(bool(row["flags"]) for row in of)
        parts += [f"{len(of)} {words}: support {least:.3f}-{most:.3f}, {flagged} flagged"] if of else []
    return f"{', '.join(parts)}; " if parts else ""


if __name__ == "__main__":
    main()
