"""Real runs of nnU-Net in its own processes: planning, training, validation, prediction."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from fitting import FIT, few_of, ius_train
from scipy import ndimage

from training.evaluation.report import evaluate
from training.slicing.slices import read_slice, read_slices

pytestmark = pytest.mark.timeout(900)


def test_the_course_of_the_training_is_a_table_and_a_picture(model: Path):
    import cv2

    with (model / "fold_0" / "progress.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["epoch"]) for row in rows] == list(range(len(rows)))
    assert len(rows) >= 2
    assert all(float(row["train_loss"]) < 2 for row in rows)
    picture = cv2.imread(str(model / "fold_0" / "progress.png"))
    assert picture is not None
    assert picture.std() > 5


def test_the_five_folds_choose_the_postprocessing_that_predict_obeys(model: Path, store: Path, tmp_path: Path):
    home = model.parents[2]
    work = shutil.copytree(home, home.with_name("five-folds"))  # beside it: a data set's paths are relative
    copy = work / model.relative_to(home)
    lacking = ius_train("postprocess", copy, "--work", work)
    assert lacking.returncode == 2
    assert "no trained fold 1" in lacking.stderr
    for fold in range(1, 5):
        shutil.copytree(copy / "fold_0", copy / f"fold_{fold}")
    chosen = ius_train("postprocess", copy, "--work", work, "--jobs", 1)
    assert chosen.returncode == 0, chosen.stderr
    validated = {path.name for fold in range(5) for path in (copy / f"fold_{fold}" / "validation").glob("*.nii.gz")}
    assert validated == {f"{row.name}.nii.gz" for row in read_slices(store)}
    marks = [(copy / f"fold_{fold}" / "validation" / "made.from").read_text() for fold in range(5)]
    assert all(mark.endswith("thorough") for mark in marks), "over all mirrors, as nnU-Net validates"
    answer = copy / "crossval_results_folds_0_1_2_3_4" / "postprocessing.json"
    kept = json.loads(answer.read_text())
    assert kept["input_folder"]["foreground_mean"]["Dice"] <= kept["postprocessed"]["foreground_mean"]["Dice"]
    largest = {"postprocessing_fns": ["remove_all_but_largest_component_from_segmentation"]}
    answer.write_text(json.dumps(kept | largest | {"postprocessing_kwargs": [{"labels_or_regions": [1]}]}))
    few = few_of(store, tmp_path / "few")
    done = ius_train("predict", copy, few, "--out", tmp_path / "masks", "--folds", 0, 1, "--mode", "fast")
    assert done.returncode == 0, done.stderr
    for row in read_slices(few):
        mask = read_slice(tmp_path / "masks" / f"{row.name}.nii.gz")
        assert ndimage.label(mask, np.ones((3, 3)))[1] <= 1
    assert json.loads((tmp_path / "masks" / "receipt-predict.json").read_text())["settings"]["largest_region_only"]


def test_the_time_a_fit_takes_is_told_before_it(model: Path, store: Path):
    """The time is estimated from a few timed batches, which are discarded."""
    before = {path: path.stat().st_mtime_ns for path in model.rglob("*") if path.is_file()}
    length = ("--iterations", 10, "--val-iterations", 5)
    done = ius_train("fit", store, "--work", model.parents[2], *FIT, *length, "--estimate")
    assert done.returncode == 0, done.stderr
    told = re.search(
        r"([\d.]+) s a training .* ([\d.]+) s a validation .*: ([\d.]+) min an epoch, at most ([\d.]+) h for 50",
        done.stdout,
    )
    assert told, done.stdout
    train, val, minutes, hours = map(float, told.groups())
    assert minutes == pytest.approx((10 * train + 5 * val) / 60, abs=0.06)
    assert hours == pytest.approx(50 * minutes / 60, abs=0.1)
    assert {path: path.stat().st_mtime_ns for path in model.rglob("*") if path.is_file()} == before


def test_another_variant_may_have_other_folds(model: Path, store: Path):
    """nnU-Net's planner only compares the folds of before with those of now, and ended in an assertion."""
    home = model.parents[2]
    work = shutil.copytree(home, home.with_name("other-folds"))  # beside it: a data set's paths are relative
    length = ("--iterations", 2, "--val-iterations", 1, "--variant", "other", "--seed", 7)
    done = ius_train("fit", store, "--work", work, *FIT, *length, "--estimate")
    assert done.returncode == 0, done.stderr
    (now,), (then,), (before,) = (
        list(folder.glob("*/splits_final.json"))
        for folder in (work / "nnUNet_raw", work / "nnUNet_preprocessed", home / "nnUNet_raw")
    )
    assert now.read_bytes() == then.read_bytes() != before.read_bytes()


def test_more_gpus_than_there_are(store: Path, tmp_path: Path, capsys):
    from training.cli import main

    assert main(["fit", str(store), "--work", str(tmp_path), "--device", "cuda", "--gpus", "64"]) == 2
    assert "64 were asked for" in capsys.readouterr().err


def test_the_realtime_plan_is_small_and_patients_are_apart(model: Path, store: Path):
    plan = json.loads((model / "plans.json").read_text())["configurations"]["2d"]
    assert plan["patch_size"] == [256, 256]
    assert plan["spacing"] == [0.35, 0.35]
    assert plan["architecture"]["arch_kwargs"]["features_per_stage"] == [8, 16, 32, 64, 128, 256]
    preprocessed = model.parents[2] / "nnUNet_preprocessed" / model.parent.name
    splits = json.loads((preprocessed / "splits_final.json").read_text())
    patient_of = {row.name: row.patient for row in read_slices(store)}
    assert len(splits) == 5
    for split in splits:
        assert not {patient_of[name] for name in split["train"]} & {patient_of[name] for name in split["val"]}
        assert set(split["train"]) | set(split["val"]) == set(patient_of)


def test_fit_leaves_a_receipt(model: Path, store: Path):
    receipt = json.loads((model / "fold_0" / "receipt-fit.json").read_text())
    assert receipt["versions"]["nnunetv2"]
    assert all(len(digest) == 64 for digest in receipt["inputs"].values())
    preprocessed = model.parents[2] / "nnUNet_preprocessed" / model.parent.name
    trained = json.loads((preprocessed / "splits_final.json").read_text())[0]["train"]
    patients = {row.name: row.patient for row in read_slices(store)}
    assert receipt["settings"]["train_patients"] == sorted({patients[name] for name in trained})


def test_predictions_lie_on_their_slices(model: Path, store: Path, tmp_path: Path):
    few = few_of(store, tmp_path / "few")
    rows = read_slices(few)
    done = ius_train("predict", model, few, "--out", tmp_path / "masks", "--checkpoint", "final")
    assert done.returncode == 0, done.stderr
    for row in rows:
        mask = read_slice(tmp_path / "masks" / f"{row.name}.nii.gz")
        assert mask.shape == (row.rows, row.cols)
        assert set(mask.ravel()) <= {0, 1}
    report = evaluate(tmp_path / "masks", few, tmp_path / "report", data="ellipsoids", simulated=True)
    assert report["data"]["n_slices"] == len(rows)


@pytest.mark.parametrize(
    "arguments",
    [
        ("slice", "no/cases.csv", "--out", "out"),
        ("fit", "no/slices", "--work", "work"),
        ("predict", "no/model", "no/slices", "--out", "out"),
        ("cases", "--resect", "no", "--resect-seg", "no", "--out", "cases.csv"),
    ],
)
def test_wrong_input_gives_one_sentence(arguments, tmp_path: Path, monkeypatch, capsys):
    from training.cli import main

    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    sentence = capsys.readouterr().err
    assert sentence.startswith("error: There is no")
    assert len(sentence.splitlines()) == 1
