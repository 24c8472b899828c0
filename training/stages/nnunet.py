"""`ius-train nnunet`: run nnU-Net's own commands on a working folder, where they find our trainer."""

import argparse
from pathlib import Path

WORDS = "run nnU-Net's own commands on the working folder of 'fit'"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the working folder and nnU-Net's command."""
    one.add_argument("work", type=Path, metavar="WORK", help="folder of nnUNet_raw, _preprocessed and _results")
    one.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="COMMAND …",
        help="without nnUNetv2_, with its own arguments: train, predict, predict_from_modelfolder, evaluate_folder, …",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    from training.nnunet.commands import run_command

    run_command(arguments.work, arguments.command)
