"""`ius-train postprocess`: let nnU-Net choose the post-processing from the five folds' validation."""

import argparse
from pathlib import Path

from training.stages.numbers import JOBS
from training.stages.settings import settings_of

WORDS = "let nnU-Net choose the post-processing from the five folds' validation"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the model and nnU-Net's folders."""
    one.add_argument("model", type=Path, help="model folder (plans.json, dataset.json, fold_0 to fold_4)")
    one.add_argument("--work", type=Path, required=True, help="folder of nnUNet_raw, _preprocessed and _results")
    one.add_argument("--checkpoint", choices=("best", "final"), default="best", help="default: %(default)s")
    one.add_argument("--device", default="cpu", help="default: %(default)s")
    one.add_argument(
        "--mode", choices=("fast", "thorough"), default="thorough", help="thorough: over all mirrors; %(default)s"
    )
    one.add_argument("--jobs", type=JOBS, default=2, help="processes (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Let nnU-Net choose, and print what it chose."""
    from inference.contract import Mode
    from training.io.receipt import write_receipt
    from training.nnunet.choose_postprocessing import RESULT, choose_postprocessing

    how = {"checkpoint": arguments.checkpoint, "device": arguments.device, "jobs": arguments.jobs}
    largest = choose_postprocessing(arguments.model, arguments.work, **how, mode=Mode(arguments.mode))
    chosen = arguments.model / RESULT / "postprocessing.json"
    write_receipt(arguments.model, "postprocess", settings_of(arguments), [chosen])
    print("only the largest region is kept" if largest else "no post-processing")
