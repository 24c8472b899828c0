"""`ius-train slice`: cut volumes and sweeps into 2D slices."""

import argparse
import sys
from pathlib import Path

from training.stages.settings import settings_of

WORDS = "cut volumes and sweeps into 2D slices"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("cases", type=Path, help="case table")
    one.add_argument("--out", type=Path, required=True, help="slice store")
    one.add_argument("--step-mm", type=float, default=0.0, help="between slices of a volume; 0 takes every one")
    one.add_argument("--every-frame", type=int, default=1, metavar="N", help="every how many frames of a sweep")
    one.add_argument("--negatives", type=int, default=0, metavar="N", help="tumour-free slices a volume, and a sweep")
    one.add_argument("--slicing", choices=("isotropic", "native"), default="isotropic", help="default: %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.cases import read_cases
    from training.receipt import write_receipt
    from training.slices import Cutting, cut_cases

    cutting = Cutting(
        arguments.step_mm, arguments.every_frame, arguments.negatives, isotropic=arguments.slicing == "isotropic"
    )
    rows = cut_cases(read_cases(arguments.cases), arguments.out, cutting)
    write_receipt(arguments.out, "slice", settings_of(arguments), [arguments.cases])
    free = sum(row.area_mm2 == 0 for row in rows)
    print(f"{len(rows)} slices, {free} of them tumour-free: {arguments.out}", file=sys.stderr)
