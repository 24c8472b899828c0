"""`ius-train folds`: draw the folds once, over the patients of all training stores."""

import argparse
from pathlib import Path

from training.stages.settings import settings_of

WORDS = "draw five folds of patients, once for all training stores"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("slices", type=Path, nargs="+", help="slice stores of the training")
    one.add_argument("--test", type=Path, nargs="*", default=[], help="slice stores that no training patient may be in")
    one.add_argument("--out", type=Path, required=True, help="folds.json")
    one.add_argument("--seed", type=int, default=0, help="default: %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.cohort.folds import draw_folds, write_folds
    from training.io.receipt import write_receipt
    from training.slicing.leaks import read_identities, refuse_leaks, refuse_twins
    from training.slicing.slices import read_slices

    identities = [identity for store in arguments.slices for identity in read_identities(store)]
    refuse_twins(identities)
    refuse_leaks(identities, [identity for store in arguments.test for identity in read_identities(store)])
    stores = [{row.patient for row in read_slices(store)} for store in arguments.slices]
    patients = sorted(set().union(*stores))
    groups = {patient: " ".join(str(at) for at, held in enumerate(stores) if patient in held) for patient in patients}
    write_folds(draw_folds(patients, arguments.seed, groups=groups), arguments.seed, arguments.out)
    inputs = [store / "slices.csv" for store in (*arguments.slices, *arguments.test)]
    write_receipt(arguments.out.parent, "folds", settings_of(arguments), inputs, arguments.seed)
