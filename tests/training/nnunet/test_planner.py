"""nnU-Net's residual encoders and the transformer, from their plans to a file that runs in the engine."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from fitting import ius_train

from inference.errors import NotFoundError
from inference.model.engine import Engine
from inference.model.segmentation import mask_of
from training.cli import main
from training.export.export import export_model
from training.nnunet import transformer
from training.nnunet.names import STARTED, model_folder
from training.nnunet.predict import load_folds
from training.nnunet.results.checkpoint import read_checkpoint
from training.slicing.slices import SliceRow, read_slice, read_slices

PLANS = ("resenc-m", "swin-unetr")
SHORT = ("--epochs", 1, "--iterations", 1, "--val-iterations", 1, "--batch-size", 2, "--workers", 0, "--jobs", 1)
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def fitted(model: Path, store: Path) -> dict[str, Path]:
    """Plan -> its folder, each trained for a batch; and the real-time network, started from its own checkpoint."""
    work, begun = model.parents[2], model / "fold_0" / "checkpoint_final.pth"
    wanted = [*(("--plan", plan) for plan in PLANS), ("--plan", "realtime", "--variant", "on", "--start", begun)]
    for one in wanted:
        done = ius_train("fit", store, "--work", work, "--title", "Ellipsoids", *SHORT, *one)
        assert done.returncode == 0, done.stderr
    assert "Started from checkpoint_final.pth: " in done.stdout
    dataset = model.parent.name
    return {plan: model_folder(work, dataset, plan) for plan in PLANS} | {
        "on": model_folder(work, dataset, "realtime", "on")
    }


def planned(folder: Path) -> dict:
    return json.loads((folder / "plans.json").read_text())


def given(row: SliceRow, store: Path) -> tuple[np.ndarray, dict]:
    """A slice as nnU-Net's reader gives it."""
    spacing = (row.row_mm, row.col_mm)
    return read_slice(row.image(store))[None, None].astype(np.float32), {"spacing": [999.0 * max(spacing), *spacing]}


def test_the_presets_are_nnunets_own_under_its_names(fitted):
    plans = planned(fitted["resenc-m"])
    assert "__nnUNetResEncUNetMPlans__" in fitted["resenc-m"].name
    assert (plans["plans_name"], plans["experiment_planner_used"]) == ("nnUNetResEncUNetMPlans", "nnUNetPlannerResEncM")
    network = plans["configurations"]["2d"]["architecture"]
    assert network["network_class_name"].endswith(".ResidualEncoderUNet")
    assert network["arch_kwargs"]["n_blocks_per_stage"] == [1, 3, 4, 6, 6, 6][: network["arch_kwargs"]["n_stages"]]
    shared = {planned(fitted[plan])["configurations"]["2d"]["data_identifier"] for plan in PLANS}
    assert shared == {"nnUNetPlans_2d"}, "preprocessed once for both, as for nnU-Net's own"


def test_the_transformer_is_planned_in_halvings_and_trained_by_adamw(fitted):
    one = planned(fitted["swin-unetr"])["configurations"]["2d"]
    assert one["architecture"]["network_class_name"] == transformer.CLASS
    assert all(side % 32 == 0 and side >= 64 for side in one["patch_size"])
    state = read_checkpoint(fitted["swin-unetr"] / "fold_0" / "checkpoint_final.pth")
    (group,) = state["optimizer_state"]["param_groups"]
    assert group["weight_decay"] == transformer.WEIGHT_DECAY
    assert 0 < group["lr"] <= transformer.LEARNING_RATE


@pytest.mark.parametrize("plan", PLANS)
def test_nnunets_predictor_takes_what_was_trained(fitted, store: Path, plan: str):
    row = read_slices(store)[0]
    predictor = load_folds(fitted[plan], [0], "final").predictor
    mask = predictor.predict_single_npy_array(*given(row, store))[0]
    assert mask.shape == (row.rows, row.cols)
    assert set(mask.ravel()) <= {0, 1}


@pytest.mark.skipif("IUS_ALL_STEPS" not in os.environ, reason="computes for long: soak_steps.py runs it")
@pytest.mark.parametrize("plan", PLANS)
def test_an_export_gives_nnunets_masks_in_the_engine(fitted, store: Path, tmp_path: Path, plan: str):
    few, out, rows = tmp_path / "few", tmp_path / "m.onnx", read_slices(store)[::20]
    few.mkdir()
    for row in rows:
        (few / row.image(store).name).symlink_to(row.image(store))
    sealed = export_model(fitted[plan], out, name=plan, simulated=True, verify=few, checkpoint="final", trial=True)
    assert sealed.input.divisor[0] in (8, 32)
    assert all(one.n_slices and one.reference.startswith("nnUNetPredictor") for one in sealed.parity)
    engine, predictor = Engine.load(out), load_folds(fitted[plan], [0], "final").predictor
    for row in rows:
        pixels = read_slice(row.image(store))
        mask = mask_of(engine.segment(pixels, (row.row_mm, row.col_mm)).margin, keep_largest=False) > 0
        theirs = predictor.predict_single_npy_array(*given(row, store))[0]
        assert (mask != (theirs > 0)).sum() <= 1


def test_a_fit_from_a_checkpoint_says_so_in_its_receipt(fitted, model: Path):
    fold = fitted["on"] / "fold_0"
    told = json.loads((fold / "receipt-fit.json").read_text())["settings"]["started"]
    assert told == json.loads((fold / STARTED).read_text())
    assert (told["encoder_share"], told["other_shape"], told["random"], told["unused"]) == (1.0, [], [], [])
    assert f"start {told['digest']}" in (fold / "learning.txt").read_text()
    assert not (model / "fold_0" / STARTED).exists()


def test_without_monai_the_transformer_is_refused_before_anything_begins(monkeypatch):
    monkeypatch.setattr(transformer, "find_spec", lambda _: None)
    with pytest.raises(NotFoundError, match=r"pip install '\.\[transformer\]'"):
        transformer.check_monai()


def test_a_checkpoint_that_is_not_there_is_one_sentence(store: Path, tmp_path: Path, capsys):
    words = ["fit", str(store), "--work", str(tmp_path), "--start", str(tmp_path / "no.pth")]
    assert main(words) == 2
    assert "to start from: give the path of an exported .onnx, or of a checkpoint." in capsys.readouterr().err
