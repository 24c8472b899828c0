"""`ius-train folds`: draw the folds once, over the patients of all training stores."""

import argparse
from pathlib import Path

from training.stages.numbers import SEED
from training.stages.settings import settings_of

WORDS = "draw five folds of patients, once for all training stores"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the slice stores and the seed."""
    one.add_argument("slices", type=Path, nargs="+", help="slice stores of the training")
    one.add_argument("--test", type=Path, nargs="*", default=[], help="slice stores that no training patient may be in")
    one.add_argument("--out", type=Path, required=True, help="folds.json")
    one.add_argument("--seed", type=SEED, default=0, help="default: %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Refuse twins and leaks, draw the folds and write them."""
    from training.cohort.folds import write_folds
    from training.io.receipt import write_receipt
    from training.slicing.store_folds import draw_store_folds

    write_folds(draw_store_folds(arguments.slices, arguments.seed, arguments.test), arguments.seed, arguments.out)
    inputs = [store / "slices.csv" for store in (*arguments.slices, *arguments.test)]
    write_receipt(arguments.out.parent, "folds", settings_of(arguments), inputs, arguments.seed)
