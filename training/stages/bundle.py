"""`ius-train bundle`: write an exported model as a MONAI Bundle."""

import argparse
from pathlib import Path

from training.stages.export import spacing
from training.stages.fit import fold

WORDS = "write an exported model as a folder that MONAI runs by itself (a MONAI Bundle)"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the model, the folder and the weights."""
    one.add_argument("model", type=Path, help="an exported .onnx")
    one.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the bundle, named after the model")
    one.add_argument("--weights", type=Path, metavar="MODEL", help="what it was exported from: its PyTorch weights too")
    one.add_argument("--folds", type=fold, nargs="+", default=[0], help="as at the export (default: 0)")
    one.add_argument("--checkpoint", choices=("best", "final"), default="best", help="default: %(default)s")
    one.add_argument("--spacing", type=spacing, metavar="ROW,COL", help="as at the export, if it was needed there")


def run(arguments: argparse.Namespace) -> None:
    """Write the folder, and say how it is run."""
    from training.export.bundle.write import write_bundle
    from training.nnunet.results.checkpoint import read_trained

    trained = None
    if arguments.weights is not None:
        # Whatever nnU-Net's post-processing was, the contract says it.
        trained = read_trained(arguments.weights, arguments.folds, arguments.checkpoint, "none", arguments.spacing)
    write_bundle(arguments.model, arguments.out, trained)
    print(f"{arguments.out}: docs/README.md says how MONAI runs it.")
