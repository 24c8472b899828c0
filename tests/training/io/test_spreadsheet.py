"""Tables as people save them."""

from pathlib import Path

import pytest

from inference.errors import FormatError
from training.io.spreadsheet import read_table

ROWS = [{"case": "Müller; A", "reason": "blurred, and dark"}, {"case": "B", "reason": ""}]


@pytest.mark.parametrize(
    "text",
    [
        'case,reason\n"Müller; A","blurred, and dark"\nB\n',
        'case;reason\r\n"Müller; A";blurred, and dark\r\nB;\r\n;\r\n',
        "case\treason\nMüller; A\tblurred, and dark\nB\t\n",
        'sep=;\r\ncase;reason\r\n"Müller; A";blurred, and dark\r\nB;\r\n',
    ],
)
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_one_table_in_many_forms(tmp_path: Path, text: str, encoding: str):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    assert read_table(path) == (["case", "reason"], ROWS)


def test_an_empty_file_has_neither_titles_nor_rows(tmp_path: Path):
    (tmp_path / "table.csv").touch()
    assert read_table(tmp_path / "table.csv") == ([], [])


def test_what_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "table.csv").write_bytes(b"case\n\x81\x8d\n")
    with pytest.raises(FormatError, match="save it as CSV UTF-8"):
        read_table(tmp_path / "table.csv")


@pytest.mark.parametrize("row", ["A,glioma, left,", "A,glioma,left"])
def test_a_text_that_was_not_quoted_shifts_no_cell(tmp_path: Path, row: str):
    (tmp_path / "table.csv").write_text(f"case,diagnosis\n{row}\n")
    with pytest.raises(FormatError, match="more cells than titles"):
        read_table(tmp_path / "table.csv")
