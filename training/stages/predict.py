"""`ius-train predict`: predict slice stores with a trained or an exported model."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from training.stages.fit import fold
from training.stages.settings import settings_of

WORDS = "predict slice stores with trained folds, or with an exported .onnx"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the model, the slices and the way of predicting."""
    one.add_argument("model", type=Path, help="model folder (plans.json, dataset.json, fold_N), or an exported .onnx")
    one.add_argument("slices", type=Path, nargs="+", help="slice stores")
    one.add_argument("--out", type=Path, required=True, help="folder of the predicted masks")
    one.add_argument("--folds", type=fold, nargs="+", default=[0], help="whose logits are averaged (default: 0)")
    one.add_argument("--checkpoint", choices=("best", "final"), default="best", help="default: %(default)s")
    one.add_argument("--device", default="cpu", help="default: %(default)s")
    one.add_argument(
        "--mode",
        choices=("fast", "thorough"),
        help="thorough averages over all mirrors, as nnU-Net does by default (default: thorough, of an .onnx fast)",
    )
    one.add_argument(
        "--boxes",
        action="store_true",
        help="write boxes.csv too: a box around each region of a mask with its probability, and the boxes of the "
        "model's head if it was trained with --box-weight",
    )


def run(arguments: argparse.Namespace) -> None:
    """Predict the slices and write a receipt."""
    from training.io.receipt import write_receipt

    exported = arguments.model.suffix == ".onnx"
    arguments.mode = arguments.mode or ("fast" if exported else "thorough")
    told, made_of = _exported(arguments) if exported else _trained(arguments)
    told["seen_in_training"] = sorted({*told.get("seen_in_training", ()), *_seen_before(arguments.out)})
    inputs = [*made_of, *(store / "slices.csv" for store in arguments.slices)]
    write_receipt(arguments.out, "predict", settings_of(arguments) | told, inputs)


def _seen_before(out: Path) -> list[str]:
    """The training patients among those that an earlier call predicted into the same folder, with the same model."""
    receipt = out / "receipt-predict.json"
    return (
        json.loads(receipt.read_text(encoding="utf-8"))["settings"].get("seen_in_training") or []
        if receipt.is_file()
        else []
    )


def _trained(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Path]]:
    """Predict with nnU-Net's own predictor; return the receipt's facts on the model, and the model's files."""
    from inference.contract import Mode
    from training.io.receipt import sha256
    from training.nnunet.predict import checkpoint_files, predict_slices
    from training.nnunet.results.trained_on import trained_on

    how = {"folds": arguments.folds, "checkpoint": arguments.checkpoint, "device": arguments.device}
    mode = Mode(arguments.mode)
    largest = predict_slices(
        arguments.model, arguments.slices, arguments.out, **how, mode=mode, with_boxes=arguments.boxes
    )
    files = checkpoint_files(arguments.model, arguments.folds, arguments.checkpoint)
    known = trained_on(arguments.model, arguments.folds)
    seen = known.among(arguments.slices)
    _warn(seen, known.complete)
    told = {"largest_region_only": largest, "checkpoints": [sha256(path) for path in files], "seen_in_training": seen}
    return told | {"training_known": known.complete}, files


def _warn(seen: list[str], complete: bool) -> None:
    """Warn at once about predictions that cannot test the model."""
    if seen:
        print(
            f"warning: the model was trained on {len(seen)} of these patients ({', '.join(seen[:3])}"
            f"{', …' if len(seen) > 3 else ''}): these predictions are no test of it, and 'evaluate' refuses them.",
            file=sys.stderr,
        )
    if not complete:
        print(
            "warning: no receipt tells all patients that the model was trained on: make sure that none is among these.",
            file=sys.stderr,
        )


def _exported(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Path]]:
    """Predict with the viewer's engine; an export does not name its patients, so 'ius-train export' checks them."""
    from inference.contract import Mode
    from inference.errors import IusError
    from training.nnunet.predict_onnx import predict_exported

    if (arguments.folds, arguments.checkpoint, arguments.device) != ([0], "best", "cpu"):
        raise IusError(
            "An .onnx holds its folds and chooses its device itself: leave --folds, --checkpoint, --device out."
        )
    if arguments.boxes:
        raise IusError("An .onnx holds no box head and gives masks alone: use --boxes with the model's folder.")
    exported = predict_exported(arguments.model, arguments.slices, arguments.out, Mode(arguments.mode))
    told: dict[str, Any] = {
        "largest_region_only": exported.output.keep_largest,
        "checkpoints": list(exported.provenance.checkpoint_sha256),
        "training_known": False,
    }
    return told, [arguments.model]
