"""Which MRI belongs to which ultrasound: pairs by hand, or the rows of a case table."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.errors import FormatError, NotFoundError

_NEEDED = ("case", "us", "mri")
SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class Pair:
    """An ultrasound volume and its MRI.

    Attributes:
        case: names the results.
        us: ultrasound volume; None where the table has none.
        mris: one MRI or several in one world.
        label: tumour mask in the MRI's world.
        start: transform to begin with, MRI to ultrasound; None takes the files' worlds as one.
    """

    case: str
    us: Path | None
    mris: tuple[Path, ...]
    label: Path | None = None
    start: Path | None = None

    @property
    def files(self) -> list[Path]:
        """Every file of the pair."""
        return [path for path in (self.us, *self.mris, self.label, self.start) if path is not None]


def case_name(us: Path) -> str:
    """A volume's file name without its endings."""
    return us.name.partition(".")[0]


def chosen_pairs(paths: Sequence[Path], label: Path | None = None, start: Path | None = None) -> list[Pair]:
    """What a command line names: one case table, or one ultrasound volume and its MRI.

    Raises:
        NotFoundError: if there is no such table.
        FormatError: if the table cannot be used, or comes with what belongs to one pair.
    """
    if len(paths) > 1:
        return [Pair(case_name(paths[0]), paths[0], tuple(paths[1:]), label, start)]
    if label is not None or start is not None:
        raise FormatError("A table has its labels and starts in its columns mri_label and start: write them there.")
    return read_pairs(paths[0])


def read_pairs(table: Path) -> list[Pair]:
    """The rows of a case table (CSV) that are not excluded.

    Columns: case, us, mri (several MRI separated by `;`), and if there are any mri_label, start and exclude.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if a column is missing, or a case is named twice.
    """
    if not table.is_file():
        raise NotFoundError(f"There is no case table at {table}: make one with 'ius-train cases'.")
    with table.open(newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
        if missing:
            raise FormatError(f"{table} cannot be registered: its column {missing[0]} is missing.")
        pairs = [_pair(row) for row in reader if (row.get("exclude") or "").strip().lower() not in ("1", "true", "yes")]
    names = [pair.case for pair in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise FormatError(f"{table} names the case {twice} twice: give each case its own name.")
    return pairs


def _pair(row: dict[str, str]) -> Pair:
    """One row."""
    us, label, start = (Path(row[name]) if row.get(name) else None for name in ("us", "mri_label", "start"))
    mris = tuple(Path(text.strip()) for text in row["mri"].split(SEPARATOR) if text.strip())
    return Pair(row["case"], us, mris, label, start)
