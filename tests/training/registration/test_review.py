"""Decisions on registrations: kept, replaced, void once the result is another, and never made unseen for a patient."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from cubes import recorded

from training.cli import main
from training.cohort.cases import Case, write_cases
from training.registration.decisions import decide, read_decisions
from training.registration.output import record_path
from training.registration.result import Registered, read_results, write_results
from training.registration.transforms import write_transform


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three registrations and one that failed, as `ius-train register` leaves them."""
    folder = tmp_path / "registered"
    rows = [Registered(f"Case{n}", "lc2+mind", 0.1, n / 100, 3.5, 1.0, 99.0, 100.0) for n in (1, 2, 3)]
    write_results([*rows, Registered("Case4", "lc2+mind", error="There is no MRI.")], folder)
    for row in rows:
        _put(folder, row.case, 1.0)
        recorded(folder, row)
    return folder


def _put(folder: Path, case: str, shift: float) -> None:
    matrix = np.eye(4)
    matrix[0, 3] = shift
    write_transform(matrix, folder / "transforms" / case)
    (folder / "labels").mkdir(exist_ok=True)
    (folder / "labels" / f"{case}.nii.gz").write_bytes(b"a mask")


def _table(folder: Path, simulated: dict[str, bool]) -> str:
    path = folder.parent / "cases.csv"
    write_cases([Case(name, name, simulated=yes) for name, yes in simulated.items()], path)
    return str(path)


def _verdicts(folder: Path) -> dict[str, str]:
    return {case: one.decision for case, one in read_decisions(folder).items()}


def test_results_come_back_as_they_were_written(folder: Path) -> None:
    rows = read_results(folder)
    assert rows[0] == Registered("Case1", "lc2+mind", 0.1, 0.01, 3.5, 1.0, 99.0, 100.0)
    assert rows[3] == Registered("Case4", "lc2+mind", error="There is no MRI.")


def test_a_later_decision_takes_the_earlier_ones_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", str(folder), "--accept", "Case2", "Case1"]) == 0
    assert "2 accepted, 0 rejected, 1 undecided" in capsys.readouterr().err
    assert main(["review", str(folder), "--reject", "Case2", "--note", "turned, by 5 degrees"]) == 0
    assert _verdicts(folder) == {"Case1": "accept", "Case2": "reject"}
    assert read_decisions(folder)["Case2"].note == "turned, by 5 degrees"
    assert list(read_decisions(folder)) == ["Case1", "Case2"]


@pytest.mark.parametrize("changed", ["transform", "label", "gone"])
def test_a_case_registered_anew_is_unreviewed_again(folder: Path, changed: str) -> None:
    main(["review", str(folder), "--accept", "Case1", "Case2"])
    if changed == "transform":
        _put(folder, "Case1", 1.001)
    elif changed == "label":
        (folder / "labels/Case1.nii.gz").write_bytes(b"another mask")
    else:
        (folder / "transforms/Case1.txt").unlink()
    assert _verdicts(folder) == {"Case2": "accept"}


def test_the_pages_decisions_are_taken_only_if_they_are_about_these_results(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["review", str(folder), "--accept", "Case1", "--note", 'a;b, "c"\nd'])
    given = tmp_path / "review.csv"
    given.write_bytes((folder / "review.csv").read_bytes())
    main(["review", str(folder), "--reject", "Case1", "Case3"])
    assert main(["review", str(folder), "--take", str(given)]) == 0
    assert _verdicts(folder) == {"Case1": "accept", "Case3": "reject"}
    assert read_decisions(folder)["Case1"].note == 'a;b, "c"\nd'
    _put(folder, "Case1", 2.0)
    assert main(["review", str(folder), "--take", str(given)]) == 2
    assert "another registration of Case1" in capsys.readouterr().err
    assert _verdicts(folder) == {"Case3": "reject"}


def test_simulated_patients_are_accepted_unseen_but_for_those_decided_on(folder: Path) -> None:
    table = _table(folder, {f"Case{n}": True for n in range(1, 6)})
    main(["review", str(folder), "--reject", "Case2"])
    assert main(["review", str(folder), "--accept-all", "--cases", table]) == 0
    assert _verdicts(folder) == {"Case1": "accept", "Case2": "reject", "Case3": "accept"}


@pytest.mark.parametrize("simulated", [{"Case1": True, "Case2": True, "Case3": False, "Case4": True}, {"Case1": True}])
def test_one_patient_in_the_table_and_nothing_is_accepted_unseen(
    folder: Path, simulated: dict[str, bool], capsys: pytest.CaptureFixture[str]
) -> None:
    """Case3 is a patient's, or missing from the table."""
    before = _verdicts(folder)
    assert main(["review", str(folder), "--accept-all", "--cases", _table(folder, simulated)]) == 2
    assert "not marked as simulated" in capsys.readouterr().err
    assert main(["review", str(folder), "--accept-all"]) == 2
    assert "--cases" in capsys.readouterr().err
    assert _verdicts(folder) == before == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--accept", "Case9"], "no registration of Case9"),
        (["--accept", "Case4"], "no registration of Case4"),
        (["--accept", "Case1", "--reject", "Case1"], "both"),
        (["--take", "nowhere.csv"], "no review at"),
    ],
)
def test_what_cannot_be_decided_is_one_sentence(
    folder: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["review", str(folder), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (folder / "review.csv").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("case,decision,note\nCase1,accept,\n", "column fingerprint is missing"),
        ("case,decision,note,fingerprint\nCase1,maybe,,x\n", "says 'maybe' of Case1"),
        ("case,decision,note,fingerprint\nCase1,accept,,x\nCase1,reject,,x\n", "Case1 twice"),
    ],
)
def test_a_damaged_review_is_refused_and_kept(
    folder: Path, content: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "review.csv").write_text(content)
    assert main(["review", str(folder), "--accept", "Case2"]) == 2
    assert words in capsys.readouterr().err
    assert (folder / "review.csv").read_text() == content


def test_rows_without_a_decision_decide_nothing(folder: Path) -> None:
    (folder / "review.csv").write_text("case,decision,note,fingerprint\nCase1,,looks odd,x\n")
    assert _verdicts(folder) == {}


@pytest.mark.parametrize("stopped", ["before the record", "before the table"])
def test_nothing_is_decided_on_what_a_stopped_run_left(folder: Path, stopped: str, capsys) -> None:
    """The page showed the new pictures beside the old run's figures and flags."""
    assert main(["review", str(folder), "--accept", "Case1"]) == 0
    if stopped == "before the record":
        record_path(folder, "Case1").unlink()
    else:
        recorded(folder, replace(read_results(folder)[0], similarity=0.2, flags="weak"))
    assert main(["review", str(folder), "--accept", "Case1"]) == 2
    assert "run 'ius-train register' again" in capsys.readouterr().err


def test_decisions_that_are_made_at_once_are_all_kept(folder: Path) -> None:
    """A page and a command line, or two people: each wrote what it had read, and the other's was lost."""
    for round_ in range(20):
        (folder / "review.csv").unlink(missing_ok=True)
        gate = Barrier(3)

        def one(case: str, gate: Barrier = gate) -> None:
            gate.wait()
            decide(folder, {case: "accept"})

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(one, ("Case1", "Case2", "Case3")))
        assert len(_verdicts(folder)) == 3, round_
