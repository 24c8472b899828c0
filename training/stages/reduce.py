"""`ius-train reduce`: write an exported model in a lower precision, if its masks stay the same."""

import argparse
from pathlib import Path

WORDS = "write an exported model in a lower precision, if its masks stay the same"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the file, the precision and the slices that prove it."""
    one.add_argument("model", type=Path, help="an exported .onnx in float32")
    one.add_argument("--out", type=Path, required=True, help="the .onnx file")
    one.add_argument(
        "--precision",
        choices=("float16", "int8", "bfloat16"),
        required=True,
        help="float16 for GPUs, int8 for CPUs, bfloat16 for CPUs that have it, by OpenVINO",
    )
    one.add_argument(
        "--verify",
        type=Path,
        required=True,
        metavar="SLICES",
        help="slice store of patients that it was not trained on, on which both precisions are compared",
    )
    one.add_argument(
        "--train",
        type=Path,
        nargs="+",
        default=[],
        metavar="SLICES",
        help="slice stores of the training: none of their patients may be in --verify, and int8 needs them",
    )


def run(arguments: argparse.Namespace) -> None:
    """Reduce the model."""
    from training.export.precision import Precision
    from training.export.reduce import reduce_export

    precision = Precision(arguments.precision)
    contract = reduce_export(arguments.model, arguments.out, arguments.verify, precision, arguments.train)
    assert contract.reduction is not None  # noqa: S101 - the gate has passed
    print(f"{arguments.out}: in {precision.value}, mean Dice to float32 {contract.reduction.dice_mean:.4f}.")
