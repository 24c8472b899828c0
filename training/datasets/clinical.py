"""ReMIND's clinical table: each patient's diagnosis, and whether it was the first operation."""

import re
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

from inference.errors import FormatError, NotFoundError

_PATIENT = re.compile(r"case.?number|patient|subject", re.IGNORECASE)
_DIAGNOSIS = re.compile(r"histopath|diagnos", re.IGNORECASE)
_EARLIER = re.compile(r"re.?oper|re.?do|(prior|previous|earlier).*(surg|resect|crani|oper)", re.IGNORECASE)
_TUMOUR = re.compile(r"glio(ma|bl|sarc)|astrocytoma|ependymoma|metasta", re.IGNORECASE)
"""Gliomas and metastases, the tumours that the paper includes."""
_NO, _YES = ("no", "n", "0", "none", "false"), ("yes", "y", "1", "true")


@dataclass(frozen=True, slots=True)
class Clinical:
    """What the table says about a patient.

    Attributes:
        diagnosis: histopathology, in the table's words.
        first_surgery: None where the table does not say.
    """

    diagnosis: str
    first_surgery: bool | None

    @property
    def unfit(self) -> str:
        """Why the paper would not include the patient; empty if it would."""
        if not _TUMOUR.search(self.diagnosis):
            return f"neither glioma nor metastasis: {self.diagnosis or 'no diagnosis'}"
        if self.first_surgery is None:
            return "it is not known whether it was the first surgery"
        return "" if self.first_surgery else "operated before"


def read_clinical(path: Path) -> dict[int, Clinical]:
    """Patients of ReMIND's clinical workbook (.xlsx) by number.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it is not a workbook, or a column cannot be identified.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    if not path.is_file():
        raise NotFoundError(f"There is no clinical table at {path}.")
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        rows = [tuple(row) for row in book.worksheets[0].values]
        book.close()
    except (InvalidFileException, BadZipFile, KeyError, OSError) as error:
        raise FormatError(f"{path} is not an Excel workbook (.xlsx).") from error
    head = [str(cell or "") for cell in rows[0]] if rows else []
    patient, diagnosis, earlier = (_column(head, pattern, path) for pattern in (_PATIENT, _DIAGNOSIS, _EARLIER))
    found = {}
    for row in rows[1:]:
        number = re.search(r"\d+", str(row[patient] or ""))
        if number:
            found[int(number.group())] = Clinical(str(row[diagnosis] or "").strip(), _first(row[earlier]))
    return found


def _column(head: list[str], pattern: re.Pattern[str], path: Path) -> int:
    """The one column whose title matches the pattern."""
    fitting = [at for at, title in enumerate(head) if pattern.search(title)]
    if len(fitting) != 1:
        raise FormatError(f"{path} has {len(fitting)} columns like '{pattern.pattern}' and has to have one: {head}.")
    return fitting[0]


def _first(cell: object) -> bool | None:
    """Whether it was the first surgery, from the cell about an earlier one; None if the cell says neither."""
    text = str(cell if cell is not None else "").strip().lower()
    return True if text in _NO else False if text in _YES else None
