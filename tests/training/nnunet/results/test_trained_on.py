"""Figures on a model's training patients: warned about at prediction, refused at evaluation, never exported."""

import json
import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.errors import FormatError, ModelError
from training.cli import main
from training.evaluation.summary import Origin, summarise
from training.export.training_facts import read_measured, training_rows, training_stores
from training.io.receipt import write_receipt
from training.nnunet.claims import DIGEST
from training.nnunet.dataset import digest
from training.nnunet.results.checkpoint import read_trained
from training.nnunet.results.trained_on import START_KNOWN, START_STORES, behind, trained_on
from training.nnunet.weight_averaging import _tell_patients
from training.slicing.fingerprint import Fingerprint
from training.slicing.leaks import look_path, write_look
from training.slicing.slices import SliceRow, read_slices, write_slice, write_slices

SPACING = (0.6, 0.5)

DEMO = Path(__file__).parents[4] / "assets" / "models" / "demo.onnx"


def store_of(folder: Path, patients: dict[str, str]) -> Path:
    """Write a bright disc for each patient, with a fingerprint made from the word that stands for the picture."""
    rows = []
    y, x = np.indices((64, 80))
    disc = (y - 30) ** 2 + (x - 40) ** 2 < 150
    for patient, word in patients.items():
        pixels = np.random.default_rng(1).uniform(20, 60, disc.shape) + 90 * disc
        area = float(disc.sum()) * SPACING[0] * SPACING[1]
        row = SliceRow(f"{patient}_k0", f"Case-{patient}", patient, "k", 0, area, *disc.shape, *SPACING)
        write_slice(pixels.astype(np.float32), SPACING, row.image(folder))
        write_slice(disc.astype(np.uint8), SPACING, row.label(folder))
        cells = dict(enumerate(np.random.default_rng(sum(map(ord, word))).uniform(0, 200, 300).tolist()))
        write_look(Fingerprint(cells, cells), look_path(folder, row.case))
        rows.append(row)
    write_slices(rows, folder / "slices.csv")
    return folder


def fitted(model: Path, told: dict[str, object], fold: int = 0) -> Path:
    (model / f"fold_{fold}" / "receipt-fit.json").write_text(json.dumps({"settings": told}))
    return model


@pytest.fixture
def model(model_folder, tmp_path: Path) -> Path:
    """A model trained on A and B, with C as its validation patient."""
    store = store_of(tmp_path / "train", {"A": "a", "B": "b", "C": "c"})
    return fitted(model_folder(), {"slices": [str(store)], "train_patients": ["A", "B"]})


def test_a_patient_is_known_again_by_name_and_by_picture(model: Path, tmp_path: Path):
    known = trained_on(model, [0])
    assert known.complete
    held_out = store_of(tmp_path / "held-out", {"C": "c", "D": "d"})
    assert known.among([held_out]) == []
    assert known.among([store_of(tmp_path / "same", {"B": "other", "D": "d"})]) == ["B"]
    assert known.among([store_of(tmp_path / "renamed", {"X": "a", "Y": "y"})]) == ["X"]


def test_a_contract_speaks_of_the_slices_that_were_trained_on(model_folder, tmp_path: Path):
    """Not of the validation patient, of an excluded case or of tumour-free slices that the training left out."""
    store = store_of(tmp_path / "train", {"A": "a", "B": "b", "C": "c"})
    free = [replace(row, name=f"{row.name}-free", area_mm2=0.0) for row in read_slices(store)]
    write_slices([*read_slices(store), *free], store / "slices.csv")
    told = {"slices": [str(store)], "train_patients": ["A", "B"], "negatives": "none", "excluded": {"Case-B": "poor"}}
    trained = read_trained(fitted(model_folder(), told), [0])
    assert [row.name for row, _ in training_rows(trained, [store])] == ["A_k0"]
    unknown = read_trained(model_folder(), [0])
    assert len(training_rows(unknown, [store])) == 6
    with pytest.raises(ModelError, match="name its own stores with --train"):
        training_rows(trained, [store_of(tmp_path / "other", {"D": "d"})])


def test_what_no_receipt_tells_is_not_taken_for_nothing(model_folder, tmp_path: Path):
    assert not trained_on(model_folder(), [0]).complete
    store = store_of(tmp_path / "train", {"A": "a"})
    earlier = fitted(model_folder(), {"slices": [str(store)]})
    assert trained_on(earlier, [0]).patients == {"A"}
    goes_on = fitted(model_folder(), {"slices": [str(store)], "train_patients": ["A"], "start": "start.onnx"})
    assert not trained_on(goes_on, [0]).complete
    followed = fitted(model_folder(), {"train_patients": ["A", "B"], "start": "s.pth", "start_patients_known": True})
    assert trained_on(followed, [0]).complete
    two = fitted(fitted(model_folder(folds=2), {"train_patients": ["A"]}), {"train_patients": ["B"]}, fold=1)
    assert trained_on(two, [0, 1]).patients == {"A", "B"}
    assert trained_on(two, [1]).patients == {"B"}


def test_another_study_in_the_current_folder_is_not_taken_for_the_trainings(model_folder, tmp_path, monkeypatch):
    """Both had a store called train: the contract's patients and ranges came from where the export was run."""
    for study in ("mine", "other"):
        store_of(tmp_path / study / "train", {"A": study[0], "B": "b"})
    folder = tmp_path / "mine" / "fits" / "m"
    shutil.copytree(model_folder(), folder)
    monkeypatch.chdir(tmp_path / "mine")
    told = {"slices": [Path("train")], "train_patients": ["A", "B"]}
    write_receipt(Path("fits/m/fold_0"), "fit", told, [])
    monkeypatch.chdir(tmp_path / "other")
    trained = read_trained(folder, (0,))
    assert training_stores(trained, ()) == trained.trained_on.stores == (tmp_path / "mine" / "train",)


def test_a_mean_of_models_finds_the_stores_of_its_members(model_folder, tmp_path, monkeypatch):
    """The mean lies elsewhere, and its receipt is the first member's."""
    store_of(tmp_path / "mine" / "train", {"A": "a", "B": "b"})
    member, mean = tmp_path / "mine" / "fits" / "m", tmp_path / "means" / "of" / "some"
    for folder in (member, mean):
        shutil.copytree(model_folder(), folder)
    monkeypatch.chdir(tmp_path / "mine")
    write_receipt(Path("fits/m/fold_0"), "fit", {"slices": [Path("train")], "train_patients": ["A"]}, [])
    shutil.copy(member / "fold_0" / "receipt-fit.json", mean / "fold_0")
    _tell_patients([Path("fits/m")], mean / "fold_0" / "receipt-fit.json", 0)
    monkeypatch.chdir("/")
    assert read_trained(mean, (0,)).stores == trained_on(mean, [0]).stores == (tmp_path / "mine" / "train",)
    told = json.loads((mean / "fold_0" / "receipt-fit.json").read_text())
    assert told["settings"]["slices"] == ["../../../../mine/train"]


def test_slices_that_were_cut_anew_are_not_what_was_seen_in_training(model: Path, tmp_path: Path):
    store = tmp_path / "train"
    pairs = [(row, store) for row in read_slices(store)]
    trained = read_trained(model, (0,))
    told = {DIGEST: digest(pairs), "dataset": {row.name: {} for row, _ in pairs}}
    trained = replace(trained, dataset=trained.dataset | told)
    assert {row.patient for row, _ in training_rows(trained, [store])} == {"A", "B"}
    # More than those it was trained on, as of an average, and in another order, as from several stores.
    store_of(store, {"D": "d", "C": "c", "A": "a", "B": "b"})
    assert {row.patient for row, _ in training_rows(trained, [store])} == {"A", "B"}
    row = pairs[0][0]
    write_slice(np.zeros((row.rows, row.cols), np.float32), SPACING, row.image(store))
    with pytest.raises(ModelError, match="no longer holds the slices that the model was trained on"):
        training_rows(trained, [store])


def test_patients_of_the_training_that_another_started_from_are_found_by_its_receipt(model: Path, tmp_path: Path):
    start = behind(model / "fold_0" / "checkpoint_best.pth")
    assert (start.complete, start.patients) == (True, {"A", "B"})
    for unknown in (DEMO, tmp_path / "backbone.pth", model / "fold_1" / "checkpoint_best.pth"):
        assert not behind(unknown).complete


def test_other_slices_predicted_into_the_same_folder_hide_no_training_patient(model: Path, tmp_path: Path, capsys):
    """The second receipt told of its own slices alone, and the first ones were then scored as a test."""
    out, trained = tmp_path / "masks", store_of(tmp_path / "of-training", {"A": "a"})
    for store in (trained, store_of(tmp_path / "others", {"D": "d"})):
        assert main(["predict", str(model), str(store), "--out", str(out)]) == 0
    score = ["evaluate", str(out), str(trained), "--out", str(tmp_path / "report"), "--data", "d", "--simulated"]
    capsys.readouterr()
    assert main(score) == 2
    assert "was trained on A, so this is no test" in capsys.readouterr().err


def test_training_patients_never_become_what_was_measured(model: Path, tmp_path: Path, capsys):
    out, report = tmp_path / "masks", tmp_path / "report"
    store = store_of(tmp_path / "both", {"A": "a", "D": "d"})
    assert main(["predict", str(model), str(store), "--out", str(out)]) == 0
    assert "trained on 1 of these patients (A)" in capsys.readouterr().err
    score = ["evaluate", str(out), str(store), "--out", str(report), "--data", "two", "--simulated"]
    assert main(score) == 2
    assert "was trained on A, so this is no test" in capsys.readouterr().err
    assert main(["evaluate", f"M={out}", "--slices", str(store), *score[3:]]) == 2
    capsys.readouterr()
    assert main([*score, "--with-training-patients"]) == 0
    assert "NO TEST: trained on 1 of these patients" in (report / "report.md").read_text()
    export = ["export", str(model), "--out", str(tmp_path / "m.onnx"), "--name", "M", "--simulated", "--evaluation"]
    assert main([*export, str(report / "summary.json")]) == 2
    assert "on 1 patients that it was trained on (A), which is no test" in capsys.readouterr().err
    assert not (tmp_path / "m.onnx").exists()


def test_scores_of_other_masks_are_not_exported_either(model: Path, model_folder, tmp_path: Path, capsys):
    """Neither scores of another model nor an export's own scores on training patients, whose names it does not hold."""
    store = store_of(tmp_path / "test", {"D": "d", "E": "e"})
    out, report = tmp_path / "masks", tmp_path / "report"
    assert main(["predict", str(model), str(store), "--out", str(out)]) == 0
    assert main(["evaluate", str(out), str(store), "--out", str(report), "--data", "d", "--simulated"]) == 0
    summary = report / "summary.json"
    words = ["--out", str(tmp_path / "m.onnx"), "--name", "M", "--simulated", "--evaluation", str(summary)]
    other = fitted(model_folder(folds=2), {"train_patients": ["A"]})
    assert main(["export", str(other), "--folds", "1", *words]) == 2
    assert "holds the scores of another model" in capsys.readouterr().err
    content = json.loads(summary.read_text())
    content["data"]["patients"], content["data"]["seen_in_training"] = ["B", "D"], []
    summary.write_text(json.dumps(content))
    assert main(["export", str(model), *words]) == 2
    assert "trained on (B)" in capsys.readouterr().err
    content["data"]["patients"], own = ["D", "E"], content["data"]["checkpoints"]
    content["data"]["checkpoints"] = []
    summary.write_text(json.dumps(content))
    assert main(["export", str(model), *words]) == 2
    assert "does not tell which model its scores are of" in capsys.readouterr().err
    content["data"]["checkpoints"] = own
    summary.write_text(json.dumps(content))
    assert main(["export", str(model), *words]) == 0


def scores_of(path: Path, origin: Origin, patients: list[str]) -> Path:
    """A summary of `ius-train evaluate`."""
    summary = summarise([], "d", simulated=True, origin=origin)
    summary["data"]["patients"] = patients
    path.write_text(json.dumps(summary))
    return path


def test_scores_of_another_postprocessing_are_no_scores_of_this_model(model: Path, tmp_path: Path):
    """The same weights, predicted before cross-validation chose to keep the largest region: other masks."""
    trained = read_trained(model, (0,))
    for only, refused in ((None, False), (trained.keep_largest, False), (not trained.keep_largest, True)):
        path = scores_of(tmp_path / "summary.json", Origin(trained.checkpoints, largest_only=only), ["D"])
        with pytest.raises(FormatError, match="not this model's post-processing") if refused else nullcontext():
            read_measured([path], trained)


def test_a_training_patient_in_another_spelling_is_no_test(model: Path, tmp_path: Path):
    trained = read_trained(model, (0,))
    path = scores_of(tmp_path / "summary.json", Origin(trained.checkpoints), ["D", "b "])
    with pytest.raises(FormatError, match="1 patients that it was trained on"):
        read_measured([path], trained)


def test_what_fewer_bits_cost_is_not_measured_on_the_training(model: Path, tmp_path: Path, capsys):
    """The card states the Dice to the truth in both precisions, and it was that of patients it had learnt by heart."""
    words = ["export", str(model), "--out", str(tmp_path / "m.onnx"), "--name", "M", "--simulated", "--fp16"]
    assert main([*words, "--verify", str(tmp_path / "train")]) == 2
    assert "holds slices of A, whom the model was trained on" in capsys.readouterr().err
    assert not (tmp_path / "m.onnx").exists()


def test_that_pictures_cannot_be_compared_is_said(model: Path, tmp_path: Path, capsys):
    """A model is copied to another computer without its slices, where its patient has another name."""
    renamed, masks, words = store_of(tmp_path / "renamed", {"X": "a"}), tmp_path / "masks", "compared by name alone"
    (tmp_path / "train").rename(tmp_path / "elsewhere")
    assert main(["predict", str(model), str(renamed), "--out", str(masks)]) == 0
    assert words in capsys.readouterr().err
    score = ["evaluate", str(masks), str(renamed), "--out", str(tmp_path / "report"), "--data", "d", "--simulated"]
    assert main([*score, "--trained-on", str(tmp_path / "elsewhere")]) == 2
    assert "Case-A in training and Case-X in the test set are the same picture" in capsys.readouterr().err
    store_of(tmp_path / "train", {"a ": "a"})  # the table was typed anew
    assert main(["predict", str(model), str(renamed), "--out", str(masks)]) == 0
    said = capsys.readouterr().err
    assert words not in said
    assert "trained on 1 of these patients (X)" in said


def test_a_patient_of_the_training_that_another_started_from_is_known_by_picture_too(
    model: Path, model_folder, tmp_path: Path
):
    """The receipt named the patients of the start, and the slices of what followed alone."""
    start = behind(model / "fold_0" / "checkpoint_best.pth")
    own, renamed = store_of(tmp_path / "own", {"D": "d"}), store_of(tmp_path / "renamed", {"X": "a", "Y": "y"})
    told = {"slices": [own], "start": "before.pth", "train_patients": ["A", "B", "D"], START_KNOWN: True}
    second = model_folder()
    write_receipt(second / "fold_0", "fit", told | {START_STORES: list(start.stores)}, [])
    assert trained_on(second, [0]).among([renamed]) == ["X"]
    mean = tmp_path / "mean"
    shutil.copytree(second, mean)
    _tell_patients([second], mean / "fold_0" / "receipt-fit.json", 0)
    assert trained_on(mean, [0]).among([renamed]) == ["X"]
    assert trained_on(mean, [0]).stores == (own,), "whose slices a contract describes"
    (tmp_path / "train").rename(tmp_path / "elsewhere")
    assert trained_on(mean, [0]).gone == (tmp_path / "train",)
