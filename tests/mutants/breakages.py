"""One-line breakages, at least one for each row of docs/HAZARDS.md: each takes a control away, and a test notices."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("breakages.toml")
TABLE = ROOT / "docs" / "HAZARDS.md"
_ROW = re.compile(r"^\| \*\*(H\d+)\*\* \|.*\| ([^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"tests/[\w/]+\.py::test_\w+")


@dataclass(frozen=True, slots=True)
class Breakage:
    """A line of code without which a control does nothing.

    Attributes:
        row: of docs/HAZARDS.md, such as H17.
        control: what is taken away, in a few words.
        file: where, from the repository's root.
        old: the text that is replaced; stands in the file exactly once.
        new: what replaces it.
        tests: those of the row that should notice; all of the row if empty.
    """

    row: str
    control: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()


def breakages() -> list[Breakage]:
    """Every breakage of breakages.toml, in the order of the table."""
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return [
        Breakage(row, one["control"], one["file"], one["old"], one["new"], tuple(one.get("tests", ())))
        for row, ones in listed.items()
        for one in ones
    ]


def named_tests() -> dict[str, tuple[str, ...]]:
    """The tests that each row of docs/HAZARDS.md names."""
    rows = _ROW.findall(TABLE.read_text(encoding="utf-8"))
    return {row: tuple(_TEST.findall(named)) for row, named in rows}


def noticing(one: Breakage, rows: dict[str, tuple[str, ...]]) -> Sequence[str]:
    """The tests that should notice a breakage: those of its row, or the ones chosen among them by name."""
    named = rows[one.row]
    return [test for test in named if test.partition("::")[2] in one.tests] if one.tests else named
