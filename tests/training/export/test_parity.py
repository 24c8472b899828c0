"""Masks equal those of nnU-Net's own predictor and preprocessing on the same checkpoint."""

import cv2
import numpy as np
import pytest

from inference.contract import Identity, Mode
from inference.errors import ModelError
from inference.model.engine import Engine
from training.export import parity
from training.export import training_facts as facts
from training.export.contract import contract_of
from training.export.golden_cases import golden_cases, insist
from training.export.input_ranges import seen_in_training
from training.export.network import to_onnx
from training.export.onnx_file import seal, write_onnx
from training.export.samples import draw_samples
from training.nnunet.results.checkpoint import read_trained

SLICES = 70
"""Mixed sizes (1 to 3 patches a side), spacings 0.2 to 0.8 mm, rows and columns drawn separately."""


@pytest.fixture(
    scope="module", params=[(False, False), (True, False), (False, True)], ids=["plain", "mask", "transposed"]
)
def both(request, model_folder, tmp_path_factory):
    """The same checkpoint, run by nnU-Net and by us."""
    mask_normalisation, transposed = request.param
    trained = read_trained(model_folder(mask_normalisation=mask_normalisation, transposed=transposed), [0])
    reference = parity.Reference(trained)
    identity = Identity(name="x", version="1", created="2025-01-01", licence="none", intended_use="tests")
    population = facts.simulated_population(0, native=False)
    contract = contract_of(trained, identity, population, seen_in_training(trained), {}, "simulated")
    samples = draw_samples(10, seed=5)
    cases = golden_cases(reference, samples, parity.predict_all(reference, samples))
    model = to_onnx(trained)
    seal(model, contract, cases)
    path = tmp_path_factory.mktemp("parity") / "model.onnx"
    write_onnx(model, path)
    return trained, reference, Engine.load(path)


def test_masks_equal_nnunets(both):
    _, reference, engine = both
    small = draw_samples(SLICES, seed=1, field_mm=(12.0, 40.0))
    large = draw_samples(SLICES, seed=2, field_mm=(40.0, 70.0))
    samples = small + large
    comparisons = parity.compare_all(engine, samples, parity.predict_all(reference, samples))
    single = [one for one in comparisons if one.tiles == 1]
    tiled = [one for one in comparisons if one.tiles > 1]
    assert len(single) >= SLICES - 5
    assert len(tiled) >= SLICES - 5
    assert sum(one.reference_px > 0 for one in comparisons) > SLICES
    assert max(one.differing_px for one in single) <= 1
    assert sum(one.differing_px == 0 for one in single) >= 0.95 * len(single), parity.table(single)
    assert all(one.differing_px <= max(2, one.reference_px * 0.001) for one in tiled), parity.table(tiled)
    # We round as nnU-Net does, so only the last bit of two convolutions can differ.
    assert sum(one.differing_px == 0 for one in comparisons) >= 0.97 * len(comparisons), parity.table(comparisons)


def test_masks_equal_nnunets_where_black_holes_are_in_the_sector(both):
    """Cysts and shadows are 0 in real volumes; counting them as inside or outside changes mean and SD."""
    _, reference, engine = both
    rng = np.random.default_rng(7)
    samples = draw_samples(12, seed=1, field_mm=(20.0, 60.0))
    for one in samples:
        rows, cols = one.pixels.shape
        centre = (int(cols * rng.uniform(0.3, 0.7)), int(rows * rng.uniform(0.3, 0.6)))
        cv2.circle(one.pixels, centre, min(rows, cols) // 6, 0, cv2.FILLED)
    masks = parity.predict_all(reference, samples)
    comparisons = parity.compare_all(engine, samples, masks)
    parity.demand(comparisons)
    assert all(one.differing_px <= 1 for one in comparisons), parity.table(comparisons)


def test_masks_equal_nnunets_with_mirrors(both):
    trained, _, engine = both
    reference = parity.Reference(trained, Mode.THOROUGH)
    samples = draw_samples(15, seed=3, field_mm=(12.0, 40.0)) + draw_samples(8, seed=4, field_mm=(40.0, 60.0))
    masks = parity.predict_all(reference, samples)
    comparisons = parity.compare_all(engine, samples, masks, Mode.THOROUGH)
    parity.demand(comparisons)
    fast = parity.compare_all(engine, samples, masks)
    assert any(one.differing_px > 2 for one in fast), "mirrors change nothing here, so that nothing is proved"


def test_passes_disagree_where_the_network_is_in_doubt(both):
    _, _, engine = both
    sample = draw_samples(2, seed=1)[1]
    one, several = (engine.segment(sample.pixels, sample.spacing_mm, mode) for mode in (Mode.FAST, Mode.THOROUGH))
    assert one.disagreement is None
    assert several.disagreement is not None
    assert several.disagreement.shape == sample.pixels.shape
    assert several.disagreement[one.margin.whole() < -10].max() < 0.05 < several.disagreement.max() <= 0.5


def test_a_model_that_few_slices_prove_is_refused(both):
    _, reference, _ = both
    samples = draw_samples(2, seed=5)
    masks = parity.predict_all(reference, samples)
    assert 0 < sum(mask.any() for mask in masks) < 3
    with pytest.raises(ModelError, match="the self-test needs 3: give more tumour slices"):
        insist(golden_cases(reference, samples, masks))
