"""`ius-train landmarks`: measure the target registration error with .tag files."""

import argparse
from pathlib import Path

WORDS = "target registration error from .tag files"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the landmark files and the transform."""
    one.add_argument("files", type=Path, nargs="+", metavar="FILE.tag", help="MNI tag files, MRI to ultrasound")
    one.add_argument(
        "--transform",
        type=Path,
        metavar="T",
        help="4×4 text (MRI to US, RAS), ITK file, displacement field, or the folder of 'ius-train register'",
    )
    one.add_argument("--json", action="store_true", help="print JSON")
    one.add_argument(
        "--page", type=Path, metavar="DIR", help="write a page beside the published errors; real cases only"
    )
    one.add_argument("--data", default="", help="with --page: on which data, in words")


def run(arguments: argparse.Namespace) -> None:
    """Measure the errors and print them."""
    from training.registration.landmarks import measure

    errors = measure(arguments.files, arguments.transform)  # before a page: it refuses a case that is named twice
    if arguments.page is not None:
        from training.evaluation.tre import target_page

        target_page(arguments.files, arguments.transform, arguments.page, data=arguments.data)
    print(errors.as_json() if arguments.json else errors.as_text())
