"""`ius-train predict`: predict slice stores with one trained fold, or several as an ensemble."""

import argparse
from pathlib import Path

from training.stages.fit import fold
from training.stages.settings import settings_of

WORDS = "predict slice stores with one trained fold, or several as an ensemble"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("model", type=Path, help="model folder (plans.json, dataset.json, fold_N)")
    one.add_argument("slices", type=Path, nargs="+", help="slice stores")
    one.add_argument("--out", type=Path, required=True, help="folder of the predicted masks")
    one.add_argument("--folds", type=fold, nargs="+", default=[0], help="whose logits are averaged (default: 0)")
    one.add_argument("--checkpoint", choices=("best", "final"), default="best", help="default: %(default)s")
    one.add_argument("--device", default="cpu", help="default: %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.nnunet.predict import checkpoint_files, predict_slices
    from training.receipt import write_receipt

    how = {"folds": arguments.folds, "checkpoint": arguments.checkpoint, "device": arguments.device}
    largest = predict_slices(arguments.model, arguments.slices, arguments.out, **how)
    inputs = checkpoint_files(arguments.model, arguments.folds, arguments.checkpoint)
    inputs += [store / "slices.csv" for store in arguments.slices]
    write_receipt(arguments.out, "predict", settings_of(arguments) | {"largest_region_only": largest}, inputs)
