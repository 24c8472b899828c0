"""A case, one patient's ultrasound with its labels, and the table that holds a cohort of them."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from inference.errors import FormatError, NotFoundError
from training.files import written_aside


@dataclass(frozen=True, slots=True)
class Case:
    """One ultrasound volume, the native sweep recorded with it if there is one, and their tumour masks.

    Attributes:
        case: the case's name, unique in a table.
        patient: whose it is; no patient may stand on both sides of a split.
        us: ultrasound volume (NIfTI), or None where there is only a sweep.
        us_label: tumour mask on the grid of `us`.
        sweep: multi-frame DICOM of native frames.
        sweep_label: tumour mask of each frame, (frames, rows, cols).
        exclude: True keeps the case in the table and out of every later stage.
        reason: why it is excluded; empty otherwise.
    """

    case: str
    patient: str
    us: Path | None
    us_label: Path | None
    sweep: Path | None = None
    sweep_label: Path | None = None
    exclude: bool = False
    reason: str = ""


COLUMNS = tuple(field.name for field in fields(Case))
_PATHS = ("us", "us_label", "sweep", "sweep_label")


def write_cases(cases: Iterable[Case], path: Path) -> None:
    """Write a case table (CSV, one row a case); an absent file is an empty cell."""
    with written_aside(path) as aside, aside.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for case in cases:
            row = asdict(case)
            writer.writerow(row | {name: row[name] or "" for name in _PATHS} | {"exclude": int(case.exclude)})


def read_cases(path: Path) -> list[Case]:
    """Read a case table.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if columns are missing or a case is named twice.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no case table at {path}: make one with 'ius-train cases'.")
    with path.open(newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise FormatError(f"{path} is not a case table: the column {missing[0]} is missing.")
        cases = [_case(row) for row in reader]
    names = [case.case for case in cases]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise FormatError(f"{path} names the case {twice} twice: give each case its own name.")
    return cases


def _case(row: dict[str, str]) -> Case:
    """One row of the table as a case."""
    paths = {name: Path(row[name]) if row[name] else None for name in _PATHS}
    exclude = row["exclude"].strip().lower() in ("1", "true", "yes")
    return Case(case=row["case"], patient=row["patient"], exclude=exclude, reason=row["reason"], **paths)
