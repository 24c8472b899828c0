"""`ius-train predict`: predict a slice store with a trained fold."""

import argparse
from pathlib import Path

from training.stages.settings import settings_of

WORDS = "predict a slice store with a trained fold"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("model", type=Path, help="model folder (plans.json, dataset.json, fold_N)")
    one.add_argument("slices", type=Path, help="slice store")
    one.add_argument("--out", type=Path, required=True, help="folder of the predicted masks")
    one.add_argument("--fold", type=int, choices=range(5), default=0, help="default: %(default)s")
    one.add_argument("--checkpoint", choices=("best", "final"), default="best", help="default: %(default)s")
    one.add_argument("--device", default="cpu", help="default: %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.nnunet.run import predict_slices
    from training.receipt import write_receipt

    how = {"fold": arguments.fold, "checkpoint": arguments.checkpoint, "device": arguments.device}
    predict_slices(arguments.model, arguments.slices, arguments.out, **how)
    checkpoint = arguments.model / f"fold_{arguments.fold}" / f"checkpoint_{arguments.checkpoint}.pth"
    write_receipt(arguments.out, "predict", settings_of(arguments), [checkpoint, arguments.slices / "slices.csv"])
