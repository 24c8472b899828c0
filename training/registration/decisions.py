"""A person's decision about each registration: DIR/review.csv, which the next stage obeys.

A decision belongs to one result and names its fingerprint, so a case that is registered anew counts as unreviewed.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from inference.errors import FormatError, NotFoundError
from inference.tables import write_table
from training.io.files import written_aside
from training.io.spreadsheet import read_table
from training.registration.mapping import mapping_path
from training.registration.output import record_path, refuse_unfinished
from training.registration.result import Registered, read_results

TABLE = "review.csv"
Verdict = Literal["accept", "reject"]
ACCEPT: Verdict = "accept"
REJECT: Verdict = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of review.csv.

    Attributes:
        case: its name in registration.csv.
        decision: `accept` or `reject`.
        note: why, in the person's words.
        fingerprint: of the transform and the label that the person looked at.
    """

    case: str
    decision: Verdict
    note: str
    fingerprint: str


COLUMNS = tuple(field.name for field in fields(Decision))


def fingerprint(folder: Path, case: str) -> str:
    """The fingerprint of a registration's transform and transferred label: it changes when either file does.

    Raises:
        NotFoundError: if the case has no transform, or its registration was not finished.
    """
    transform, label = mapping_path(folder, case), folder / "labels" / f"{case}.nii.gz"
    if not transform.is_file():
        raise NotFoundError(f"{case} has no registration in {folder}: run 'ius-train register', and read its errors.")
    refuse_unfinished(folder, case)
    digest = hashlib.sha256(transform.read_bytes())
    if label.is_file():
        digest.update(label.read_bytes())
    return digest.hexdigest()[:16]


def read_decisions(folder: Path) -> dict[str, Decision]:
    """The decisions that hold for the registrations as they are now; none before any review.

    Raises:
        FormatError: if review.csv cannot be read, decides anything else, or names a case twice.
    """
    return {one.case: one for one in _written(folder) if _holds(folder, one)}


def read_decision(folder: Path, case: str) -> Decision | None:
    """The decision on one case, if it holds for the registration as it is now.

    Raises:
        FormatError: if review.csv cannot be read, decides anything else, or names a case twice.
    """
    return next((one for one in _written(folder) if one.case == case and _holds(folder, one)), None)


def _written(folder: Path) -> list[Decision]:
    """Every decision in review.csv, whether it still holds or not."""
    path = folder / TABLE
    return parse_decisions(path) if path.is_file() else []


def parse_decisions(path: Path) -> list[Decision]:
    """The rows of a review that decide something.

    Raises:
        FormatError: if it cannot be read, decides anything else, or names a case twice.
    """
    titles, rows = read_table(path)
    missing = [name for name in COLUMNS if name not in titles]
    if missing:
        raise FormatError(f"{path} is not a review: its column {missing[0]} is missing.")
    cells = [{name: row[name].strip() for name in COLUMNS} for row in rows]
    decided = [_decision(row, path) for row in cells if row["decision"]]
    names = [one.case for one in decided]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise FormatError(f"{path} decides on {twice} twice: keep one of the two rows.")
    return decided


def _decision(row: dict[str, str], path: Path) -> Decision:
    """One row."""
    word = row["decision"].lower()
    if word != ACCEPT and word != REJECT:
        raise FormatError(f"{path} says '{word}' of {row['case']}: write accept or reject, or leave it empty.")
    return Decision(row["case"], word, row["note"], row["fingerprint"])


def _holds(folder: Path, decision: Decision) -> bool:
    """Whether the files are still those that the person looked at."""
    there = (mapping_path(folder, decision.case), record_path(folder, decision.case))
    return all(path.is_file() for path in there) and fingerprint(folder, decision.case) == decision.fingerprint


def decide(folder: Path, verdicts: Mapping[str, Verdict], note: str = "") -> dict[str, Decision]:
    """Add decisions on the registrations as they are now; a later decision on a case replaces the earlier one.

    Args:
        folder: of `ius-train register`.
        verdicts: case -> decision.
        note: the same for all of them.

    Returns:
        All decisions that hold.

    Raises:
        NotFoundError: if a case was not registered.
        FormatError: if the review that is there cannot be read.
    """
    known = {row.case for row in read_results(folder) if not row.error}
    unknown = next((case for case in verdicts if case not in known), None)
    if unknown is not None:
        raise NotFoundError(f"{folder} holds no registration of {unknown}: its cases are {', '.join(sorted(known))}.")
    made = {case: Decision(case, verdict, note, fingerprint(folder, case)) for case, verdict in verdicts.items()}
    with _changing(folder):
        decisions = read_decisions(folder) | made
        write_decisions(folder, decisions.values())
    return decisions


def put(folder: Path, case: str, decision: str, note: str, seen: str) -> None:
    """Write one decision on the result that the person looked at; an empty decision takes the old one back.

    Raises:
        FormatError: if it is no decision, or belongs to another result than the one in the folder.
    """
    row = {"case": case, "decision": decision, "note": note, "fingerprint": seen}
    made = _decision(row, folder / TABLE) if decision else None
    with _changing(folder):
        decisions = read_decisions(folder)
        if made is None:
            decisions.pop(case, None)
        elif not _holds(folder, made):
            raise FormatError(f"{case} was registered anew: write the page again, and look again.")
        else:
            decisions[case] = made
        write_decisions(folder, decisions.values())


def take(folder: Path, review: Path) -> dict[str, Decision]:
    """Add the decisions of a review.csv that was saved from the page.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it cannot be read, or belongs to other results than those in the folder.
    """
    if not review.is_file():
        raise NotFoundError(f"There is no review at {review}.")
    taken = parse_decisions(review)
    stale = next((one.case for one in taken if not _holds(folder, one)), None)
    if stale is not None:
        raise FormatError(f"{review} is about another registration of {stale}: write the page again, and look again.")
    with _changing(folder):
        decisions = read_decisions(folder) | {one.case: one for one in taken}
        write_decisions(folder, decisions.values())
    return decisions


@contextmanager
def _changing(folder: Path) -> Iterator[None]:
    """Hold the review while decisions are added, so that none is lost that a page and a command line make at once."""
    from filelock import FileLock

    with FileLock(folder / ".review.lock"):
        yield


def write_decisions(folder: Path, decisions: Iterable[Decision]) -> None:
    """Write review.csv, in the order of registration.csv."""
    by_case = {one.case: one for one in decisions}
    with written_aside(folder / TABLE) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        rows = (asdict(by_case[row.case]) for row in read_results(folder) if row.case in by_case)
        write_table(stream, COLUMNS, rows)


def undecided(results: Iterable[Registered], decisions: Mapping[str, Decision]) -> list[str]:
    """Registered cases that nobody has decided on."""
    return [row.case for row in results if not row.error and row.case not in decisions]
