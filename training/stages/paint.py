"""`ius-train paint`: paint tumours into real volumes and cut them into a slice store for training."""

import argparse
from pathlib import Path

from training.stages.numbers import SEED, within
from training.stages.settings import settings_of

WORDS = "paint simulated tumours into real volumes, and cut them into slices"
TEST_CASES = ("Case4", "Case15", "Case24")
"""Real volumes that no training uses, since models are looked at on them."""


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the real volumes, the outlines and the amount of painting."""
    one.add_argument("volumes", type=Path, help="folder of the real volumes that were outlined by eye")
    one.add_argument("--out", type=Path, required=True, help="slice store")
    one.add_argument("--outlines", type=Path, help="what was outlined (default: the nine RESECT volumes)")
    one.add_argument(
        "--leave-out", nargs="*", default=list(TEST_CASES), metavar="CASE", help="default: %(default)s, the real test"
    )
    one.add_argument(
        "--each", type=within(1), default=10, metavar="N", help="paintings a volume (default: %(default)s)"
    )
    one.add_argument("--step-mm", type=within(0.0), default=3.0, help="between slices (default: %(default)s)")
    one.add_argument(
        "--negatives", type=within(0), default=6, help="tumour-free slices a painting (default: %(default)s)"
    )
    one.add_argument("--seed", type=SEED, default=1, help="default: %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Paint the tumours and cut the slices."""
    from training.io.receipt import write_receipt
    from training.simulation.painted_store import Wanted, paint_store
    from training.slicing.by_eye import OUTLINES, read_outlines

    outlines = arguments.outlines or OUTLINES
    wanted = Wanted(arguments.each, arguments.step_mm, arguments.negatives, arguments.seed)
    rows = paint_store(read_outlines(outlines), arguments.volumes, arguments.out, wanted, tuple(arguments.leave_out))
    write_receipt(arguments.out, "paint", settings_of(arguments), [outlines], arguments.seed)
    print(f"{len(rows)} slices, {sum(row.area_mm2 == 0 for row in rows)} of them tumour-free: {arguments.out}")
