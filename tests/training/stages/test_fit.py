"""`ius-train fit` draws folds like `ius-train folds`: a volume under two names stops it before it makes anything."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from training.cli import main
from training.cohort.folds import write_folds
from training.io.receipt import write_json, write_receipt
from training.nnunet.results.trained_on import trained_on
from training.slicing.fingerprint import fingerprint
from training.slicing.leaks import look_path, write_look
from training.slicing.slices import SliceRow, write_slice, write_slices
from training.slicing.store_folds import draw_store_folds

GRID = np.indices((24, 24, 24)) - 12


def picture(number: int) -> sitk.Image:
    """A ball of smooth noise, different for each number."""
    rng = np.random.default_rng(number)
    coarse = sitk.GetImageFromArray(rng.uniform(20, 200, (6, 6, 6)).astype(np.float32))
    ball = (GRID**2).sum(axis=0) < 140
    return sitk.GetImageFromArray(sitk.GetArrayFromImage(sitk.Expand(coarse, [4, 4, 4])) * ball)


def store_of(folder: Path, pictures: dict[str, int], mm2: float = 4.0) -> Path:
    """Write one slice per patient, with the fingerprint of the volume it was cut from."""
    rows = []
    for patient, number in pictures.items():
        row = SliceRow(f"{folder.name}-{patient}", patient, patient, "k", 0, mm2, 8, 8, 1.0, 1.0)
        write_slice(np.ones((8, 8), np.float32), (1.0, 1.0), row.image(folder))
        write_slice(np.eye(8, dtype=np.uint8), (1.0, 1.0), row.label(folder))
        write_look(fingerprint(picture(number)), look_path(folder, patient))
        rows.append(row)
    write_slices(rows, folder / "slices.csv")
    return folder


@pytest.mark.parametrize("drawn_before", [False, True])
def test_one_volume_under_two_names_never_stands_in_training_and_validation(tmp_path: Path, drawn_before: bool, capsys):
    us = store_of(tmp_path / "us", {f"U{number}": number for number in range(5)})
    mri = store_of(tmp_path / "mri", {"M9": 9, "M3": 3})
    words = ["fit", str(us), str(mri), "--work", str(tmp_path / "work")]
    if drawn_before:
        write_folds(tuple(frozenset({f"U{n}", *(["M9", "M3"] if n == 0 else [])}) for n in range(5)), 0, tmp_path / "f")
        words += ["--folds", str(tmp_path / "f")]
    assert main(words) == 2
    assert "U3 of U3 and M3 of M3 are the same picture" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_fit_draws_what_the_folds_command_draws(tmp_path: Path):
    stores = [store_of(tmp_path / name, {f"{name}{at}": at for at in range(5)}) for name in ("a",)]
    stores.append(store_of(tmp_path / "b", {f"b{at}": at + 10 for at in range(5)}))
    assert main(["folds", *map(str, stores), "--seed", "3", "--out", str(tmp_path / "folds.json")]) == 0
    listed = json.loads((tmp_path / "folds.json").read_text())["folds"]
    assert [set(fold) for fold in listed] == [set(fold) for fold in draw_store_folds(stores, 3)]
    assert all(len(set(fold) & {f"a{at}" for at in range(5)}) == 1 for fold in listed), "each store spread evenly"


def test_the_receipt_names_the_slices_of_the_training_that_it_started_from(tmp_path: Path, monkeypatch):
    """By their pictures a patient of that training is known again, whatever the test calls it."""
    before, own = (store_of(tmp_path / name, {f"{name}{at}": at for at in range(5)}) for name in ("before", "own"))
    start = tmp_path / "first" / "model" / "fold_0"
    write_receipt(start, "fit", {"slices": [before], "train_patients": ["before1"]}, [])
    write_json({}, start.parent / "plans.json")
    (start / "checkpoint_best.pth").touch()

    def fitted(work: Path, *_: object) -> Path:
        write_json({}, work / "model" / "plans.json")
        return work / "model" / "fold_0"

    monkeypatch.setattr("training.stages.fit._fit", fitted)
    monkeypatch.chdir(tmp_path)
    assert main(["fit", str(own), "--work", "work", "--start", str(start / "checkpoint_best.pth")]) == 0
    known = trained_on(tmp_path / "work" / "model", [0])
    assert (known.stores, known.start_stores) == ((own,), (before,))
    assert "before1" in known.patients
    receipt = json.loads((tmp_path / "work" / "model" / "fold_0" / "receipt-fit.json").read_text())
    assert receipt["settings"]["start_slices"] == ["../../../before"]


def test_a_fold_that_the_cutoff_has_emptied_is_one_sentence(tmp_path: Path, capsys):
    """As with a handful of patients: the one of this fold has small tumours only."""
    stores = [store_of(tmp_path / "large", {f"L{at}": at for at in range(4)}, 400.0)]
    stores.append(store_of(tmp_path / "small", {"S": 5}))
    folds = tuple(frozenset({name}) for name in ("S", "L0", "L1", "L2", "L3"))
    write_folds(folds, 0, tmp_path / "folds.json")
    words = ["fit", *map(str, stores), "--work", str(tmp_path / "work"), "--folds", str(tmp_path / "folds.json")]
    assert main([*words, "--min-area", "200"]) == 2
    assert "Fold 0 has no slice to validate on" in capsys.readouterr().err
    assert not (tmp_path / "work" / "nnUNet_preprocessed").exists()
