"""A full-size volume (400 x 400 x 450) through register, transfer and slice: seconds and peak memory of each stage.

    python tests/benchmarks/bench_full_size.py [--work DIR] [--step-mm 2]

A simulated patient's ultrasound (FLAIR and MRI mask beside it), resampled to that size. Not a test.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from benchfile import keep

from training.simulation.cohort import simulate_cohort

SIZE = (400, 400, 450)
LIMIT_GB = 6.0


def enlarge(path: Path) -> None:
    """Resample a volume in place to `SIZE` voxels, with its extent and headers."""
    image = sitk.ReadImage(str(path))
    spacing = [mm * n / new for mm, n, new in zip(image.GetSpacing(), image.GetSize(), SIZE, strict=True)]
    origin = image.TransformContinuousIndexToPhysicalPoint(
        [(new / mm - 1) / 2 for new, mm in zip(spacing, image.GetSpacing(), strict=True)]
    )
    mask = image.GetPixelID() == sitk.sitkUInt8
    how = sitk.sitkNearestNeighbor if mask else sitk.sitkLinear
    large = sitk.Resample(image, SIZE, sitk.Transform(), how, origin, spacing, image.GetDirection(), 0.0)
    sitk.WriteImage(large, str(path), useCompression=True)


def stage(*words: str) -> float:
    """Run a stage of the command line in its own process; returns its peak memory in GB."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "training.cli", *words], stderr=subprocess.PIPE, text=True)
    said = process.stderr.read() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    peak = usage.ru_maxrss / 2**20
    cpu = usage.ru_utime + usage.ru_stime
    print(
        f"{words[0]:9s} {time.perf_counter() - began:6.1f} s ({cpu:.1f} s of one core), peak {peak:.2f} GB", flush=True
    )
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--step-mm", default="2", help="of the slices (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        cohort = simulate_cohort(work / "cohort", 1, 7, cohort="mini", label_error="low")
        files = {name: cohort.folder / path for name, path in cohort.patients[0]["files"].items()}
        for name in ("volume", "truth"):
            enlarge(files[name])
        image = sitk.ReadImage(str(files["volume"]))
        shape, sector = image.GetSize(), np.count_nonzero(sitk.GetArrayViewFromImage(image))
        del image
        print(f"{shape[0]} x {shape[1]} x {shape[2]} voxels, {sector / np.prod(shape):.0%} of them in the sector")
        table, out = work / "cases.csv", work / "registered"
        resect = ["--resect", str(cohort.folder / "RESECT"), "--resect-seg", str(cohort.folder / "RESECT_segmentation")]
        peaks = [stage("cases", *resect, "--out", str(table))]
        peaks.append(stage("register", str(table), "--out", str(out)))
        peaks.append(stage("review", str(out), "--accept-all", "--cases", str(table)))
        how = ["--labels", "mri", "--registered", str(out), "--step-mm", arguments.step_mm]
        peaks.append(stage("slice", str(table), "--out", str(work / "slices"), *how))
    names = ("cases", "register", "review", "slice")
    keep(
        "full size",
        {f"{name}_peak_gb": round(peak, 2) for name, peak in zip(names, peaks, strict=True)},
        "a simulated patient's ultrasound at 400×400×450 voxels",
    )
    print(f"peak of all {max(peaks):.2f} GB, and {LIMIT_GB:g} GB are allowed")
    sys.exit(max(peaks) > LIMIT_GB)


if __name__ == "__main__":
    main()
