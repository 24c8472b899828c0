"""A clinical table: each patient's diagnosis, and whether it was the first operation. ReMIND's, or one like it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

from inference.errors import FormatError, NotFoundError
from training.datasets.inclusion import Inclusion
from training.io.spreadsheet import read_table

_FIRST = re.compile(r"(first|primary|initial).*(surg|resect|crani|oper)", re.IGNORECASE)
"""Titles of a column whose "yes" means a first operation; in any other, it means an earlier one."""
_NO, _YES = ("no", "n", "0", "none", "false"), ("yes", "y", "1", "true")
Row = dict[str, object]


class Columns(NamedTuple):
    """The titles of the three columns that are read; empty where they are to be recognised."""

    patient: str = ""
    diagnosis: str = ""
    surgery: str = ""


RECOGNISED = Columns()


class _Kind(NamedTuple):
    """How a column is recognised by its title, and how the user is told so."""

    words: str
    examples: str
    titles: re.Pattern[str]


_KINDS = Columns._fields
_KNOWN = {
    "patient": _Kind("patients", "Case Number, Patient, Subject", re.compile(r"case.?number|patient|subject", re.I)),
    "diagnosis": _Kind("diagnoses", "Histopathology, Diagnosis", re.compile(r"histopath|diagnos", re.I)),
    "surgery": _Kind(
        "earlier surgery",
        "Reoperation, Prior Surgery, First Surgery",
        re.compile(rf"re.?oper|re.?do|(prior|previous|earlier).*(surg|resect|crani|oper)|{_FIRST.pattern}", re.I),
    ),
}


@dataclass(frozen=True, slots=True)
class Clinical:
    """What the table says about a patient.

    Attributes:
        diagnosis: histopathology, in the table's words.
        first_surgery: None where the table does not say.
    """

    diagnosis: str
    first_surgery: bool | None

    def unfit(self, include: Inclusion) -> str:
        """Why the patient is left out; empty if not. Here, what is not known is a reason, as it was for the paper."""
        if not self.diagnosis and "other-tumours" not in include.wider:
            return "neither glioma nor metastasis: no diagnosis"
        if self.first_surgery is None and "reoperations" not in include.wider:
            return "it is not known whether it was the first surgery"
        return include.unfit(first_surgery=self.first_surgery, diagnosis=self.diagnosis)


def read_clinical(path: Path, columns: Columns = RECOGNISED) -> dict[int, Clinical]:
    """Patients of a clinical table by number.

    Args:
        path: an Excel workbook (.xlsx), of which the first sheet is read, or a CSV.
        columns: titles of the columns, where they cannot be recognised.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it is neither, a column cannot be found, or two rows of a patient differ.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no clinical table at {path}.")
    titles, rows = read_table(path) if path.suffix.lower() in (".csv", ".txt", ".tsv") else _workbook(path)
    chosen = Columns(*(_column(kind, named, titles, path) for kind, named in zip(_KINDS, columns, strict=True)))
    found: dict[int, Clinical] = {}
    for row in rows:
        number = re.search(r"\d+", _text(row[chosen.patient]))
        if number:
            first = _first(_text(row[chosen.surgery]), turned=bool(_FIRST.search(chosen.surgery)))
            told = Clinical(_text(row[chosen.diagnosis]), first)
            if found.setdefault(int(number.group()), told) != told:
                raise FormatError(
                    f"{path} says two things of patient {number.group()} ('{_text(row[chosen.patient])}'): leave the "
                    "row of the surgery that was recorded, and begin each name with a number of its own."
                )
    return found


def _workbook(path: Path) -> tuple[list[str], list[Row]]:
    """The titles and rows of a workbook's first sheet."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
        head, *rows = [tuple(row) for row in book.worksheets[0].values] or [()]
        book.close()
    except (InvalidFileException, BadZipFile, KeyError, OSError) as error:
        raise FormatError(f"{path} is neither an Excel workbook (.xlsx) nor a .csv: save it as one.") from error
    titles = [_text(cell) for cell in head]
    return titles, [dict(zip(titles, row, strict=False)) for row in rows]


def _column(kind: str, named: str, titles: list[str], path: Path) -> str:
    """The title of a column: the one that was named, or else the only one that is like it."""
    known = _KNOWN[kind]
    if named and named in titles:
        return named
    fitting = [] if named else [title for title in titles if known.titles.search(title)]
    if len(fitting) == 1:
        return fitting[0]
    if named:
        found = f"no column '{named}'"
    elif fitting:
        found = f"several columns that may hold {known.words} ({', '.join(fitting)})"
    else:
        found = f"no column for {known.words} (with a title like {known.examples})"
    raise FormatError(
        f"{path} has {found}: name its three columns with --clinical-columns PATIENT DIAGNOSIS SURGERY, out of "
        f"{', '.join(title for title in titles if title)}."
    )


def _text(cell: object) -> str:
    """A cell as text; empty if there is nothing in it."""
    return str(cell if cell is not None else "").strip()


def _first(text: str, *, turned: bool) -> bool | None:
    """Whether it was the first surgery, from the cell about an earlier one (turned: about the first); else None."""
    said = False if text.lower() in _NO else True if text.lower() in _YES else None
    return said if turned or said is None else not said
