"""docs/HAZARDS.md is true: every control names a test that exists and asserts something."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "HAZARDS.md"
COLUMNS = ("#", "hazard", "cause", "harm", "control", "proved by")
TEST = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


LINES = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
HAZARDS = [cells(line) for line in LINES[2:]]
NAMED = sorted({named for hazard in HAZARDS for named in TEST.findall(hazard[-1])})


@cache
def functions_of(path: str) -> dict[str, ast.FunctionDef]:
    """The functions of one file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def asserts(path: str, name: str, *, helpers: bool = True) -> bool:
    """Whether a test can fail by itself: an assertion, or an exception or a wait; or a helper beside it does so."""
    nodes = list(ast.walk(functions_of(path)[name]))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    if attributes & {"raises", "waitUntil"} or any(isinstance(node, ast.Assert) for node in nodes):
        return True
    used = {node.id for node in nodes if isinstance(node, ast.Name)} & set(functions_of(path))
    return helpers and any(asserts(path, helper, helpers=False) for helper in used)


def test_the_table_has_its_columns_and_counts_its_hazards() -> None:
    assert tuple(cells(LINES[0])) == COLUMNS
    assert [hazard[0] for hazard in HAZARDS] == [f"**H{number}**" for number in range(1, len(HAZARDS) + 1)]
    assert len({hazard[1] for hazard in HAZARDS}) == len(HAZARDS)


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard[0].strip("*"))
def test_every_hazard_has_cause_harm_control_and_proof(hazard: list[str]) -> None:
    assert len(hazard) == len(COLUMNS)
    assert all(hazard)
    named = [f"{path}::{name}" for path, name in TEST.findall(hazard[-1])]
    assert named
    assert ", ".join(named) == hazard[-1]  # nothing else stands in the column, no test is misspelt


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_named_test_is_there_and_can_fail(path: str, name: str) -> None:
    assert (ROOT / path).is_file(), path
    assert name in functions_of(path), f"{path} has no {name}"
    assert asserts(path, name)
