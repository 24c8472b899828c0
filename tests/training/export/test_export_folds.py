"""Several folds in one file: thorough mode shows where they disagree, and the live path pays nothing for it."""

import numpy as np
import pytest
import torch

from inference.contract import Mode
from inference.model.engine import FOLD_VARIANCE, Engine
from inference.model.preprocessing import prepare
from training.export.export import export_model
from training.export.network import build_network
from training.export.samples import draw_samples
from training.nnunet.results.checkpoint import read_trained

CPU = ["CPUExecutionProvider"]
SAMPLES = draw_samples(2, seed=1, field_mm=(14.0, 30.0)) + draw_samples(2, seed=2, field_mm=(45.0, 60.0))
"""Slices of one tile, and of several."""


@pytest.fixture(scope="module")
def three(model_folder, tmp_path_factory):
    """Three trained folds, exported into one file together and into one file each."""
    folder, out = model_folder(folds=3), tmp_path_factory.mktemp("folds")
    for name, folds in {"all": (0, 1, 2), "one": (0,)}.items():
        export_model(folder, out / f"{name}.onnx", folds=folds, name="Blobs", simulated=True)
    fused, single = (Engine.load(out / f"{name}.onnx", providers=CPU) for name in ("all", "one"))
    return read_trained(folder, range(3)), fused, single


def test_the_variance_is_that_of_the_folds_probabilities(three):
    trained, fused, _ = three
    tile = prepare(SAMPLES[1].pixels, SAMPLES[1].spacing_mm, fused.contract.input).tile((0, 0))
    with torch.inference_mode():
        each = [torch.softmax(build_network(trained, fold)(torch.from_numpy(tile)), 1)[0, 1] for fold in range(3)]
    planes = fused._planes(tile, ["logits", FOLD_VARIANCE])
    np.testing.assert_allclose(planes[2], np.var(each, axis=0), atol=1e-5)
    assert planes[2].max() > 1e-4, "the folds say the same, so that nothing is proved"
    np.testing.assert_array_equal(planes[:2], fused.run(tile))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.pixels.shape}")
def test_folds_add_to_where_mirrors_disagree(three, sample):
    _, fused, _ = three
    found = fused.segment(sample.pixels, sample.spacing_mm, Mode.THOROUGH)
    logits_only = Engine.load(fused.path, providers=CPU)
    logits_only._outputs = logits_only._outputs[:1]
    mirrored = logits_only.segment(sample.pixels, sample.spacing_mm, Mode.THOROUGH)
    np.testing.assert_array_equal(found.margin.whole(), mirrored.margin.whole())
    assert found.disagreement.shape == sample.pixels.shape
    assert (found.disagreement >= mirrored.disagreement - 1e-3).all()
    assert found.disagreement.max() <= 1
    assert not found.disagreement[found.margin.whole() < -50].any(), "where the network never looked"


def test_one_pass_does_not_say_where_folds_disagree(three):
    _, fused, single = three
    sample = SAMPLES[1]
    assert fused.segment(sample.pixels, sample.spacing_mm).disagreement is None
    assert fused._outputs == ["logits", FOLD_VARIANCE]
    assert single._outputs == ["logits"]
