"""`ius-train average`: merge several trainings into one model by the mean of their weights."""

import argparse
from pathlib import Path

from training.stages.fit import fold
from training.stages.numbers import within
from training.stages.settings import settings_of

WORDS = "average the weights of several trainings that began from the same ones"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the models, their shares and the output."""
    one.add_argument("models", type=Path, nargs="+", help="model folders, or exports of the same network")
    one.add_argument("--out", type=Path, required=True, help="model folder to write")
    one.add_argument("--weights", type=within(0.0), nargs="+", help="one a model (default: all alike)")
    one.add_argument("--fold", type=fold, default=0, help="of the folders (default: 0)")
    one.add_argument("--checkpoint", choices=("best", "final"), default="best", help="default: %(default)s")
    one.add_argument(
        "--margin", type=within(-1000.0, 1000.0), default=0.0, help="more of it gives fewer contours (default: 0)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Average the models and write a receipt."""
    from inference.errors import IusError
    from training.io.receipt import write_receipt
    from training.nnunet.weight_averaging import average_models

    weights = arguments.weights or [1.0] * len(arguments.models)
    if len(weights) != len(arguments.models) or min(weights) < 0 or sum(weights) == 0:
        raise IusError(f"Give {len(arguments.models)} weights, one a model, none negative and not all 0.")
    if len(set(arguments.models)) < len(arguments.models):
        raise IusError("A model is named twice: name it once, with a larger weight.")
    how = {"fold": arguments.fold, "checkpoint": arguments.checkpoint, "margin": arguments.margin}
    members = dict(zip(arguments.models, weights, strict=True))
    files = average_models(members, arguments.out, **how)
    write_receipt(arguments.out, "average", settings_of(arguments), files)
    print(arguments.out)
