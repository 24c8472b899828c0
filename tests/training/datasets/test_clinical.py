"""Clinical tables as hospitals have them: titles, separators and encodings of their own, and plain words about them."""

from pathlib import Path

import pytest

from inference.errors import FormatError
from training.datasets.clinical import Clinical, Columns, read_clinical

GERMAN = "Fall;Befund;Voroperation\n7;Oligodendrogliom Grad II, Größe 3;nein\n8;Metastase;ja\n"
NAMED = Columns("Fall", "Befund", "Voroperation")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_table_as_excel_writes_it_with_its_columns_named(tmp_path: Path, encoding: str, separator: str):
    path = tmp_path / "table.csv"
    text = GERMAN.replace(";", separator).replace("nein", "no").replace("ja", "yes")
    path.write_bytes(text.encode(encoding))
    assert read_clinical(path, NAMED) == {
        7: Clinical("Oligodendrogliom Grad II, Größe 3", first_surgery=True),
        8: Clinical("Metastase", first_surgery=False),
    }


@pytest.mark.parametrize(("title", "cell", "first"), [("Prior surgery", "yes", False), ("First surgery", "yes", True)])
def test_yes_means_what_the_title_asks(tmp_path: Path, title: str, cell: str, first: bool):
    (tmp_path / "t.csv").write_text(f"Patient,Diagnosis,{title}\n1,Glioma,{cell}\n2,Glioma,?\n")
    found = read_clinical(tmp_path / "t.csv")
    assert (found[1].first_surgery, found[2].first_surgery) == (first, None)


@pytest.mark.parametrize("second", ["1,Glioma,yes", "S1-022,Metastasis,no"])
def test_two_rows_of_one_patient_are_not_chosen_from(tmp_path: Path, second: str):
    """Two operations, or names whose first number is the site's: the last row used to speak for all."""
    (tmp_path / "t.csv").write_text(f"Patient,Diagnosis,Redo\n1,Glioma,no\n1,Glioma,no\n2,Glioma,no\n{second}\n")
    with pytest.raises(FormatError, match="says two things of patient 1"):
        read_clinical(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("titles", "words"),
    [
        ("Patient,Diagnosis", "no column for earlier surgery (with a title like Reoperation, Prior Surgery"),
        ("Patient,Subject,Diagnosis,Redo", "several columns that may hold patients (Patient, Subject)"),
    ],
)
def test_a_column_that_is_not_recognised_is_told_in_plain_words(tmp_path: Path, titles: str, words: str):
    (tmp_path / "t.csv").write_text(f"{titles}\n1,2\n")
    with pytest.raises(FormatError) as told:
        read_clinical(tmp_path / "t.csv")
    assert words in str(told.value)
    assert "--clinical-columns" in str(told.value)
    assert not set("?|*\\") & set(str(told.value).replace(str(tmp_path), "")), "no regular expression"


def test_a_named_column_that_is_not_there_and_a_file_that_is_no_table(tmp_path: Path):
    (tmp_path / "t.csv").write_text("Patient,Diagnosis,Redo\n")
    with pytest.raises(FormatError, match=r"no column 'Befund'.*out of Patient, Diagnosis, Redo"):
        read_clinical(tmp_path / "t.csv", Columns("Patient", "Befund", "Redo"))
    (tmp_path / "t.xlsx").write_text("no workbook")
    with pytest.raises(FormatError, match=r"neither an Excel workbook"):
        read_clinical(tmp_path / "t.xlsx")
