"""`ius-train predict`: predict slice stores with a trained model, or with an export of one."""

import argparse
from pathlib import Path

from training.stages.fit import fold
from training.stages.settings import settings_of

WORDS = "predict slice stores with trained folds, or with an exported .onnx"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("model", type=Path, help="model folder (plans.json, dataset.json, fold_N), or an exported .onnx")
    one.add_argument("slices", type=Path, nargs="+", help="slice stores")
    one.add_argument("--out", type=Path, required=True, help="folder of the predicted masks")
    one.add_argument("--folds", type=fold, nargs="+", default=[0], help="whose logits are averaged (default: 0)")
    one.add_argument("--checkpoint", choices=("best", "final"), default="best", help="default: %(default)s")
    one.add_argument("--device", default="cpu", help="default: %(default)s")
    one.add_argument("--mode", choices=("fast", "thorough"), default="fast", help="of an .onnx; default: %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.io.receipt import write_receipt

    largest, made_of = _exported(arguments) if arguments.model.suffix == ".onnx" else _trained(arguments)
    inputs = [*made_of, *(store / "slices.csv" for store in arguments.slices)]
    write_receipt(arguments.out, "predict", settings_of(arguments) | {"largest_region_only": largest}, inputs)


def _trained(arguments: argparse.Namespace) -> tuple[bool, list[Path]]:
    """By nnU-Net's own predictor; whether only the largest region is kept, and what was predicted with."""
    from inference.errors import IusError
    from training.nnunet.predict import checkpoint_files, predict_slices

    if arguments.mode != "fast":
        raise IusError("The thorough mode belongs to an exported model: export this one, and predict with the .onnx.")
    how = {"folds": arguments.folds, "checkpoint": arguments.checkpoint, "device": arguments.device}
    largest = predict_slices(arguments.model, arguments.slices, arguments.out, **how)
    return largest, checkpoint_files(arguments.model, arguments.folds, arguments.checkpoint)


def _exported(arguments: argparse.Namespace) -> tuple[bool, list[Path]]:
    """By the viewer's engine."""
    from inference.contract import Mode
    from inference.errors import IusError
    from training.nnunet.predict_onnx import predict_exported

    if (arguments.folds, arguments.checkpoint, arguments.device) != ([0], "best", "cpu"):
        raise IusError(
            "An .onnx holds its folds and chooses its device itself: leave --folds, --checkpoint, --device out."
        )

    largest = predict_exported(arguments.model, arguments.slices, arguments.out, Mode(arguments.mode))
    return largest, [arguments.model]
