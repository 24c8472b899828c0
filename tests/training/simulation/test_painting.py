"""Painted tumours: away from what is ignored, as bright as drawn, and the volume's own speckle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from training.simulation.painting import IGNORED, paint

SHAPE = (60, 64, 56)


def _volume(seed: int = 3) -> np.ndarray:
    """A ball of speckle around grey 30; 0 outside."""
    k, j, i = np.indices(SHAPE)
    inside = (k - 30) ** 2 + (j - 32) ** 2 + (i - 28) ** 2 < 27**2
    speckle = ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 1, SHAPE), 0.7) * 12
    return np.where(inside, np.clip(30 + speckle, 2, 120), 0).astype(np.float32)


def _ignored() -> np.ndarray:
    k, j, i = np.indices(SHAPE)
    return (k - 30) ** 2 + (j - 20) ** 2 + (i - 28) ** 2 < 8**2


@given(seed=st.integers(0, 500))
@settings(max_examples=15, deadline=None)
def test_nothing_is_painted_into_what_is_ignored_or_outside(seed: int) -> None:
    volume, ignored = _volume(), _ignored()
    painted = paint(np.random.default_rng(seed), volume, 1.0, ignored)
    if painted is None:
        return
    assert (painted.label[ignored & (volume > 0)] == IGNORED).all()
    assert not painted.image[volume == 0].any()
    assert (painted.image[volume > 0] >= 1).all()
    tumour = painted.label == 1
    assert tumour.any()
    assert ndimage.label(tumour)[1] == 1


def test_equal_seeds_paint_equal_tumours() -> None:
    one, other = (paint(np.random.default_rng(11), _volume(), 1.0, _ignored()) for _ in range(2))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.label, other.label)


def test_half_of_the_bodies_are_as_bright_as_what_lies_around_them() -> None:
    volume, nothing = _volume(), np.zeros(SHAPE, np.bool_)
    ratios = []
    for seed in range(40):
        painted = paint(np.random.default_rng(seed), volume, 1.0, nothing)
        if painted is None:
            continue
        core = ndimage.binary_erosion(painted.label == 1, iterations=2)
        if core.sum() < 100:
            continue
        around = ndimage.binary_dilation(painted.label == 1, iterations=6) & (painted.label != 1) & (volume > 0)
        around &= ~ndimage.binary_dilation(painted.label == 1, iterations=2)  # without the sulci along the edge
        ratios.append(painted.image[core].mean() / painted.image[around].mean())
    blended = np.mean([0.82 < ratio < 1.2 for ratio in ratios])
    assert len(ratios) > 25
    assert 0.3 < blended < 0.8
    assert max(ratios) > 1.25


def test_where_nothing_is_known_only_the_tumour_and_its_surroundings_are_taught() -> None:
    painted = paint(np.random.default_rng(5), _volume(), 1.0, np.zeros(SHAPE, np.bool_), known=False)
    assert painted is not None
    away = ndimage.distance_transform_edt(painted.label != 1)
    sector = _volume() > 0
    assert (painted.label[sector & (away > 25)] == IGNORED).all()
    assert (painted.label[sector & (away <= 2)] != IGNORED).all()


@pytest.mark.parametrize("volume", [np.zeros(SHAPE, np.float32), _volume()])
def test_without_a_place_nothing_is_painted(volume: np.ndarray) -> None:
    assert paint(np.random.default_rng(1), volume, 1.0, np.ones(SHAPE, np.bool_)) is None
