"""`ius-train demo`: the demonstration model and clip, from nothing: every stage in its order."""

import argparse
from pathlib import Path

WORDS = "the demonstration model and clip, from nothing: every stage in its order"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("--work", type=Path, required=True, help="working folder (some GB), kept for resuming")
    one.add_argument("--out", type=Path, required=True, help="folder that gets models/ and clips/")
    one.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    one.add_argument("--small", action="store_true", help="a trial run of minutes; its model is worth nothing")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.cli import main
    from training.demo import make_demo

    make_demo(arguments.work, arguments.out, jobs=arguments.jobs, small=arguments.small, run=main)
