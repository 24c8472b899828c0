"""The table of readings: what a spreadsheet makes of its cells."""

import csv
from pathlib import Path

import pytest
from outcomes import INFO

from inference.export.readings import failed_row, write_readings


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_is_run_as_a_formula(tmp_path: Path, sign: str) -> None:
    reason = f'{sign}HYPERLINK("http://elsewhere")'
    write_readings(tmp_path / "a.csv", [failed_row(0, INFO, reason)])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        assert [row["reason"] for row in csv.DictReader(file)] == [f"'{reason}"]


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    row = failed_row(0, INFO, "A frame broke - it is left out.") | {"area_mm2": -1.5}
    write_readings(tmp_path / "a.csv", [row])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        (read,) = csv.DictReader(file)
    assert (read["area_mm2"], read["reason"]) == ("-1.5", "A frame broke - it is left out.")
