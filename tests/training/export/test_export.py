"""Exporting a trained nnU-Net folder: the file, its contract, its card, and what is refused."""

import hashlib
import json
import pickle
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from tiny import threshold_model

from inference.errors import FormatError, ModelError
from inference.model.engine import Engine
from inference.model.golden import unpack
from inference.model.onnxruntime_session import TimedSession
from training.export import parity
from training.export.bundle.write import write_bundle
from training.export.export import export_model
from training.export.proof import draft
from training.nnunet.results.checkpoint import read_trained


def _band(low, high):
    scores = {"dice_mean": 0.5, "dice_sd": 0.1, "dice_median": None, "area_error_mean": -0.05}
    return {"band": [low, high], "n_slices": 10, "n_patients": 5, **scores}


SUMMARY = {
    "data": {"name": "sealed cohort", "simulated": True, "n_patients": 6, "n_slices": 30},
    "mode": "fast",
    "by_predicted_area": [_band(0, 35), _band(35, 200), _band(200, None)],
    "by_true_area": [_band(0, 35), _band(35, 200), _band(200, None)],
    "miss_rate": 0.1,
    "positive_rate": 0.9,
    "specificity": 0.8,
    "specificity_35mm2": 0.95,
    "baseline": {"dice_mean": 0.2},
}


@pytest.fixture(scope="module")
def exported(model_folder, tmp_path_factory):
    folder, model = tmp_path_factory.mktemp("exported"), model_folder(folds=2)
    scores = folder / "summary.json"
    data = SUMMARY["data"] | {"checkpoints": list(read_trained(model, [0, 1]).checkpoints)}
    scores.write_text(json.dumps(SUMMARY | {"data": data}))
    out = folder / "out" / "blobs.onnx"
    settings = {"name": "Blobs", "simulated": True, "folds": (0, 1), "evaluation": [scores]}
    return out, export_model(model, out, **settings)


def test_the_file_knows_its_recipe(exported):
    out, sealed = exported
    engine = Engine.load(out)
    assert engine.contract == sealed
    assert engine.self_test.cases == 4
    assert (sealed.input.patch, sealed.input.spacing_mm, sealed.input.divisor) == ((64, 80), (0.6, 0.5), (4, 4))
    assert sealed.input.seen.rows == (60, 140)
    assert sealed.output.mirror_axes == (0, 1)
    assert sealed.reliability.fast is not None
    assert sealed.reliability.fast.by_true_area[2].band == (200.0, None)
    assert sorted(file.name for file in out.parent.iterdir()) == ["blobs.md", "blobs.onnx"]


def test_the_file_carries_its_proof(exported):
    fast, thorough = exported[1].parity
    assert (fast.mode, fast.n_slices, thorough.mode, thorough.n_slices) == ("fast", 70, "thorough", 24)
    assert fast.identical >= 0.9
    assert fast.dice_min > 0.99
    assert sum(band.n_slices for band in fast.by_area) <= fast.n_slices
    assert all(band.identical is None or band.identical >= 0.8 for band in fast.by_area)
    assert 0 < fast.logit_error_mean < fast.logit_error_max < 1e-3
    assert fast.versions["nnunetv2"] == version("nnunetv2")


def test_a_bundle_takes_along_the_weights_that_it_was_exported_from(exported, model_folder, tmp_path):
    out, _ = exported
    write_bundle(out, tmp_path / "blobs", read_trained(model_folder(folds=2), [0, 1]))
    with pytest.raises(ModelError, match="give --folds"):
        write_bundle(out, tmp_path / "half", read_trained(model_folder(folds=2), [0]))
    state = torch.load(tmp_path / "blobs/models/model.pt", weights_only=True)
    assert {name.split(".")[1] for name in state} == {"0", "1"}
    assert (tmp_path / "blobs/scripts/folds.py").is_file()
    assert json.loads((tmp_path / "blobs/configs/weights.json").read_text())["initialize"]


def test_the_card_says_what_it_must(exported):
    out, _ = exported
    card = out.with_suffix(".md").read_text()
    assert "Research use only. Not for diagnosis or treatment." in card
    assert "never evidence of clinical accuracy" in card
    assert "The simulator does not show" in card
    assert hashlib.sha256(out.read_bytes()).hexdigest() in card


def test_golden_cases_show_an_exchange_of_axes(exported):
    path, sealed = exported
    metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    *tumours, none = unpack(metadata, sealed.self_test.golden_sha256)
    assert not none.mask.any()
    assert none.pixels.any()
    assert len({tumour.pixels.tobytes() for tumour in tumours}) == 3
    for tumour in tumours:
        assert tumour.mask.any()
        assert tumour.pixels.shape[0] != tumour.pixels.shape[1]
        assert tumour.spacing_mm[0] != pytest.approx(tumour.spacing_mm[1], rel=0.01)
    largest = tumours[0]
    for flipped in (largest.mask[::-1], largest.mask[:, ::-1]):
        assert (flipped != largest.mask).mean() > 0.01


def test_folds_are_fused(exported):
    path, sealed = exported
    assert sealed.output.folds == 2
    assert len(set(sealed.provenance.checkpoint_sha256)) == 2
    norms = sum(node.op_type == "Sqrt" for node in onnx.load(path).graph.node)
    assert norms == 10


def test_nothing_is_written_when_parity_fails(model_folder, tmp_path, monkeypatch):
    folder, other = model_folder(), tmp_path / "other"
    predict = parity.Reference.predict
    # The reference is one row off, as if the export had shifted the picture.
    monkeypatch.setattr(
        parity, "predict_all", lambda ref, samples: [_shifted(predict(ref, s.pixels, s.spacing_mm)) for s in samples]
    )
    with pytest.raises(ModelError, match=r"nothing was written(?s:.*)simulated_"):
        export_model(folder, other / "m.onnx", name="Blobs", simulated=True)
    assert not other.exists()


def _shifted(mask):
    return np.roll(mask, 1, axis=0)


def test_a_checkpoint_that_would_run_code_is_not_opened(model_folder, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path(tmp_path / "boom").touch, ())

    folder = model_folder()
    torch.save({"network_weights": {}, "bomb": Bomb()}, folder / "fold_0" / "checkpoint_best.pth")
    with pytest.raises(ModelError, match="could run code"):
        export_model(folder, tmp_path / "m.onnx", name="x", simulated=True)
    (folder / "fold_0" / "checkpoint_best.pth").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelError, match="could run code"):
        export_model(folder, tmp_path / "m.onnx", name="x", simulated=True)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda _, plan: plan.update(normalization_schemes=["CTNormalization"]), "z-score"),
        (lambda _, plan: plan["resampling_fn_data_kwargs"].update(order=1), "order 3"),
        (lambda _, plan: plan.update(preprocessor_name="Other"), "preprocessor"),
        (lambda plans, _: plans.update(image_reader_writer="NibabelIOWithReorient"), "as they are stored"),
        (lambda plans, _: plans.update(image_reader_writer="SimpleITKIOWithReorient"), "as they are stored"),
        (lambda plans, _: plans.update(original_median_shape_after_transp=[40.0, 64.0, 80.0]), "normalised as a whole"),
    ],
)
def test_a_recipe_we_do_not_reproduce_is_refused(model_folder, tmp_path, change, sentence):
    folder = model_folder()
    plans = json.loads((folder / "plans.json").read_text())
    change(plans, plans["configurations"]["2d"])
    (folder / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(ModelError, match=sentence):
        export_model(folder, tmp_path / "m.onnx", name="x", simulated=True)


def test_a_missing_fold_and_a_damaged_checkpoint_are_one_sentence(model_folder, tmp_path):
    folder = model_folder()
    with pytest.raises(ModelError, match=r"no checkpoint at .*fold_3"):
        export_model(folder, tmp_path / "m.onnx", name="x", simulated=True, folds=(3,))
    with pytest.raises(ModelError, match="Fold 0 is named twice"):
        export_model(folder, tmp_path / "m.onnx", name="x", simulated=True, folds=(0, 0))
    file = folder / "fold_0" / "checkpoint_best.pth"
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(ModelError, match="damaged"):
        export_model(folder, tmp_path / "m.onnx", name="x", simulated=True)


def test_a_clinical_model_must_say_on_whom_it_was_trained(model_folder, tmp_path):
    folder = model_folder()
    with pytest.raises(ModelError, match="labels come from"):
        export_model(folder, tmp_path / "m.onnx", name="x")
    with pytest.raises(ModelError, match="on whom"):
        export_model(folder, tmp_path / "m.onnx", name="x", label_origin="mri")


def test_an_evaluation_of_another_shape_is_refused(model_folder, tmp_path):
    summary = tmp_path / "summary.json"
    summary.write_text(json.dumps({"mode": "thorough"}))
    with pytest.raises(FormatError, match="no summary"):
        export_model(model_folder(), tmp_path / "m.onnx", name="x", simulated=True, evaluation=[summary])


def test_a_proof_may_take_longer_than_the_trial_of_a_strangers_file(tmp_path, monkeypatch):
    """Full-size networks took longer over all slices of the check than a window may wait for its model."""
    threshold_model(tmp_path / "m.onnx")
    monkeypatch.setattr(TimedSession.__init__, "__defaults__", (0.0,))
    engine = draft(onnx.load(tmp_path / "m.onnx"))
    pixels = np.tile(np.arange(80, dtype=np.uint8), (60, 1))
    assert engine.segment(pixels, (0.33, 0.33)).margin.mask().any()
