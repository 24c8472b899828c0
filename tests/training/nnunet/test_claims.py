"""Two processes that begin at the same moment: one of them has the folder, and the other is told so."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from inference.errors import FormatError
from training.io.files import claimed
from training.nnunet.choose_postprocessing import choose_postprocessing
from training.nnunet.claims import DATA, claim, claim_fold, data_of, training
from training.nnunet.dataset import Choice, write_dataset
from training.nnunet.names import model_folder
from training.nnunet.run import begin
from training.nnunet.settings import FitSettings
from training.slicing.slices import SliceRow, write_slice, write_slices

DATASET = "Dataset501_US"
ONE_FOLD = (frozenset({"p"}),)


def at_once(tasks: list[Callable[[], object]]) -> list[object]:
    """What each gives, or the error that it raises, all begun in one moment."""
    gate = Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        gate.wait()
        try:
            return task()
        except FormatError as error:
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_of_several_models_that_begin_at_once_one_has_the_folder(links: bool, tmp_path: Path, monkeypatch):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no links here")))
    for round_ in range(40):
        mark = tmp_path / str(round_) / "made.from"
        found = at_once([lambda who=who: claim(mark, who, "model's predictions") for who in "abcdef"])
        assert sum(one is None for one in found) == 1
        assert mark.read_text() == "abcdef"[found.index(None)]
        assert [path.name for path in mark.parent.iterdir()] == ["made.from"], "nothing is left beside it"


def test_a_mark_that_is_there_stays_and_its_own_model_goes_on(tmp_path: Path):
    assert claimed(tmp_path / "mark", "a") == claimed(tmp_path / "mark", "b") == "a"
    claim(tmp_path / "mark", "a", "model's predictions")


def raw_of(work: Path, grey: int) -> Path:
    """A data set of one slice."""
    store, row = work / f"store{grey}", SliceRow("s", "c", "p", "k", 0, 4.0, 32, 32, 0.5, 0.5)
    write_slice(np.full((32, 32), grey, np.float32), (0.5, 0.5), row.image(store))
    write_slice(np.pad(np.ones((4, 4), np.uint8), 14), (0.5, 0.5), row.label(store))
    write_slices([row], store / "slices.csv")
    write_dataset([store], work / "nnUNet_raw" / DATASET, Choice(), ONE_FOLD)
    return work / "nnUNet_raw" / DATASET


def test_a_data_set_is_not_replaced_under_a_training(tmp_path: Path):
    """The second training overwrote it, and deleted what the first one was reading."""
    raw, fold = raw_of(tmp_path, 7), model_folder(tmp_path, DATASET, "full") / "fold_0"
    claim_fold(fold, data_of(raw), "")
    before = data_of(raw)
    with training(fold, raw):
        assert raw_of(tmp_path, 7) == raw, "the same slices again are no other data set"
        with pytest.raises(FormatError, match=r"fold_0 is being trained on other slices: wait for its end"):
            raw_of(tmp_path, 8)
    assert data_of(raw) == before
    raw_of(tmp_path, 8)
    with pytest.raises(FormatError, match="was given other slices in this moment"), training(fold, raw):
        pass
    with pytest.raises(FormatError, match="was given other slices in this moment"):
        begin(tmp_path, DATASET, FitSettings(fold=1), before)
    assert not (fold.parent / "fold_1").exists()


def test_the_folds_of_a_model_share_one_data_set(tmp_path: Path):
    raw, model = raw_of(tmp_path, 7), model_folder(tmp_path, DATASET, "full")
    claim_fold(model / "fold_0", data_of(raw), "")
    raw_of(tmp_path, 8)
    with pytest.raises(FormatError, match=r"fold_0 was trained on another data set, and a model's folds share one"):
        begin(tmp_path, DATASET, FitSettings(fold=1))
    assert not (model / "fold_1" / DATA).exists()


def test_a_postprocessing_is_not_chosen_on_slices_that_trained_the_model(tmp_path: Path):
    """Its data set was replaced since, so that the folds' validation slices are others."""
    raw, model = raw_of(tmp_path, 7), model_folder(tmp_path, DATASET, "full")
    for fold in range(5):
        claim_fold(model / f"fold_{fold}", data_of(raw), "")
        (model / f"fold_{fold}" / "checkpoint_final.pth").touch()
    raw_of(tmp_path, 8)
    with pytest.raises(FormatError, match=r"is another data set by now than .*fold_0 was trained on"):
        choose_postprocessing(model, tmp_path, checkpoint="best", device="cpu", jobs=1)
