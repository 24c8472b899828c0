"""`ius-train register`: register MRI to ultrasound and transfer its tumour masks."""

import argparse
import sys
from pathlib import Path

from training.stages.numbers import JOBS

WORDS = "register MRI to ultrasound and transfer its tumour masks"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the pairs and the metric."""
    one.add_argument("paths", type=Path, nargs="+", metavar="CASES.csv | US MRI", help="case table, or one pair")
    one.add_argument("--out", type=Path, required=True, help="folder of transforms, labels and registration.csv")
    one.add_argument(
        "--metric",
        choices=("lc2+mind", "lc2", "mind", "none"),
        default="lc2+mind",
        help="the paper's is lc2; none keeps --start (default: %(default)s)",
    )
    one.add_argument(
        "--refine",
        choices=("none", "affine", "deformable"),
        default="none",
        help="after the rigid one; kept only within its bounds and where it is more alike (default: %(default)s)",
    )
    one.add_argument("--label", type=Path, metavar="MASK", help="one pair: tumour mask in the MRI's world")
    one.add_argument(
        "--start",
        type=Path,
        metavar="T",
        help="one pair: transform to begin with (4×4 text, ITK file); a displacement field is kept as it is",
    )
    one.add_argument("--jobs", type=JOBS, default=1, help="processes (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Register the pairs and say how many failed or were flagged."""
    from training.io.files import alone_in
    from training.registration.pairs import chosen_pairs
    from training.registration.register import register

    pairs = chosen_pairs(arguments.paths, arguments.label, arguments.start)
    with alone_in(arguments.out):
        rows = register(pairs, arguments.out, arguments.metric, arguments.jobs, arguments.refine)
    failed, flagged = sum(bool(row.error) for row in rows), sum(bool(row.flags) for row in rows)
    print(f"{len(rows) - failed} registered, {flagged} flagged, {failed} failed: {arguments.out}", file=sys.stderr)
