"""A table that is written as JSON, CSV, Markdown and HTML from the same cells."""

import re
from dataclasses import asdict, dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

from inference.tables import write_lines
from training.io.files import written_aside

NOT_GIVEN = "–"


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean ± standard deviation."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Percent:
    """A share, 0 to 1, shown in percent."""

    share: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chance:
    """A p value."""

    p: float


Cell = str | int | float | Spread | Estimate | Percent | Chance | None
"""None stands for a figure that is not given."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head, with a note that explains them.

    Attributes:
        key: the name of its files.
        title: its heading.
        head: one name per column.
        rows: rows with one cell per column.
        note: what the figures are taken over.
        long: whether a page shows it only on demand.
    """

    key: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    long: bool = False

    def __post_init__(self) -> None:
        """Refuse a row of another length than the head."""
        if any(len(row) != len(self.head) for row in self.rows):
            raise ValueError(f"the table {self.key} has rows of another length than its head")

    def renamed(self, key: str, title: str) -> "Table":
        """The same cells under another name."""
        return replace(self, key=key, title=title)

    def as_json(self) -> dict[str, Any]:
        """The title, the note and the rows as objects; a figure that is not given is null."""
        rows = [dict(zip(self.head, map(_plain, row), strict=True)) for row in self.rows]
        return {"title": self.title, "note": self.note, "rows": rows}

    def as_markdown(self) -> str:
        """The table as Markdown."""
        lines = [list(self.head), ["---"] * len(self.head), *([shown(cell) for cell in row] for row in self.rows)]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)

    def as_html(self) -> str:
        """The table as HTML: words to the left, figures to the right, a word like the one above it is hidden."""
        kinds = ["word" if all(isinstance(row[at], str) for row in self.rows) else "" for at in range(len(self.head))]
        head = "".join(_element("th", kind, name) for kind, name in zip(kinds, self.head, strict=True))
        rows = [self._html_row(at, kinds) for at in range(len(self.rows))]
        grouped = " class=grouped" if any("again" in row for row in rows) else ""
        body = "".join(rows)
        return f"<table{grouped}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _html_row(self, at: int, kinds: list[str]) -> str:
        """One row; a first cell like the one above is hidden, and the first row of a group is marked."""
        row = self.rows[at]
        again = at > 0 and row[0] == self.rows[at - 1][0]
        classes = [f"{kind} none" if cell is None else kind for kind, cell in zip(kinds, row, strict=True)]
        classes[0] += " again" if again else ""
        cells = "".join(_element("td", kind, shown(cell)) for kind, cell in zip(classes, row, strict=True))
        return f"<tr>{cells}</tr>" if again else f"<tr class=first>{cells}</tr>"

    def write_csv(self, path: Path) -> None:
        """Write the table with all digits: a cell with several values takes several columns, shares go from 0 to 1."""
        suffixes = [_suffixes([row[at] for row in self.rows]) for at in range(len(self.head))]
        head = [f"{name}{suffix}" for name, each in zip(self.head, suffixes, strict=True) for suffix in each]
        lines: list[list[object]] = [list(head)]
        for row in self.rows:
            cells = [(_values(cell), each) for cell, each in zip(row, suffixes, strict=True)]
            lines.append([value for values, each in cells for value in values + [None] * (len(each) - len(values))])
        with written_aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
            write_lines(stream, lines)


def shown(cell: Cell) -> str:
    """A cell as a reader sees it: two decimals, one for percent, three for p values."""
    if cell is None:
        return NOT_GIVEN
    if isinstance(cell, Spread):
        return f"{_decimal(cell.mean)} ± {_decimal(cell.sd)}"
    if isinstance(cell, Estimate):
        return f"{_decimal(cell.mean)} [{_decimal(cell.low)}, {_decimal(cell.high)}]"
    if isinstance(cell, Percent):
        return f"{100 * cell.share:.1f} %"
    if isinstance(cell, Chance):
        return f"{cell.p:.3f}" if cell.p >= 0.001 else "< 0.001"
    return _decimal(cell) if isinstance(cell, float) else str(cell)


def _decimal(value: float) -> str:
    """A number with two decimals and a proper minus sign, but never a minus before zero."""
    text = f"{value:.2f}"
    return re.sub(r"^-(?=0\.00$)", "", text).replace("-", "−")


def _plain(cell: Cell) -> object:
    """A cell as it is stored in JSON."""
    return asdict(cell) if isinstance(cell, Spread | Estimate) else _values(cell)[0]


def _values(cell: Cell) -> list[object]:
    """A cell's values, without units."""
    if isinstance(cell, Spread | Estimate | Percent | Chance):
        return list(asdict(cell).values())
    return [cell]


def _suffixes(cells: list[Cell]) -> tuple[str, ...]:
    """The suffixes of the names of a column's parts."""
    if any(isinstance(cell, Spread) for cell in cells):
        return (" mean", " SD")
    return (" mean", " low", " high") if any(isinstance(cell, Estimate) for cell in cells) else ("",)


def _element(tag: str, kind: str, text: str) -> str:
    """A cell of an HTML table."""
    return f'<{tag} class="{kind}">{escape(text)}</{tag}>' if kind else f"<{tag}>{escape(text)}</{tag}>"
