"""`ius-train pseudolabel`: label real volumes by what exported models agree on, for self-training."""

import argparse
from pathlib import Path

from training.stages.numbers import within
from training.stages.settings import settings_of

WORDS = "label real volumes by what exported models agree on in three directions, and cut them into slices"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the real volumes, the models and the slices."""
    one.add_argument("cases", type=Path, help="case table; only its column us is read, and what it excludes left out")
    one.add_argument("models", type=Path, nargs="+", metavar="ONNX", help="exported models, averaged")
    one.add_argument("--out", type=Path, required=True, help="slice store")
    one.add_argument(
        "--step-mm", type=within(0.0), default=1.0, help="between slices with tumour (default: %(default)s)"
    )
    one.add_argument(
        "--negatives", type=within(0), default=90, help="tumour-free slices a volume (default: %(default)s)"
    )
    one.add_argument("--mode", choices=("fast", "thorough"), default="thorough", help="default: %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Label the volumes and cut the slices."""
    from inference.contract import Mode
    from training.cohort.cases import read_cases
    from training.io.receipt import write_receipt
    from training.nnunet.pseudo_labels import Cut, pseudo_label

    cut = Cut(arguments.step_mm, arguments.negatives, Mode(arguments.mode))
    rows = pseudo_label(arguments.models, read_cases(arguments.cases), arguments.out, cut)
    write_receipt(arguments.out, "pseudolabel", settings_of(arguments), [arguments.cases, *arguments.models])
    print(f"{len(rows)} slices, {sum(row.area_mm2 == 0 for row in rows)} of them without tumour: {arguments.out}")
