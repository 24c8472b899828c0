"""The arguments about the patients of a measurement, which several stages take."""

import argparse
from pathlib import Path


def add_patients(one: argparse.ArgumentParser) -> None:
    """Add the case tables that say who the patients are, and the stores that a model was trained on."""
    one.add_argument(
        "--cases",
        type=Path,
        action="append",
        default=[],
        metavar="TABLE",
        help="case table, for strata, beside the one that the slices were cut from",
    )
    one.add_argument(
        "--trained-on",
        type=Path,
        nargs="+",
        default=[],
        metavar="SLICES",
        help="stores the model was trained on: a patient in both stops the run",
    )
