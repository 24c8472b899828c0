"""The list of breakages is true: each row of the hazards has one, and each still stands where it says."""

import ast
from collections import Counter

import pytest
from breakages import ROOT, Breakage, breakages, named_tests, noticing

ALL = breakages()


def test_every_hazard_has_a_breakage_and_every_breakage_a_hazard() -> None:
    assert {one.row for one in ALL} == set(named_tests())


@pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one.row}-{one.control}")
def test_a_breakage_stands_in_its_file_once_and_is_still_python(one: Breakage) -> None:
    text = (ROOT / one.file).read_text(encoding="utf-8")
    assert text.count(one.old) == 1, f"{text.count(one.old)} times in {one.file}: {one.old}"
    broken = text.replace(one.old, one.new)
    assert broken != text
    if one.file.endswith(".py"):
        assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(text)), "it changes the code, not a comment alone"


@pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one.row}-{one.control}")
def test_the_tests_that_should_notice_it_are_the_rows_own(one: Breakage) -> None:
    chosen = {test.partition("::")[2] for test in noticing(one, named_tests())}
    assert chosen
    assert set(one.tests) <= chosen


def test_no_breakage_is_listed_twice() -> None:
    assert [one for one, count in Counter((one.file, one.old, one.new) for one in ALL).items() if count > 1] == []
