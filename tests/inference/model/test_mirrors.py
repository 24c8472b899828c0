"""Turning tiles over and back, and where passes disagree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import expit
from tiny import threshold_model

from inference.contract import Mode
from inference.model import mirrors
from inference.model.engine import Engine
from inference.model.logits import probability
from inference.sources.simulated import PhantomSource

PLANES = hnp.arrays(np.float32, hnp.array_shapes(min_dims=3, max_dims=4, max_side=5), elements=st.integers(-9, 9))


@given(PLANES, st.sampled_from(mirrors.ways((0, 1))))
def test_turned_twice_is_nothing(planes, axes):
    np.testing.assert_array_equal(mirrors.turned(mirrors.turned(planes, axes), axes), planes)


def test_rows_and_columns_are_not_mistaken():
    tile = np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3)
    assert mirrors.turned(tile, (0,))[0, 0].tolist() == [[3, 4, 5], [0, 1, 2]]
    assert mirrors.turned(tile, (1,))[0, 0].tolist() == [[2, 1, 0], [5, 4, 3]]


def test_ways_are_nnunets_in_its_order():
    assert mirrors.ways((0, 1)) == ((), (0,), (1,), (0, 1))
    assert mirrors.ways((1,)) == ((), (1,))
    assert mirrors.ways(()) == ((),)


def test_disagreement_is_that_of_probabilities():
    sure, doubt, split = np.float32(30), np.float32(0), np.float32(40)
    found = mirrors.disagreement([np.array([[sure, doubt, split]]), np.array([[sure, doubt, -split]])])
    np.testing.assert_allclose(found, [[0, 0, 0.5]], atol=1e-6)


def test_variances_between_passes_and_between_folds_add_up():
    """Two passes of two folds each, whose probabilities are 0.1 and 0.3, 0.5 and 0.9."""
    folds = np.array([[0.1, 0.3], [0.5, 0.9]])
    passes = [np.log(share / (1 - share)).reshape(1, 1) for share in folds.mean(axis=1)]
    within = folds.var(axis=1).mean().astype(np.float32).reshape(1, 1)
    np.testing.assert_allclose(mirrors.disagreement(passes, within), folds.std(), rtol=1e-5)


def test_a_probability_is_scipys_to_rounding_and_overflows_nowhere():
    odds = np.concatenate([np.linspace(-20, 20, 9999), [-1e30, -200, 0, 200, 1e30]]).astype(np.float32)
    share = probability(odds)
    assert share.dtype == np.float32
    np.testing.assert_allclose(share, expit(odds), rtol=0, atol=2e-7)


def test_a_network_without_neighbours_does_not_care_for_mirrors(tmp_path):
    """A threshold looks at one pixel, so that every pass says the same."""
    threshold_model(tmp_path / "model.onnx")
    engine, frame = Engine.load(tmp_path / "model.onnx"), PhantomSource().read(7)
    fast = engine.segment(frame.pixels, (0.15, 0.15))
    thorough = engine.segment(frame.pixels, (0.15, 0.15), Mode.THOROUGH)
    np.testing.assert_allclose(thorough.margin.whole(), fast.margin.whole(), atol=1e-3)
    assert thorough.disagreement is not None
    assert thorough.disagreement.max() == pytest.approx(0, abs=1e-4)
