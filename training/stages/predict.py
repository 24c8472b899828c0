"""`ius-train predict`: predict slice stores with a trained or an exported model."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.stages.fit import fold
from training.stages.settings import settings_of

if TYPE_CHECKING:
    from training.nnunet.results.trained_on import TrainedOn

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
    """Predict the slices, and write a receipt before the first mask and after the last."""
    from inference.errors import IusError

    exported = arguments.model.suffix == ".onnx"
    if arguments.out.resolve() in (store.resolve() for store in arguments.slices):
        raise IusError(f"{arguments.out} holds the slices: give --out a folder of its own for the masks.")
    arguments.mode = arguments.mode or ("fast" if exported else "thorough")
    if exported:
        _exported(arguments)
    else:
        _trained(arguments)


def _tell(arguments: argparse.Namespace, told: dict[str, Any], read: Mapping[Path, str]) -> None:
    """Write the receipt; it is there before the first mask, so that masks of a stopped run are known for what they are.

    It keeps the training patients among those that earlier calls, or one at the same time, predicted into the folder.
    The model's files are those that were read: hours may lie between, and a checkpoint that was trained further
    meanwhile did not make these masks.
    """
    from filelock import FileLock

    from training.io.receipt import write_receipt

    inputs = [*read, *(store / "slices.csv" for store in arguments.slices)]
    with FileLock(arguments.out / ".receipt.lock"):
        seen = sorted({*told.get("seen_in_training", ()), *_seen_before(arguments.out)})
        settings = settings_of(arguments) | told | {"seen_in_training": seen}
        write_receipt(arguments.out, "predict", settings, inputs, read=read)


def _seen_before(out: Path) -> list[str]:
    """The training patients among those that an earlier call predicted into the same folder, with the same model."""
    receipt = out / "receipt-predict.json"
    return (
        json.loads(receipt.read_text(encoding="utf-8"))["settings"].get("seen_in_training") or []
        if receipt.is_file()
        else []
    )


def _trained(arguments: argparse.Namespace) -> None:
    """Predict with nnU-Net's own predictor."""
    from inference.contract import Mode
    from training.nnunet.predict import predict_slices
    from training.nnunet.results.trained_on import trained_on

    told: dict[str, Any] = {}

    def begun(largest: bool, read: Mapping[Path, str]) -> None:
        known = trained_on(arguments.model, arguments.folds)
        seen = known.among(arguments.slices)
        told.update(largest_region_only=largest, checkpoints=list(read.values()))
        told.update(seen_in_training=seen, training_known=known.complete)
        _tell(arguments, told, read)
        _warn(seen, known)

    how = {"folds": arguments.folds, "checkpoint": arguments.checkpoint, "device": arguments.device}
    _, read = predict_slices(
        arguments.model,
        arguments.slices,
        arguments.out,
        **how,
        mode=Mode(arguments.mode),
        with_boxes=arguments.boxes,
        begun=begun,
    )
    _tell(arguments, told, read)


def _warn(seen: list[str], known: "TrainedOn") -> None:
    """Warn at once about predictions that cannot test the model."""
    if seen:
        print(
            f"warning: the model was trained on {len(seen)} of these patients ({', '.join(seen[:3])}"
            f"{', …' if len(seen) > 3 else ''}): these predictions are no test of it, and 'evaluate' refuses them.",
            file=sys.stderr,
        )
    if known.gone:
        print(
            f"warning: {known.gone[0]}, of the model's training, is not there: its patients were compared by name "
            "alone, and one under two names is not noticed. Name the store to 'evaluate --trained-on' if you can.",
            file=sys.stderr,
        )
    if not known.complete:
        print(
            "warning: no receipt tells all patients that the model was trained on: make sure that none is among these.",
            file=sys.stderr,
        )


def _exported(arguments: argparse.Namespace) -> None:
    """Predict with the viewer's engine; an export does not name its patients, so 'ius-train export' checks them.

    What it ran on is said and written down: a file in fewer bits runs in float32 where those do not run.
    """
    from inference.contract import Mode
    from inference.errors import IusError
    from inference.model.engine import Engine
    from training.nnunet.predict_onnx import predict_exported

    if (arguments.folds, arguments.checkpoint, arguments.device) != ([0], "best", "cpu"):
        raise IusError(
            "An .onnx holds its folds and chooses its device itself: leave --folds, --checkpoint, --device out."
        )
    if arguments.boxes:
        raise IusError("An .onnx holds no box head and gives masks alone: use --boxes with the model's folder.")

    def tell(engine: Engine) -> None:
        told: dict[str, Any] = {
            "largest_region_only": engine.contract.output.keep_largest,
            "checkpoints": list(engine.contract.provenance.checkpoint_sha256),
            "training_known": False,
            "provider": engine.provider,
        }
        _tell(arguments, told, {arguments.model: engine.sha256})

    engine = predict_exported(arguments.model, arguments.slices, arguments.out, Mode(arguments.mode), tell)
    for sentence in engine.fallbacks:
        print(sentence, file=sys.stderr)
    tell(engine)
