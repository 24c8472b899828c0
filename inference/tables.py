"""The one door for tables (CSV): no text in them is run by a spreadsheet, and each cell is read back as it was."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""How a text begins that a spreadsheet runs, or that already has the sign which keeps one from it (OWASP, CSV
Injection)."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
"""What computes to itself."""


def as_text(cell: object) -> object:
    """A cell as a spreadsheet may read it: a text that it would run as a formula gets a quotation mark before it."""
    harmless = not isinstance(cell, str) or not _FORMULA.match(cell) or _NUMBER.fullmatch(cell)
    return cell if harmless else f"'{cell}"


def as_read(cell: str) -> str:
    """The text of a cell that `as_text` wrote."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def write_lines(stream: TextIO, lines: Iterable[Sequence[object]], end: str = "\r\n") -> None:
    """Write lines of cells, the titles among them; what is None stays empty.

    Args:
        stream: opened with `newline=""`.
        lines: cells.
        end: what ends a line.
    """
    csv.writer(stream, lineterminator=end).writerows([as_text(cell) for cell in line] for line in lines)


def write_table(
    stream: TextIO, columns: Sequence[str], rows: Iterable[Mapping[str, object]], end: str = "\r\n"
) -> None:
    """Write a line of titles, then one a row; a cell that a row lacks stays empty.

    Args:
        stream: opened with `newline=""`.
        columns: the titles.
        rows: cells by title.
        end: what ends a line.

    Raises:
        ValueError: if a row has a cell without a column.
    """
    writer = csv.DictWriter(stream, columns, lineterminator=end)
    writer.writeheader()
    writer.writerows({name: as_text(cell) for name, cell in row.items()} for row in rows)


def read_rows(stream: TextIO) -> tuple[list[str], list[dict[str, str]]]:
    """The titles and rows of a table written here; a short row has None for what it lacks, as `csv.DictReader` has it.

    Args:
        stream: opened with `newline=""`.
    """
    reader = csv.DictReader(stream)
    rows = [{name: as_read(cell) if isinstance(cell, str) else cell for name, cell in row.items()} for row in reader]
    return [as_read(title) for title in reader.fieldnames or ()], rows
