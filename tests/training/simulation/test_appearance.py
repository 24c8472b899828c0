"""A volume takes over how another looks, and nothing of what it shows is moved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from training.simulation import CohortError
from training.simulation.appearance import RING, SHOWN, Spacing, appearance_of, with_appearance
from training.simulation.noise import Field

SIDE, MM = 64, (0.5, 0.5, 0.5)
PLACES = np.indices((SIDE, SIDE, SIDE)) - SIDE // 2
INSIDE: NDArray[np.bool_] = np.abs(PLACES[0]) + np.abs(PLACES[1]) < 28
BALL: NDArray[np.bool_] = (PLACES**2).sum(axis=0) < 14**2


def speckle(seed: int, blur: float, *, ball: float = 1.0, scale: float = 20.0) -> Field:
    """A sector of speckle, with a ball of 14 mm that is so many times as bright."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=INSIDE.shape), blur)
    grey = scale * np.exp(0.4 * noise / noise.std()) * np.where(BALL, ball, 1.0)
    return np.where(INSIDE, grey + 1.0, 0.0).astype(np.float32)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 99), blur=st.floats(0.0, 1.5), wanted=st.floats(0.0, 1.5), scale=st.floats(5.0, 60.0))
def test_levels_are_the_wanted_ones_and_nothing_comes_from_outside(
    seed: int, blur: float, wanted: float, scale: float
) -> None:
    look = appearance_of(speckle(seed + 100, wanted, scale=scale), MM)
    matched = with_appearance(speckle(seed, blur), MM, look)
    assert matched.dtype == np.float32
    assert np.array_equal(matched > 0, INSIDE)
    assert appearance_of(matched, MM).levels == pytest.approx(look.levels, rel=0.01)


@pytest.mark.parametrize(("blur", "wanted"), [(0.0, 1.2), (1.2, 0.5), (0.8, 0.0)])
def test_texture_comes_nearer_at_every_frequency_that_is_texture(blur: float, wanted: float) -> None:
    look = appearance_of(speckle(1, wanted), MM)
    before = speckle(2, blur)
    after = with_appearance(before, MM, look)
    power = [appearance_of(volume, MM).power[SHOWN:] for volume in (before, after)]
    off = [np.abs(np.log(one / look.power[SHOWN:])) for one in power]
    assert np.mean(off[1]) < 0.5 * np.mean(off[0])
    assert off[1].max() < max(0.5, off[0].max())


def test_its_own_appearance_changes_next_to_nothing() -> None:
    volume = speckle(3, 0.7, ball=1.5)
    again = with_appearance(volume, MM, appearance_of(volume, MM))
    assert np.abs(again - volume)[INSIDE].mean() < 0.01 * volume[INSIDE].mean()


@pytest.mark.parametrize("ball", [1.6, 0.6])
def test_what_it_shows_stays_where_it_is_and_as_bright_beside_the_rest(ball: float) -> None:
    """A ball of 14 mm: the appearance is that of a volume without one."""
    volume = speckle(4, 0.8, ball=ball)
    matched = with_appearance(volume, MM, appearance_of(speckle(5, 0.3), MM))
    large = [ndimage.gaussian_filter(one, 3.0)[INSIDE] for one in (volume, matched)]
    assert np.corrcoef(*large)[0, 1] > 0.9
    shell = ndimage.binary_dilation(BALL, iterations=8) & ~ndimage.binary_dilation(BALL, iterations=2) & INSIDE
    contrast = matched[BALL & INSIDE].mean() / matched[shell].mean()
    assert contrast > 1.1 if ball > 1 else contrast < 0.9


@pytest.mark.parametrize("factor", [3.0, 1 / 3])
def test_sharpening_makes_no_rim_where_a_bright_or_dark_part_is_cut_off(factor: float) -> None:
    """Beside the sector's own side stands what is 3 times as bright, or dark, as its middle."""
    outer = np.abs(PLACES[0]) + np.abs(PLACES[1]) >= 16
    volume = speckle(6, 0.8) * np.where(outer, factor, 1.0).astype(np.float32)
    matched = with_appearance(volume, MM, appearance_of(speckle(7, 0.4), MM))
    depth = ndimage.distance_transform_edt(np.pad(INSIDE, 6, mode="edge"))[6:-6, 6:-6, 6:-6]
    rim, beside = INSIDE & (depth <= 1.5), (depth > 2.5) & (depth < 6)
    ratios = [one[rim].mean() / one[beside].mean() for one in (volume, matched)]
    assert ratios[1] == pytest.approx(ratios[0], rel=0.05)


def test_frequencies_count_in_millimetres() -> None:
    """The same voxels, half as far apart, have their power at twice the frequency."""
    volume = speckle(8, 1.5)
    coarse, fine = (appearance_of(volume, spacing).power for spacing in (MM, (0.25, 0.25, 0.25)))
    assert (len(coarse), len(fine)) == (int(1.0 / RING), int(2.0 / RING))
    middle = [np.cumsum(one[SHOWN:] * np.arange(SHOWN, len(one)) ** 2) for one in (coarse, fine)]
    half = [int(np.searchsorted(one, one[-1] / 2)) + SHOWN for one in middle]
    assert half[1] == pytest.approx(2 * half[0], abs=2)


@pytest.mark.parametrize("spacing", [MM, (0.4, 0.5, 0.7)])
def test_a_volume_without_a_sector_has_no_appearance(spacing: Spacing) -> None:
    empty = np.zeros((20, 20, 20), np.float32)
    for use in (
        lambda: appearance_of(empty, spacing),
        lambda: with_appearance(empty, spacing, appearance_of(empty, MM)),
    ):
        with pytest.raises(CohortError, match="no appearance"):
            use()
