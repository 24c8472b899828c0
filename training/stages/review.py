"""`ius-train review`: the page that shows every registration, and decisions that the next stage obeys."""

import argparse
import sys
from pathlib import Path

WORDS = "show registrations on a page, accept or reject them; the next stage obeys"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Its arguments."""
    one.add_argument("folder", type=Path, metavar="DIR", help="folder of 'ius-train register'")
    one.add_argument("--accept", nargs="+", default=[], metavar="CASE", help="accept these")
    one.add_argument("--reject", nargs="+", default=[], metavar="CASE", help="reject these")
    one.add_argument("--note", default="", help="why, for --accept and --reject")
    one.add_argument("--take", type=Path, metavar="REVIEW.csv", help="the decisions that the page gave out")
    one.add_argument("--accept-all", action="store_true", help="accept all undecided ones, if every case is simulated")
    one.add_argument("--cases", type=Path, metavar="CASES.csv", help="case table: it says which case is simulated")


def run(arguments: argparse.Namespace) -> None:
    """Run it."""
    from training.registration.review import review

    left = review(
        arguments.folder,
        accept=arguments.accept,
        reject=arguments.reject,
        note=arguments.note,
        taken=arguments.take,
        accept_all=arguments.accept_all,
        cases=arguments.cases,
    )
    print(left, file=sys.stderr)
