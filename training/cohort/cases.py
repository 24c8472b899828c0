"""A case, one patient's ultrasound with its MRI and labels, and the table that holds a cohort of them."""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import Any

from inference.errors import FormatError, NotFoundError
from inference.tables import write_table
from training.io.files import written_aside
from training.io.spreadsheet import read_table

SEPARATOR = ";"
"""Between several MRI of one case."""
NEEDED = ("case", "patient")
PATHS = ("us", "us_label", "cavity_label", "sweep", "sweep_label", "mri_label", "start", "landmarks")
_TEXTS = ("case", "patient", "dataset", "phase", "diagnosis", "reason")
_TRUE, _FALSE = ("1", "true", "yes"), ("0", "false", "no")


@dataclass(frozen=True, slots=True)
class Case:
    """One ultrasound volume with what belongs to it; an absent file is None and an unknown fact empty.

    Attributes:
        case: the case's name, unique in a table; files made from it are named so.
        patient: whose it is, in one namespace over all data sets; no patient may stand on both sides of a split.
        dataset: where it comes from.
        us: ultrasound volume.
        us_label: tumour mask on the grid of `us`.
        cavity_label: mask of the resection cavity on the grid of `us`; None where nobody drew one, or there is none.
        sweep: multi-frame DICOM of native frames.
        sweep_label: tumour mask of each frame, (frames, rows, cols).
        mri: one MRI or several in one world.
        mri_label: tumour mask in the MRI's world.
        start: transform to begin the registration with, MRI to ultrasound, or a deformation that takes its place;
            None takes the files' worlds as one.
        landmarks: MNI tag file of MRI and ultrasound points.
        phase: of the operation: before, during, after resection; pre-dura, post-dura, pre-imri (ReMIND).
        first_surgery: whether the patient had no resection earlier; None where it is not known.
        diagnosis: as the data set words it.
        simulated: True for a simulated patient, who never shares a figure with a real one.
        exclude: True keeps the case in the table and out of every later stage.
        reason: why it is excluded; empty otherwise.
    """

    case: str
    patient: str
    _: KW_ONLY
    dataset: str = ""
    us: Path | None = None
    us_label: Path | None = None
    cavity_label: Path | None = None
    sweep: Path | None = None
    sweep_label: Path | None = None
    mri: tuple[Path, ...] = ()
    mri_label: Path | None = None
    start: Path | None = None
    landmarks: Path | None = None
    phase: str = ""
    first_surgery: bool | None = None
    diagnosis: str = ""
    simulated: bool = False
    exclude: bool = False
    reason: str = ""


COLUMNS = tuple(field.name for field in fields(Case))


def write_cases(cases: Iterable[Case], path: Path) -> None:
    """Write a case table (CSV, one row a case) with paths as seen from its folder; what is unknown is empty."""
    with written_aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        rows = ({name: _cell(getattr(case, name), path.parent) for name in COLUMNS} for case in cases)
        write_table(stream, COLUMNS, rows)


def _cell(value: object, folder: Path) -> str:
    """A field's value as the table in this folder holds it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return SEPARATOR.join(_cell(one, folder) for one in value)
    if isinstance(value, Path):
        return str(value) if value.is_absolute() else os.path.relpath(value, folder)
    return str(value)


def beside(text: str, table: Path) -> Path:
    """The file that a cell names, as seen from the table's folder and never from the one that a stage runs in.

    Raises:
        FormatError: if it is not there and the current folder has one of that name, which may be another patient's.
    """
    path, placed = Path(text), Path(os.path.normpath(table.parent / text))
    if path.exists() and not placed.exists():
        raise FormatError(
            f"{table} names {text}, which is not there as seen from the table's folder, but from the current "
            f"one: write {path.absolute()} into the table if that file is meant."
        )
    return placed


def read_cases(path: Path, needed: Sequence[str] = NEEDED) -> list[Case]:
    """Read a case table; a known column that is not there counts as empty, a relative path lies beside the table.

    Args:
        path: the table.
        needed: columns that have to be there.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if a needed column is missing, one is unknown, a cell cannot be read or a case is named twice.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no case table at {path}: make one with 'ius-train cases'.")
    titles, rows = read_table(path)
    _check(titles, needed, path)
    cases = [_case(row, path) for row in rows]
    twice = of_one_name(cases)
    if twice is not None:
        raise FormatError(f"{path} names the case {twice}: give each case a name that differs in more than capitals.")
    return cases


def with_volumes(cases: Iterable[Case]) -> list[tuple[Case, Path]]:
    """Every case that is not excluded and has an ultrasound volume, with it.

    Raises:
        FormatError: if a case has no patient.
        NotFoundError: if none is left, or a volume is missing: before minutes are spent on those that are there.
    """
    used = [(case, case.us) for case in cases if case.us is not None and not case.exclude]
    if not used:
        raise NotFoundError("No case of the table has an ultrasound volume and is not excluded: there is none to use.")
    for case, volume in used:
        if not case.patient.strip():
            raise FormatError(
                f"{case.case} has no patient, and could stand on both sides of a split: write one in the case table."
            )
        if not volume.is_file():
            raise NotFoundError(f"There is no image at {volume}.")
    return used


def of_one_name(cases: Iterable[Case]) -> str | None:
    """Two cases of one name, in words; capitals tell none apart, since Windows and macOS would give both one file."""
    seen: dict[str, str] = {}
    for name in (case.case for case in cases):
        key = unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            return f"{name} twice" if name == seen[key] else f"{seen[key]} and {name}"
        seen[key] = name
    return None


def _check(header: Sequence[str], needed: Sequence[str], path: Path) -> None:
    """Refuse a header that lacks a column, or has one that nobody would read."""
    missing = [name for name in needed if name not in header]
    if missing:
        raise FormatError(f"{path} is not a case table for this stage: the column {missing[0]} is missing.")
    twice = [name for name in COLUMNS if header.count(name) > 1]
    if twice:
        raise FormatError(f"{path} has two columns called {twice[0]}: keep the right one.")
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        raise FormatError(f"{path} has an unknown column '{unknown[0]}': the columns are {', '.join(COLUMNS)}.")


def _case(row: dict[str, str], path: Path) -> Case:
    """One row of the table as a case."""
    cells = {name: row.get(name, "") for name in COLUMNS}
    if not cells["case"]:
        raise FormatError(f"{path} has a row without a case: give each case a name.")
    if set(cells["case"]) & set("/\\"):
        raise FormatError(f"{path} names a case {cells['case']}: files are named so, and a name has no slash.")
    if cells["case"].startswith(("=", "+", "-", "@")):
        raise FormatError(
            f"{path} names a case {cells['case']}, which a spreadsheet would compute: begin with a letter."
        )
    values: dict[str, Any] = {name: cells[name] for name in _TEXTS}
    values |= {name: beside(cells[name], path) if cells[name] else None for name in PATHS}
    return Case(
        **values,
        mri=tuple(beside(text.strip(), path) for text in cells["mri"].split(SEPARATOR) if text.strip()),
        first_surgery=_flag(cells, "first_surgery", path),
        simulated=bool(_flag(cells, "simulated", path)),
        exclude=bool(_flag(cells, "exclude", path)),
    )


def _flag(cells: dict[str, str], name: str, path: Path) -> bool | None:
    """A cell that says yes or no; None where it is empty."""
    text = cells[name].strip().lower()
    if text not in (*_TRUE, *_FALSE, ""):
        raise FormatError(f"{path}, case {cells['case']}: {name} is '{cells[name]}', and has to be 1, 0 or empty.")
    return text in _TRUE if text else None
