"""`ius-train slice`: cut volumes and sweeps into 2D slices."""

import argparse
import sys
from pathlib import Path

from training.stages.numbers import within
from training.stages.settings import settings_of

WORDS = "cut volumes and sweeps into 2D slices"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the cases and the way of cutting."""
    one.add_argument("cases", type=Path, help="case table")
    one.add_argument("--out", type=Path, required=True, help="slice store")
    one.add_argument("--step-mm", type=within(0.0), default=0.0, help="between slices of a volume; 0 takes every one")
    one.add_argument("--every-frame", type=within(1), default=1, metavar="N", help="every how many frames of a sweep")
    one.add_argument("--no-sweeps", action="store_true", help="cut volumes and single pictures alone")
    one.add_argument(
        "--negatives", type=within(0), default=0, metavar="N", help="tumour-free slices a volume, and a sweep"
    )
    one.add_argument(
        "--slicing",
        choices=("isotropic", "native", "as-published"),
        default="isotropic",
        help="as-published gives every direction the zooms of the first two axes (default: %(default)s)",
    )
    one.add_argument(
        "--labels",
        choices=("us", "mri", "both"),
        help="both takes MRI's where ultrasound has none (default: us)",
    )
    one.add_argument("--registered", type=Path, metavar="DIR", help="folder of 'ius-train register', for MRI's masks")
    one.add_argument(
        "--apart-from",
        type=Path,
        nargs="+",
        default=[],
        metavar="STORE",
        help="stop if a patient of these slice stores is in this one too, whatever the name",
    )


def run(arguments: argparse.Namespace) -> None:
    """Cut the cases and print how many slices pass each cut-off."""
    from inference.errors import IusError
    from training.cohort.cases import read_cases
    from training.io.files import alone_in
    from training.io.receipt import write_receipt
    from training.slicing.areas import read_areas, summary
    from training.slicing.cutting import Cutting
    from training.slicing.labels import LabelSource
    from training.slicing.store import cut_cases, read_left_out

    if arguments.registered is not None and arguments.labels is None:
        raise IusError("--registered holds MRI's masks: say --labels mri or both to cut them, or leave it out.")
    arguments.labels = arguments.labels or "us"
    masks = LabelSource(arguments.labels, arguments.registered)
    cutting = Cutting(
        arguments.step_mm,
        arguments.every_frame,
        arguments.negatives,
        arguments.slicing,
        masks,
        sweeps=not arguments.no_sweeps,
    )
    cases = read_cases(arguments.cases)
    with alone_in(arguments.out):
        rows = cut_cases(cases, arguments.out, cutting, arguments.apart_from)
        write_receipt(arguments.out, "slice", settings_of(arguments), [arguments.cases])
    free, left_out = sum(row.area_mm2 == 0 for row in rows), len(read_left_out(arguments.out))
    if areas := read_areas(arguments.out / "areas.csv"):  # single pictures and sweeps have one slicing, and none there
        print(summary(areas))
    print(
        f"{len(rows)} slices, {free} of them tumour-free, {left_out} cases left out: {arguments.out}", file=sys.stderr
    )
