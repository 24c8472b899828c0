"""`ius-train labels`: measure label transfer against masks drawn on the ultrasound."""

import argparse
from pathlib import Path

from training.stages.settings import settings_of

WORDS = "measure transferred MRI masks against the ultrasound's own"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the cases and their registrations."""
    one.add_argument("cases", type=Path, help="case table with us_label and mri_label")
    one.add_argument("registered", type=Path, help="folder of 'ius-train register'")
    one.add_argument("--out", type=Path, required=True, help="folder of the report")
    one.add_argument("--data", required=True, help="on which data, in words")
    one.add_argument("--simulated", action="store_true", help="the patients are simulated")


def run(arguments: argparse.Namespace) -> None:
    """Measure the labels, write the report and print it."""
    from training.evaluation.label_transfer import compare_labels
    from training.io.receipt import write_receipt

    how = {"data": arguments.data, "simulated": arguments.simulated}
    compare_labels(arguments.cases, arguments.registered, arguments.out, **how)
    inputs = [arguments.cases, *sorted((arguments.registered / "labels").glob("*.nii.gz"))]
    write_receipt(arguments.out, "labels", settings_of(arguments), inputs)
    print((arguments.out / "report.md").read_text(encoding="utf-8"))
