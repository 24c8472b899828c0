"""Makes the mark that the workflow waits for, `registered/COHORT/reviewed`: all registrations are reviewed.

A person's decisions are in review.csv, which is not an output of any rule: Snakemake deletes the outputs of a stage
that fails or runs again.
"""

import argparse
import sys
from pathlib import Path

from inference.errors import IusError
from training.io.ending import ended
from training.io.files import written_aside
from training.io.receipt import sha256
from training.registration.decisions import read_decisions, undecided
from training.registration.result import read_results
from training.registration.review import review

MARK = "reviewed"


class UndecidedError(IusError):
    """Nobody has decided on some registrations yet."""


def finish_review(folder: Path, cases: Path, *, simulated: bool) -> None:
    """Accept a simulated cohort unseen; for a real one write the page, and go on only if every case is decided.

    Raises:
        UndecidedError: if a case is neither accepted nor rejected.
    """
    words = review(folder, accept_all=simulated, cases=cases)
    left = undecided(read_results(folder), read_decisions(folder))
    if left:
        raise UndecidedError(f"{len(left)} registrations wait for a decision ({words}): decide, and run it again.")
    with written_aside(folder / MARK) as aside:
        aside.write_text(_decisions(folder), encoding="utf-8")


def forget_changed(folder: Path) -> None:
    """Remove the mark if decisions have changed since, so that the cohort is cut again."""
    mark = folder / MARK
    if mark.is_file() and mark.read_text(encoding="utf-8") != _decisions(folder):
        mark.unlink()


def _decisions(folder: Path) -> str:
    """The state of the decisions, for comparison."""
    path = folder / "review.csv"
    return sha256(path) if path.is_file() else "none"


def main() -> int:
    """Run the command line that the workflow calls."""
    one = argparse.ArgumentParser(prog="python -m training.workflow.reviewed", description=main.__doc__)
    one.add_argument("folder", type=Path)
    one.add_argument("cases", type=Path)
    one.add_argument("--simulated", action="store_true")
    arguments = one.parse_args()
    return ended(lambda: finish_review(arguments.folder, arguments.cases, simulated=arguments.simulated))


if __name__ == "__main__":
    sys.exit(main())
