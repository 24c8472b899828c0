"""Case tables and patient-grouped folds."""

import shutil
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import FormatError, NotFoundError
from training.cohort.cases import PATHS, Case, read_cases, write_cases
from training.cohort.folds import FoldError, draw_folds, split_slices
from training.datasets.resect import find_cases
from training.evaluation.population import simulated_cases
from training.registration.pairs import read_pairs


def test_finds_every_case_in_numerical_order(cohort: Path):
    cases = find_cases(cohort / "RESECT", cohort / "RESECT_segmentation")
    assert [case.case for case in cases] == [f"RESECT-Case{n}" for n in (1, 2, 3, 7, 11, 12)]
    assert all(case.us.is_file() and case.us_label.is_file() and not case.exclude for case in cases)


def test_keeps_a_case_without_mask_and_says_why(cohort: Path, tmp_path: Path):
    labels = shutil.copytree(cohort / "RESECT_segmentation", tmp_path / "labels")
    (labels / "Case7" / "Case7-US-before-tumor.nii.gz").unlink()
    excluded = [case for case in find_cases(cohort / "RESECT", labels) if case.exclude]
    assert [(case.case, case.reason) for case in excluded] == [("RESECT-Case7", "no tumour mask")]


def test_refuses_a_folder_that_is_not_resect(tmp_path: Path):
    with pytest.raises(NotFoundError, match="RESECT folder"):
        find_cases(tmp_path, tmp_path)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=12)
texts |= st.sampled_from(["=1+1", "-2+3", "'=x", "''@x", "-5"])
files = st.sampled_from([None, Path("a/b, c.nii.gz"), Path("é.nii.gz")])
cases = st.builds(
    Case,
    case=texts.filter(lambda name: name[:1] not in "=+-@"),
    patient=texts,
    dataset=texts,
    us=files,
    us_label=files,
    sweep=files,
    sweep_label=files,
    mri=st.lists(files.filter(bool), max_size=3).map(tuple),
    mri_label=files,
    start=files,
    landmarks=files,
    phase=st.sampled_from(["", "before"]),
    first_surgery=st.sampled_from([None, True, False]),
    diagnosis=st.sampled_from(["", "Glioblastoma, IDH-wildtype"]),
    simulated=st.booleans(),
    exclude=st.booleans(),
    reason=st.sampled_from(["", 'poor, "noisy"']),
)


@given(st.lists(cases, unique_by=lambda case: unicodedata.normalize("NFC", case.case).casefold(), max_size=5))
def test_table_reads_back_as_written(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("table") / "cases.csv"
    write_cases(table, path)
    assert read_cases(path) == [placed(case) for case in table], "the same files, seen from anywhere"


def placed(case: Case) -> Case:
    """The case with whole paths: relative ones are seen from the folder that the test runs in."""
    own = {name: path and path.absolute() for name in PATHS for path in [getattr(case, name)]}
    return replace(case, **own, mri=tuple(path.absolute() for path in case.mri))


def test_refuses_a_case_named_twice(tmp_path: Path):
    write_cases([Case("1", "a"), Case("1", "b")], tmp_path / "cases.csv")
    with pytest.raises(FormatError, match="twice"):
        read_cases(tmp_path / "cases.csv")


def test_capitals_tell_no_two_cases_apart(tmp_path: Path):
    """On Windows and macOS the slices of the second were written over those of the first, and both were trained on."""
    write_cases([Case("Böhm1", "a"), Case("bo\u0308hm1", "b")], tmp_path / "cases.csv")
    with pytest.raises(FormatError, match="names the case Böhm1 and bo\u0308hm1"):
        read_cases(tmp_path / "cases.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("case,us\n1,a.nii\n", "column patient is missing"),
        ("case,patient,exlude\n1,a,1\n", "unknown column 'exlude'"),
        ("case,patient,patient\n1,a,b\n", "two columns called patient"),
        ("case,patient,exclude\n1,a,x\n", "case 1: exclude is 'x'"),
        ("case,patient\n,a\n", "without a case"),
        ("case,patient\n../1,a\n", "no slash"),
        ("case,patient\n=1+1,a\n", "spreadsheet"),
    ],
)
def test_refuses_what_it_would_misread(tmp_path: Path, text: str, words: str):
    (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(FormatError, match=words):
        read_cases(tmp_path / "cases.csv")


def test_reads_a_table_that_a_person_wrote(tmp_path: Path):
    """With a spreadsheet's byte order mark, a few columns, in any order; what is not there is not known."""
    table = tmp_path / "cases.csv"
    table.write_text("patient,case,mri,exclude\nP1,one,a.nii.gz; b.nii,\nP2,two,,Yes\n", encoding="utf-8-sig")
    one, two = read_cases(table)
    assert one == Case("one", "P1", mri=(tmp_path / "a.nii.gz", tmp_path / "b.nii"))
    assert one.first_surgery is None
    assert two.exclude
    table.write_text("case,us,mri,us_label\nlabelled,a,,b\nboth,a,m,b\nlacking,a,,\n")
    assert [pair.case for pair in read_pairs(table)] == ["both", "lacking"]


@given(
    st.dictionaries(st.integers(0, 400).map(str), st.integers(0, 30).map(lambda n: f"P{n}"), min_size=30),
    st.integers(0, 2**32 - 1),
)
def test_no_patient_stands_on_both_sides(patient_of, seed):
    patients = set(patient_of.values())
    if len(patients) < 5:
        with pytest.raises(FoldError):
            draw_folds(patients, seed)
        return
    folds = draw_folds(patients, seed)
    sizes = [len(fold) for fold in folds]
    assert max(sizes) - min(sizes) <= 1
    validated = []
    for split in split_slices(patient_of, folds):
        train, val = ({patient_of[name] for name in split[side]} for side in ("train", "val"))
        assert not train & val
        assert sorted(split["train"] + split["val"]) == sorted(patient_of)
        validated += split["val"]
    assert sorted(validated) == sorted(patient_of)


def test_folds_depend_on_the_seed_and_not_on_the_order():
    patients = [f"Case{number}" for number in range(20)]
    assert draw_folds(patients, 3) == draw_folds(reversed(patients), 3)
    assert draw_folds(patients, 3) != draw_folds(patients, 4)


@pytest.mark.parametrize("folds", [[frozenset("ab"), frozenset("bc")], [frozenset("a")]])
def test_refuses_a_patient_in_two_folds_or_none(folds):
    with pytest.raises(FoldError, match="exactly one"):
        split_slices({"1": "a", "2": "b"}, folds)


def test_a_relative_path_lies_beside_its_table_wherever_the_stage_runs(tmp_path: Path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "us.nii.gz").touch()
    (tmp_path / "data" / "cases.csv").write_text("case,patient,us,mri\nA,A,us.nii.gz,a.nii;b.nii\n")
    (tmp_path / "elsewhere").mkdir()
    for here in ("elsewhere", "data", "."):
        monkeypatch.chdir(tmp_path / here)
        (case,) = read_cases(tmp_path / "data" / "cases.csv")
        assert case.us == tmp_path / "data" / "us.nii.gz"
        assert case.mri == (tmp_path / "data" / "a.nii", tmp_path / "data" / "b.nii")


def test_a_written_table_finds_its_files_from_another_folder_too(tmp_path: Path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "us.nii.gz").touch()
    monkeypatch.chdir(tmp_path)
    write_cases([Case("A", "A", us=Path("data/us.nii.gz"))], Path("tables/cases.csv"))
    assert read_cases(Path("tables/cases.csv"))[0].us == Path("data/us.nii.gz")
    monkeypatch.chdir("/")
    (case,) = read_cases(tmp_path / "tables" / "cases.csv")
    assert case.us is not None
    assert case.us.is_file()


def test_a_file_of_that_name_in_the_current_folder_is_not_taken_for_the_tables(tmp_path: Path, monkeypatch):
    """Every data set has a us.nii.gz: the table's is missing, and another patient's lay where the stage ran."""
    here, table = tmp_path / "another_is_here", tmp_path / "tables" / "cases.csv"
    for folder in (here, table.parent):
        folder.mkdir()
    (here / "us.nii.gz").touch()
    table.write_text("case,patient,us,mri\nA,A,us.nii.gz,\n")
    monkeypatch.chdir(here)
    with pytest.raises(FormatError, match=r"another_is_here.us\.nii\.gz into the table"):
        read_cases(table)
    with pytest.raises(FormatError, match=r"another_is_here.us\.nii\.gz into the table"):
        simulated_cases(table)
    monkeypatch.chdir("/")
    assert read_cases(table)[0].us == table.parent / "us.nii.gz"
