"""nnU-Net's order of steps, checked against scipy's own resize, and the way back."""

import msgspec
import numpy as np
import pytest
import whole_picture as plain
from contracts import SMALL_INPUT
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from inference.errors import AnalysisError
from inference.model import tiles
from inference.model.margin import OUTSIDE, Margin
from inference.model.preprocessing import prepare
from inference.model.resampling import linear_resize, spline_resize

SIDES = st.integers(1, 40)


def recipe(**changes):
    return msgspec.structs.replace(SMALL_INPUT, **changes)


def picture(shape, seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(1, 255, shape).astype(dtype)


def answer(tumour):
    """What a network answers: no background logit, and this for tumour."""
    return np.stack([np.zeros_like(tumour), tumour])


def zoomed(image, shape, order):
    factors = [new / old for new, old in zip(shape, image.shape, strict=True)]
    return ndimage.zoom(image.astype(float), factors, order=order, mode="nearest", grid_mode=True)


@given(old=st.tuples(SIDES, SIDES), new=st.tuples(SIDES, SIDES), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_the_spline_is_scipys_clipped_to_the_range(old, new, seed):
    image = np.random.default_rng(seed).normal(size=old).astype(np.float32)
    expected = np.clip(zoomed(image, new, 3), image.min(), image.max())
    resized = spline_resize(image, *new)
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized, expected, atol=2e-4)


@pytest.mark.parametrize(("old", "new"), [(512, 400), (1080, 601), (40, 4000), (700, 30), (9, 27)])
def test_a_sample_weighs_what_it_weighs_in_scipys_spline(old, new):
    """To the rounding of float32, and what scipy's is not negligible in is none here either."""
    weights = spline_resize(np.eye(old, dtype=np.float32), new, old)
    expected = ndimage.zoom(np.eye(old), (new / old, 1), order=3, mode="nearest", grid_mode=True)
    expected[np.abs(expected) < 1e-6] = 0
    np.testing.assert_allclose(weights, np.clip(expected, 0, 1), rtol=0, atol=1e-7)


@pytest.mark.parametrize("patch", [(32, 48), (64, 64), (31, 7), (512, 448)])
def test_the_weights_of_a_tile_are_scipys_gaussian_to_the_bit(patch):
    point = np.zeros(patch)
    point[patch[0] // 2, patch[1] // 2] = 1
    weights = ndimage.gaussian_filter(point, [side / 8 for side in patch], mode="constant")
    weights = (weights * (10 / weights.max())).astype(np.float16)
    wanted = np.maximum(weights, weights[weights > 0].min())
    np.testing.assert_array_equal(tiles._gaussian(patch), wanted.astype(np.float32))


@given(old=st.tuples(SIDES, SIDES), new=st.tuples(SIDES, SIDES), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_the_way_back_is_scipys_order_one(old, new, seed):
    image = np.random.default_rng(seed).normal(size=old).astype(np.float32)
    np.testing.assert_allclose(linear_resize(image, *new), zoomed(image, new, 1), atol=2e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("mask_normalisation", [False, True])
def test_every_dtype_gives_the_same_input(dtype, mask_normalisation):
    pixels = picture((30, 40))
    pixels[:12, :12] = 0
    chosen = recipe(mask_normalisation=mask_normalisation)
    expected = prepare(pixels, (0.5, 0.4), chosen).image
    np.testing.assert_allclose(prepare(pixels.astype(dtype), (0.5, 0.4), chosen).image, expected, atol=1e-5)


def test_the_z_score_is_over_the_crop():
    pixels = np.zeros((50, 60), np.uint8)
    pixels[10:40, 5:45] = picture((30, 40))
    prepared = prepare(pixels, (0.5, 0.4), SMALL_INPUT)
    inside = prepared.image[prepared.inner]
    assert inside.shape == (30, 40)
    assert inside.mean() == pytest.approx(0, abs=1e-5)
    assert inside.std() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_mask_normalisation_scores_what_is_not_zero_and_leaves_zeros_at_zero(dtype):
    pixels = picture((30, 40), dtype=dtype)
    pixels[:10, :10] = 0
    pixels[20:22, 20] = 0  # a hole: on a single slice nnU-Net fills none
    prepared = prepare(pixels, (0.5, 0.4), recipe(mask_normalisation=True))
    inside, mask = prepared.image[prepared.inner], pixels != 0
    assert not inside[~mask].any()
    assert inside[mask].mean() == pytest.approx(0, abs=1e-5)
    assert inside[mask].std() == pytest.approx(1, abs=1e-5)


def test_padding_is_centred_with_the_odd_pixel_after():
    prepared = prepare(picture((29, 43)), (0.5, 0.4), SMALL_INPUT)
    assert prepared.image.shape == (32, 48)
    assert prepared.inner == (slice(1, 30), slice(2, 45))
    outside = prepared.image.copy()
    outside[prepared.inner] = 0
    assert not outside.any()
    assert prepared.corners == ((0, 0),)


@given(st.integers(1, 60), st.integers(1, 60), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_transposed_recipe_is_the_recipe_on_the_transposed_frame(rows, cols, mask_normalisation):
    pixels = picture((rows, cols), seed=rows * 61 + cols)
    spacing = (0.7, 0.3)
    turned = recipe(transposed=True, mask_normalisation=mask_normalisation)
    straight = recipe(mask_normalisation=mask_normalisation)
    one, other = prepare(pixels, spacing, turned), prepare(pixels.T.copy(), spacing[::-1], straight)
    np.testing.assert_array_equal(one.image, other.image)
    logits = [answer(one.tile(corner)[0, 0]) for corner in one.corners]
    np.testing.assert_array_equal(Margin(logits, one).whole(), Margin(logits, other).whole().T)


@given(st.tuples(st.integers(32, 150), st.integers(48, 150)), st.sampled_from([0.25, 0.5, 1.0]))
@settings(max_examples=40, deadline=None)
def test_tiles_cover_the_picture_and_blend_back_into_it(shape, step):
    image = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    places = tiles.corners(shape, (32, 48), step)
    cut = [answer(image[row : row + 32, col : col + 48]) for row, col in places]
    assert all(tile.shape == (2, 32, 48) for tile in cut)
    for axis, side in ((0, 32), (1, 48)):
        starts = sorted({place[axis] for place in places})
        assert starts[0] == 0
        assert starts[-1] == shape[axis] - side
        assert max(np.diff(starts), default=0) <= np.ceil(side * step)
    background, tumour = tiles.blend(cut, places, shape)
    assert not background.any()
    assert (np.abs(tumour - image) <= 1e-2 + plain.corner_rounding(places, shape, (32, 48))).all()


@given(hnp.arrays(np.float32, (50,), elements=st.floats(-3000, 3000, width=32)), st.integers(0, 40))
def test_logits_are_rounded_as_float16_rounds_them(values, halvings):
    values *= np.float32(2.0**-halvings)
    np.testing.assert_array_equal(tiles.to_half(values), values.astype(np.float16))


def test_outside_the_crop_nothing_is_tumour():
    pixels = np.zeros((50, 60), np.uint8)
    pixels[10:40, 5:45] = picture((30, 40))
    prepared = prepare(pixels, (0.5, 0.4), SMALL_INPUT)
    margin = Margin([answer(np.ones((32, 48), np.float32))], prepared).whole()
    assert margin.shape == pixels.shape
    assert margin.dtype == np.float32
    assert (margin[10:40, 5:45] == 1).all()
    margin[10:40, 5:45] = OUTSIDE
    assert (margin == OUTSIDE).all()


@pytest.mark.parametrize("transposed", [False, True])
def test_a_black_frame_needs_no_network_and_holds_nothing(transposed):
    prepared = prepare(np.zeros((20, 30), np.uint8), (0.5, 0.5), recipe(transposed=transposed))
    assert prepared.corners == ()
    margin = Margin([], prepared).whole()
    assert margin.shape == (20, 30)
    assert (margin == OUTSIDE).all()


@pytest.mark.parametrize("mask_normalisation", [False, True])
@pytest.mark.parametrize("spacing", [(0.001, 0.001), (0.5, 0.4), (5.0, 0.1), None])
def test_a_single_bright_pixel_goes_through(mask_normalisation, spacing):
    pixels = np.zeros((20, 30), np.uint8)
    pixels[7, 9] = 200
    prepared = prepare(pixels, spacing, recipe(mask_normalisation=mask_normalisation))
    assert np.isfinite(prepared.image).all()
    margin = Margin([answer(np.ones((32, 48), np.float32)) for _ in prepared.corners], prepared).whole()
    assert np.argwhere(margin > 0).tolist() == [[7, 9]]


@given(st.integers(1, 200), st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_without_a_scale_the_crop_is_fitted_into_the_patch(rows, cols):
    prepared = prepare(picture((rows, cols)), None, SMALL_INPUT)
    assert prepared.image.shape == (32, 48)
    height, width = (part.stop - part.start for part in prepared.inner)
    assert height == 32 or width == 48
    fit = min(32 / rows, 48 / cols)
    assert abs(height - rows * fit) <= 1
    assert abs(width - cols * fit) <= 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_picture_with_values_that_are_no_numbers_fails_in_a_sentence(value):
    pixels = picture((20, 30), dtype=np.float32)
    pixels[3, 3] = value
    with pytest.raises(AnalysisError, match="not finite numbers"):
        prepare(pixels, (0.5, 0.5), SMALL_INPUT)


def test_an_absurd_scale_fails_in_a_sentence_instead_of_filling_the_memory():
    with pytest.raises(AnalysisError, match="check its spacing"):
        prepare(picture((512, 512)), (50.0, 50.0), SMALL_INPUT)
