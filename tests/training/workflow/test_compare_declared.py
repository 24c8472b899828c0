"""An experiment's comparison obeys the receipts of its predictions, as `ius-train evaluate` does."""

import json
from pathlib import Path

import numpy as np
import pytest

from inference.errors import NotFoundError
from training.evaluation.origins import OriginError
from training.experiments.declaration import read_experiment
from training.slicing.leaks import LeakError
from training.slicing.slices import SliceRow, write_slice, write_slices
from training.workflow.compare import compare_declared

ONE = """
title: One
simulated: false
cohorts:
  a: {labels: us, cases: a.csv}
  b: {labels: us, cases: b.csv}
training: {folds: [0, 1, 2, 3, 4]}
models: {m: {cohorts: [a]}}
comparisons: {c: {models: {m: m}, test: [b], data: six}}
"""


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"mode": "thorough", "seen_in_training": ["P"]}, "was trained on P, so this is no test"),
        ({"mode": "thorough", "seen_in_training": ["p "]}, "was trained on P, so this is no test"),
        ({"mode": "fast", "seen_in_training": []}, "was predicted in fast mode"),
    ],
)
def test_a_patient_of_two_cohorts_and_another_mode_stop_it(tmp_path: Path, monkeypatch, told: dict, words: str):
    """Two cohorts may hold one patient where each is the other's test: only the receipt tells."""
    monkeypatch.chdir(tmp_path)
    Path("one.yaml").write_text(ONE)
    row = SliceRow("s", "c", "P", "k", 0, 2.0, 8, 8, 0.5, 0.5)
    mask = np.eye(8, dtype=np.uint8)
    for path in (row.image(Path("slices/b")), row.label(Path("slices/b")), Path("predictions/m/all/s.nii.gz")):
        write_slice(mask, (0.5, 0.5), path)
    write_slices([row], Path("slices/b/slices.csv"))
    Path("predictions/m/all/receipt-predict.json").write_text(json.dumps({"settings": told}))
    with pytest.raises(OriginError, match=words):
        compare_declared(read_experiment(Path("one.yaml")), "c")
    assert not Path("report").exists()


def test_a_model_is_not_chosen_on_a_patient_of_the_test(tmp_path: Path, monkeypatch):
    """Two case tables that both hold P7: the best of nine models on them is no model that was tested on others."""
    monkeypatch.chdir(tmp_path)
    Path("one.yaml").write_text(
        ONE.replace("test: [b]", "choose_on: [d], test: [b]").replace(
            "  b: {", "  d: {labels: us, cases: d.csv}\n  b: {"
        )
    )
    for cohort, patient in (("d", "P7"), ("b", "p07")):
        row = SliceRow(f"{cohort}0", cohort, patient, "k", 0, 2.0, 8, 8, 0.5, 0.5)
        write_slices([row], Path("slices", cohort, "slices.csv"))
    with pytest.raises(LeakError, match=r"The patient P7 is in training \(d\) and in the test set \(b\)"):
        compare_declared(read_experiment(Path("one.yaml")), "c")


def test_a_choice_of_a_former_declaration_is_not_told_on_the_page(tmp_path: Path, monkeypatch):
    """The page of the experiment said which model had been chosen, also where none is any more."""
    monkeypatch.chdir(tmp_path)
    Path("one.yaml").write_text(ONE)
    Path("report/c").mkdir(parents=True)
    Path("report/c/choice.json").write_text("{}")
    with pytest.raises(NotFoundError, match="There is no slice table at slices/b"):
        compare_declared(read_experiment(Path("one.yaml")), "c")
    assert not Path("report/c/choice.json").exists()


def test_a_patient_of_two_test_cohorts_under_two_names_is_not_two_patients(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("one.yaml").write_text(
        ONE.replace("test: [b]", "test: [b, d]").replace("  b: {", "  d: {labels: us, cases: d.csv}\n  b: {")
    )
    for cohort, patient in (("b", "P7"), ("d", "p07")):
        row = SliceRow(f"{cohort}0", cohort, patient, "k", 0, 2.0, 8, 8, 0.5, 0.5)
        write_slices([row], Path("slices", cohort, "slices.csv"))
    with pytest.raises(LeakError, match="differ in spelling alone"):
        compare_declared(read_experiment(Path("one.yaml")), "c")
