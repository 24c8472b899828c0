"""`ius-train bundle`: write an exported model as a MONAI Bundle."""

import argparse
from pathlib import Path

WORDS = "write an exported model as a folder that MONAI runs by itself (a MONAI Bundle)"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the model and the folder."""
    one.add_argument("model", type=Path, help="an exported .onnx")
    one.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the bundle, named after the model")


def run(arguments: argparse.Namespace) -> None:
    """Write the folder, and say how it is run."""
    from training.export.bundle.write import write_bundle

    write_bundle(arguments.model, arguments.out)
    print(f"{arguments.out}: docs/README.md says how MONAI runs it.")
