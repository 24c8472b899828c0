"""Tables: what a spreadsheet makes of a cell, and what is read back of it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.tables import read_rows, write_lines, write_table

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
hostile = st.builds("{}{}{}".format, st.sampled_from(["", "'", "''"]), st.sampled_from("=+-@\t\r\n"), cells)


@given(st.lists(st.tuples(cells | hostile, cells | hostile), max_size=4))
def test_every_text_is_read_back_as_it_was(rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    write_table(text, ["a", "=b"], [{"a": one, "=b": other} for one, other in rows])
    assert read_rows(io.StringIO(text.getvalue(), newline="")) == (
        ["a", "=b"],
        [{"a": one, "=b": other} for one, other in rows],
    )


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_text_is_a_formula(sign: str) -> None:
    text = io.StringIO(newline="")
    write_lines(text, [[f"{sign}cmd|' /c calc'!A0", f"{sign}1+1"]])
    ((first, second),) = csv.reader(io.StringIO(text.getvalue(), newline=""))
    assert first == f"'{sign}cmd|' /c calc'!A0"
    assert second == f"'{sign}1+1"


@pytest.mark.parametrize("number", ["-1.5", "+2", "-.5e-3", "-0"])
def test_a_number_stays_one_though_it_is_written_as_text(number: str) -> None:
    text = io.StringIO(newline="")
    write_lines(text, [[number, -1.5, None]], end="\n")
    assert text.getvalue() == f"{number},-1.5,\n"
