"""`ius-train`: the offline pipeline, one subcommand a stage; each resumes and leaves a receipt."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from inference.release import ShowVersion
from training.io.ending import ended
from training.io.workers import end_with_parent

end_with_parent()

STAGES = (
    "simulate",
    "cases",
    "landmarks",
    "register",
    "review",
    "labels",
    "slice",
    "match",
    "paint",
    "pseudolabel",
    "folds",
    "fit",
    "average",
    "predict",
    "postprocess",
    "evaluate",
    "real",
    "certainty",
    "nnunet",
    "export",
    "reduce",
    "bundle",
    "demo",
    "experiment",
)
"""In the paper's order; each is a module of `training.stages`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage and return its exit code, as `ended` says it."""
    arguments = parser().parse_args(argv)
    return ended(lambda: arguments.run(arguments))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="ius-train", description="How the model came to be. Research use only.")
    top.add_argument("--version", action=ShowVersion)
    stages = top.add_subparsers(required=True, metavar="STAGE")
    for name in STAGES:
        stage = import_module(f"training.stages.{name}")
        one = stages.add_parser(name, help=stage.WORDS, description=stage.WORDS)
        one.set_defaults(run=stage.run)
        stage.add_arguments(one)
    return top


if __name__ == "__main__":
    sys.exit(main())
