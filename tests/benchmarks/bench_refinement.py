"""What an affine and a deformable refinement bring after a rigid alignment: landmarks and labels, patient by patient.

    ius-train simulate --patients 10 --out DIR --seed 302 --cohort mini --mri --label-error high
    python tests/benchmarks/bench_refinement.py simulated --cohort DIR --out refinement.jsonl

The rigid alignment is what `ius-train register` finds from the navigation's; `--rigid truth` begins from the one that
the simulation used, which no registration knows. Real, landmarks only (RESECT's Case 24, T1):

    python tests/benchmarks/bench_refinement.py real

Rows are appended to --out, and what stands there is not done again. Not a test.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813

from training.evaluation.patient_tables import estimate
from training.registration.align import align
from training.registration.landmarks import Landmarks, best_rigid, mtre_mm, read_landmarks
from training.registration.mapping import least_jacobian, volume_change_percent
from training.registration.refine import REFINEMENTS, refine
from training.registration.transfer import transfer
from training.registration.transforms import read_transform
from training.registration.volume import as_volume, read_image

RESECT = Path(__file__).resolve().parents[3] / "shared/data/resect"
Files = dict[str, Path]


def cases(arguments: argparse.Namespace) -> Iterator[tuple[str, Files]]:
    """Each case and its files."""
    if arguments.data == "real":
        names = {"volume": "us/Case24-US-before-0p5mm.nii.gz", "flair": "mri/Case24-T1-in-US-0p5mm.nii.gz"}
        names |= {"landmarks": "landmarks/Case24-MRI-beforeUS.tag"}
        yield "Case24", {name: arguments.resect / path for name, path in names.items()}
        return
    for patient in json.loads((arguments.cohort / "cohort.json").read_text())["patients"]:
        yield patient["case"], {name: arguments.cohort / path for name, path in patient["files"].items()}


def measured(files: Files, *, truth: bool) -> Iterator[dict[str, Any]]:
    """One case in every way."""
    image = read_image(files["volume"])
    us, mris = as_volume(image), [as_volume(read_image(files["flair"]))]
    landmarks = read_landmarks(files["landmarks"])
    start = read_transform(files["mri_to_us"]) if truth else None
    rigid = align(us, mris, start, "none" if truth else "lc2+mind")
    for how in REFINEMENTS:
        began = time.process_time()
        found = refine(us, mris, rigid, "lc2+mind", how)
        row = {"refine": how, "refused": found.refused, "cpu_s": time.process_time() - began}
        row |= errors(landmarks, found.mapping)
        if found.deformation is not None:
            row["least_jacobian"] = least_jacobian(found.deformation, us)
        if "mri_label" in files:
            mask, _ = transfer(read_image(files["mri_label"]), image, found.mapping)
            row |= {"dice": dice(mask, read_image(files["truth"]))}
            row |= {"volume_percent": volume_change_percent(found.mapping, mask)}
        yield row


def errors(landmarks: Landmarks, mapping: Any) -> dict[str, float]:
    """Before, after, and the least that a rigid transform can reach."""
    best = mtre_mm(landmarks, best_rigid(landmarks))
    return {"mtre_mm": mtre_mm(landmarks, mapping), "navigation_mm": mtre_mm(landmarks), "best_rigid_mm": best}


def dice(mask: sitk.Image, true: sitk.Image) -> float:
    one, other = (sitk.GetArrayViewFromImage(image) > 0 for image in (mask, true))
    return float(2 * (one & other).sum() / max(1, one.sum() + other.sum()))


def summary(rows: list[dict[str, Any]]) -> str:
    """Means and, beside the rigid result of the same patients, differences with their intervals over patients."""
    rigid = {row["case"]: row for row in rows if row["refine"] == "none"}
    lines = []
    for how in REFINEMENTS:
        own = [row for row in rows if row["refine"] == how]
        parts = [f"{how:10s} {len(own)} cases, {sum(bool(row['refused']) for row in own)} refused"]
        for name in ("mtre_mm", "dice"):
            values = [row[name] for row in own if name in row]
            gains = [row[name] - rigid[row["case"]][name] for row in own if name in row]
            if values:
                parts.append(f"{name} {np.mean(values):.3f}, beside rigid {np.mean(gains):+.3f} {interval(gains)}")
        lines.append("; ".join(parts))
    return "\n".join(lines)


def interval(values: list[float]) -> str:
    """The interval of a mean over patients; empty for fewer than five."""
    found = estimate(values)
    return "" if found is None else f"[{found.low:+.3f}, {found.high:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=("real", "simulated"))
    parser.add_argument("--resect", type=Path, default=RESECT)
    parser.add_argument("--cohort", type=Path)
    parser.add_argument("--rigid", choices=("found", "truth"), default="found")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    rows = [json.loads(line) for line in arguments.out.open()] if arguments.out and arguments.out.is_file() else []
    done = {row["case"] for row in rows if row["refine"] == REFINEMENTS[-1]}
    for case, files in cases(arguments):
        if case in done:
            continue
        for row in measured(files, truth=arguments.rigid == "truth"):
            rows.append({"case": case} | row)
            print(json.dumps(rows[-1]), flush=True)
            if arguments.out:
                with arguments.out.open("a") as stream:
                    stream.write(json.dumps(rows[-1]) + "\n")
    print(summary(rows))


if __name__ == "__main__":
    main()
