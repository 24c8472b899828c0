"""`ius-train pseudolabel`: label real volumes by what exported models agree on, for self-training."""

import argparse
from pathlib import Path

from training.stages.settings import settings_of

WORDS = "label real volumes by what exported models agree on in three directions, and cut them into slices"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the models, the real volumes and the slices."""
    from training.stages.paint import TEST_CASES

    one.add_argument("volumes", type=Path, help="folder of the real volumes")
    one.add_argument("models", type=Path, nargs="+", metavar="ONNX", help="exported models, averaged")
    one.add_argument("--out", type=Path, required=True, help="slice store")
    one.add_argument("--outlines", type=Path, help="lists the volumes (default: the nine RESECT volumes)")
    one.add_argument(
        "--leave-out", nargs="*", default=list(TEST_CASES), metavar="CASE", help="default: %(default)s, the real test"
    )
    one.add_argument("--step-mm", type=float, default=1.0, help="between slices with tumour (default: %(default)s)")
    one.add_argument("--negatives", type=int, default=90, help="tumour-free slices a volume (default: %(default)s)")
    one.add_argument("--mode", choices=("fast", "thorough"), default="thorough", help="default: %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Label the volumes and cut the slices."""
    from inference.contract import Mode
    from training.io.receipt import write_receipt
    from training.nnunet.pseudo_labels import Cut, pseudo_label
    from training.slicing.by_eye import OUTLINES, read_outlines

    outlines = arguments.outlines or OUTLINES
    cut = Cut(arguments.step_mm, arguments.negatives, Mode(arguments.mode))
    volumes, out, left_out = arguments.volumes, arguments.out, tuple(arguments.leave_out)
    rows = pseudo_label(arguments.models, read_outlines(outlines), volumes, out, cut, left_out)
    write_receipt(out, "pseudolabel", settings_of(arguments), [outlines, *arguments.models])
    print(f"{len(rows)} slices, {sum(row.area_mm2 == 0 for row in rows)} of them without tumour: {out}")
