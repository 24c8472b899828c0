"""`ius-train`: the offline pipeline, one subcommand a stage; each resumes and leaves a receipt."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from inference.errors import FULL, IusError
from inference.version import __version__

STAGES = (
    "simulate",
    "cases",
    "landmarks",
    "register",
    "review",
    "labels",
    "slice",
    "paint",
    "folds",
    "fit",
    "average",
    "predict",
    "postprocess",
    "evaluate",
    "real",
    "export",
    "demo",
    "experiment",
)
"""In the paper's order; each is a module of `training.stages`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage.

    Returns:
        0 if all went well; 2 after one sentence on stderr if the input was wrong, the disk is full, or a library is
        not installed that training needs.
    """
    arguments = parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except IusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in {"inference", "training"}:
            raise
        print(f"error: {error.name} is not installed, which training needs: install ius[training].", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in FULL:
            raise
        path = error.filename2 or error.filename
        at = f" at {path}" if path else ""
        print(f"error: The disk is full{at}: free space and run it again, what is done is kept.", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="ius-train", description="How the model came to be. Research use only.")
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    stages = top.add_subparsers(required=True, metavar="STAGE")
    for name in STAGES:
        stage = import_module(f"training.stages.{name}")
        one = stages.add_parser(name, help=stage.WORDS, description=stage.WORDS)
        one.set_defaults(run=stage.run)
        stage.add_arguments(one)
    return top


if __name__ == "__main__":
    sys.exit(main())
