"""The review of a cohort's registrations: decisions in, the page out."""

from collections.abc import Sequence
from pathlib import Path

from inference.errors import FormatError, IusError
from training.cohort.cases import read_cases
from training.registration.decisions import ACCEPT, REJECT, Verdict, decide, read_decisions, take, undecided
from training.registration.output import refuse_unfinished_table
from training.registration.result import Registered, read_results
from training.registration.review_page import write_page

ALL_NOTE = "accepted unseen: simulated"


class UnseenError(IusError):
    """Somebody asked to accept cases that nobody has looked at."""


def review(
    folder: Path,
    *,
    accept: Sequence[str] = (),
    reject: Sequence[str] = (),
    note: str = "",
    taken: Path | None = None,
    accept_all: bool = False,
    cases: Path | None = None,
) -> str:
    """Take decisions on registrations, and write the page on which a person makes them.

    Args:
        folder: of `ius-train register`.
        accept: cases.
        reject: cases.
        note: why.
        taken: a review.csv that the page gave out.
        accept_all: accept what is undecided, unseen; only where every case is simulated.
        cases: the case table that says so.

    Returns:
        How many are accepted, rejected and undecided, in words, and where the page is.

    Raises:
        NotFoundError: if there are no registrations, none of a case, or one that was not finished.
        FormatError: if a case is accepted and rejected, or a table cannot be read or is of an earlier run.
        UnseenError: if not every case is known to be simulated.
    """
    results, simulated = read_results(folder), simulated_in(cases)
    refuse_unfinished_table(folder, results)
    both = sorted(set(accept) & set(reject))
    if both:
        raise FormatError(f"{both[0]} is both accepted and rejected: name it once.")
    if accept_all:
        _refuse_patients(results, simulated, cases)
    if taken is not None:
        take(folder, taken)
    named: dict[str, Verdict] = {**dict.fromkeys(accept, ACCEPT), **dict.fromkeys(reject, REJECT)}
    if named:
        decide(folder, named, note)
    if accept_all:
        decide(folder, dict.fromkeys(undecided(results, read_decisions(folder)), ACCEPT), ALL_NOTE)
    page = write_page(folder, results, read_decisions(folder), simulated)
    return f"{summary(folder)}\npage: {page}"


def summary(folder: Path) -> str:
    """How many are accepted, rejected and undecided, in words."""
    results, decisions = read_results(folder), read_decisions(folder)
    left = len(undecided(results, decisions))
    rejected = sum(one.decision == REJECT for one in decisions.values())
    return f"{len(decisions) - rejected} accepted, {rejected} rejected, {left} undecided: {folder}"


def simulated_in(table: Path | None) -> set[str]:
    """The cases that a table marks as simulated."""
    return set() if table is None else {case.case for case in read_cases(table) if case.simulated}


def _refuse_patients(results: Sequence[Registered], simulated: set[str], table: Path | None) -> None:
    """Refuse to accept unseen anything but a simulated patient's registration."""
    if table is None:
        raise UnseenError("--accept-all needs the case table that says which case is simulated: add --cases CASES.csv.")
    real = [row.case for row in results if row.case not in simulated]
    if real:
        raise UnseenError(
            f"{real[0]} is not marked as simulated in {table}, so nothing is accepted unseen: look at the page of "
            "'ius-train review', and decide on each case."
        )
