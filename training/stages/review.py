"""`ius-train review`: show every registration on a page, and record the decisions that the next stage obeys."""

import argparse
import contextlib
import sys
from pathlib import Path

WORDS = "show registrations on a page, accept or reject them; the next stage obeys"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the registrations and the decisions."""
    one.add_argument("folder", type=Path, metavar="DIR", help="folder of 'ius-train register'")
    one.add_argument("--accept", nargs="+", default=[], metavar="CASE", help="accept these")
    one.add_argument("--reject", nargs="+", default=[], metavar="CASE", help="reject these")
    one.add_argument("--note", default="", help="why, for --accept and --reject")
    one.add_argument("--take", type=Path, metavar="REVIEW.csv", help="the decisions that the page gave out")
    one.add_argument("--accept-all", action="store_true", help="accept all undecided ones, if every case is simulated")
    one.add_argument("--serve", action="store_true", help="serve the page on this machine; decisions are saved at once")
    one.add_argument("--cases", type=Path, metavar="CASES.csv", help="case table: it says which case is simulated")


def run(arguments: argparse.Namespace) -> None:
    """Record the decisions, write the page, and serve it if asked."""
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
    if arguments.serve:
        _serve(arguments.folder, arguments.cases)


def _serve(folder: Path, cases: Path | None) -> None:
    """Serve the page until the user stops it."""
    from training.registration.review import simulated_in, summary
    from training.registration.review_page import PAGE
    from training.registration.review_server import ReviewServer

    with (
        ReviewServer(folder, folder / PAGE, simulated=simulated_in(cases)) as server,
        contextlib.suppress(KeyboardInterrupt),
    ):
        print(f"open {server.address} and end with Ctrl-C", file=sys.stderr, flush=True)
        server.serve_forever()
    print(summary(folder), file=sys.stderr)
