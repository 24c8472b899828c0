"""`ius-train cases`: find the cases of data sets on disk and write their table."""

import argparse
import sys
from pathlib import Path

WORDS = "find the cases of data sets on disk and write their table"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("--resect", type=Path, required=True, help="folder with NIFTI/CaseN/{US,MRI,Landmarks}")
    one.add_argument("--resect-seg", type=Path, help="folder with CaseN/CaseN-US-before-tumor.nii.gz")
    one.add_argument("--sweeps", type=Path, help="folder with CaseN/CaseN-sweep.dcm (simulated cohorts)")
    one.add_argument(
        "--mri", choices=("flair", "ce-t1", "both"), default="both", help="what to register (default: %(default)s)"
    )
    one.add_argument("--out", type=Path, required=True, help="the case table (CSV)")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.cases import write_cases
    from training.datasets.resect import find_cases

    cases = find_cases(arguments.resect, arguments.resect_seg, arguments.sweeps, arguments.mri)
    write_cases(cases, arguments.out)
    excluded = sum(case.exclude for case in cases)
    print(f"{len(cases)} cases, {excluded} excluded: {arguments.out}", file=sys.stderr)
