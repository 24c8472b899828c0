"""Imported models give nnU-Net's masks from the same files: old plans, residual encoders, several folds."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inference.contract import Identity
from inference.model.engine import Engine
from inference.model.segmentation import mask_of
from training.export import parity
from training.export import training_facts as facts
from training.export.contract import contract_of
from training.export.golden_cases import golden_cases
from training.export.input_ranges import seen_in_training
from training.export.network import to_onnx
from training.export.onnx_file import seal, write_onnx
from training.export.samples import draw_samples
from training.nnunet.results.checkpoint import read_trained
from training.nnunet.results.postprocessing import largest_component

SMALL = draw_samples(12, seed=1, field_mm=(12.0, 40.0))
LARGE = draw_samples(6, seed=2, field_mm=(45.0, 60.0))
MODELS = {
    "old plans, three folds": {"old": True, "folds": 3},
    "residual, old plans": {"residual": True, "old": True, "mask_normalisation": True},
}


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
def test_an_import_says_what_nnunet_says(model_folder, tmp_path, settings):
    folder = model_folder(**settings)
    trained = read_trained(folder, range(settings.get("folds", 1)), postprocessing="largest")
    # nnU-Net gets the file as it is and updates it itself.
    raw = dataclasses.replace(trained, plans=json.loads((folder / "plans.json").read_text()))
    with pytest.warns(UserWarning, match="old nnU-Net plans"):
        reference = parity.Reference(raw)
    engine = _engine(trained, reference, tmp_path)
    masks = parity.predict_all(reference, SMALL + LARGE)
    comparisons = parity.compare_all(engine, SMALL + LARGE, masks)
    parity.demand(comparisons)
    assert sum(one.reference_px > 0 for one in comparisons) > len(comparisons) / 2
    assert {one.tiles == 1 for one in comparisons} == {True, False}


def _engine(trained, reference, folder):
    identity = Identity(name="x", version="1", created="2025-01-01", licence="none", intended_use="tests")
    population = facts.simulated_population(0, native=False)
    contract = contract_of(trained, identity, population, seen_in_training(trained), {}, "simulated")
    model = to_onnx(trained)
    masks = parity.predict_all(reference, SMALL[:4])
    seal(model, contract, golden_cases(reference, SMALL[:4], masks))
    write_onnx(model, folder / "model.onnx")
    return Engine.load(folder / "model.onnx", providers=["CPUExecutionProvider"])


@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12), elements=st.integers(0, 1))
)
def test_the_largest_piece_is_nnunets(mask):
    ours = mask_of(mask.astype(np.float32) - 0.5, keep_largest=True)
    theirs = largest_component(mask)
    np.testing.assert_array_equal(ours, theirs)
