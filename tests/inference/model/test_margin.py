"""Computing in full only along the border gives what computing every pixel gives: masks and areas to the bit."""

import math

import msgspec
import numpy as np
import pytest
import whole_picture as plain
from contracts import SMALL_INPUT
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import expit, softmax

from inference.contract import Reliability
from inference.frame import Frame, Origin, View
from inference.model import segmentation, tiles
from inference.model.edge import Edge
from inference.model.margin import Margin
from inference.model.preprocessing import Prepared, prepare
from inference.model.resampling import linear_resize
from inference.spacing import PixelSpacing, Provenance

LIMITS = Reliability(min_reliable_area_mm2=200, very_small_area_mm2=35, fast=None, thorough=None)
SIDES = st.integers(8, 150)
SPACING = st.floats(0.1, 0.8)
CUTOFF = st.sampled_from([0.0, math.log(0.3 / 0.7), math.log(0.6 / 0.4)])
ROUNDED = 1e-5
"""float32's rounding of a sum of twenty weights, twice, of values of up to ten."""
KINDS = st.sampled_from(["blob", "noise", "ties", "none", "all"])


def recipe(**changes):
    return msgspec.structs.replace(SMALL_INPUT, **changes)


def picture(rows, cols, seed, black=0.2):
    """Speckle in a box, with black in it and around it."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((rows, cols), np.uint8)
    top, left = rng.integers(0, rows // 3 + 1), rng.integers(0, cols // 3 + 1)
    inside = rng.integers(0, 255, (rows - top, cols - left)).astype(np.uint8)
    inside[rng.random(inside.shape) < black] = 0
    pixels[top:, left:] = inside
    return pixels


def answers(prepared: Prepared, kind, seed):
    """Logits (2, rows, cols) for each tile."""
    rng = np.random.default_rng(seed)
    rows, cols = prepared.patch
    found = []
    for _ in prepared.corners:
        if kind == "blob":
            y, x = np.mgrid[:rows, :cols].astype(np.float32)
            away = np.hypot(y - rng.uniform(0, rows), x - rng.uniform(0, cols))
            tumour = (rng.uniform(2, 15) - away) * rng.uniform(0.1, 3)
            planes = np.stack([-tumour, tumour + rng.normal(0, 0.1, tumour.shape)])
        elif kind == "noise":
            planes = rng.normal(0, 6, (2, rows, cols))
        elif kind == "ties":  # plateaus on and beside the threshold, and logits that float16 makes equal
            planes = rng.choice([-8.0, 3.0, 3.0005, 3.002, 8.0], (2, rows // 4, cols // 4)).repeat(4, 1).repeat(4, 2)
        else:
            planes = np.stack([np.zeros((rows, cols)), np.full((rows, cols), 5.0 if kind == "all" else -5.0)])
        found.append(planes.astype(np.float32))
    return found


def frame_of(pixels, spacing_mm):
    spacing = PixelSpacing(*spacing_mm, Provenance.EXACT)
    return Frame(0, pixels, spacing, 0.0, Origin("test", View.NATIVE))


@given(SIDES, SIDES, SPACING, SPACING, KINDS, CUTOFF, st.booleans(), st.integers(0, 2**31))
@settings(max_examples=150, deadline=None)
def test_mask_outlines_and_all_that_is_read_off_them_are_those_of_the_whole_picture(
    rows, cols, row_mm, col_mm, kind, cutoff, transposed, seed
):
    pixels, spacing = picture(rows, cols, seed), (row_mm, col_mm)
    prepared = prepare(pixels, spacing, recipe(transposed=transposed))
    logits = answers(prepared, kind, seed)
    whole = plain.restore(logits, prepared)
    if cutoff:
        whole -= np.float32(cutoff)
    margin, frame = Margin(logits, prepared, cutoff), frame_of(pixels, spacing)
    np.testing.assert_array_equal(margin.whole(), whole)
    mask, expected = (segmentation.mask_of(one, keep_largest=False) for one in (margin, whole))
    np.testing.assert_array_equal(mask, expected)
    found = segmentation.regions_of(mask, margin, frame, LIMITS)
    wanted = plain.regions_of(expected, whole, frame, LIMITS)
    assert [one.area_px for one in found] == [one.area_px for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert (one.area_mm2, one.touches_edge, one.size) == (other.area_mm2, other.touches_edge, other.size)
        assert [len(line) for line in one.contours] == [len(line) for line in other.contours]
        for line, expected_line in zip(one.contours, other.contours, strict=True):
            assert np.abs(line - expected_line).max() <= 0.02, "pixels"
        assert one.depth_mm == pytest.approx(other.depth_mm, abs=0.02 * row_mm)
        assert one.diameters.longest_mm == pytest.approx(other.diameters.longest_mm, abs=0.04 * max(spacing))


THREE = st.sampled_from(["blobs", "noise", "ties"])


def three(prepared: Prepared, kind, seed):
    """Logits (3, rows, cols) for each tile: background, tumour, cavity."""
    rng = np.random.default_rng(seed)
    rows, cols = prepared.patch
    found = []
    for _ in prepared.corners:
        if kind == "blobs":
            y, x = np.mgrid[:rows, :cols].astype(np.float32)
            away = [np.hypot(y - rng.uniform(0, rows), x - rng.uniform(0, cols)) for _ in range(2)]
            planes = np.stack([np.zeros_like(y), *(rng.uniform(2, 15) - one for one in away)]) * rng.uniform(0.1, 3)
        elif kind == "noise":
            planes = rng.normal(0, 6, (3, rows, cols))
        else:
            few = rng.choice([-8.0, 0.0, 3.0, 3.0005, 3.002], (3, rows // 4, cols // 4))
            planes = few.repeat(4, 1).repeat(4, 2)
        found.append(planes.astype(np.float32))
    return found


def as_nnunet(logits, prepared: Prepared):
    """Labels of the frame as nnU-Net makes them: every plane resampled and rounded, then argmax."""
    frame, box = np.zeros(prepared.shape, np.uint8), prepared.box
    if prepared.corners:
        whole = tiles.blend(logits, prepared.corners, prepared.image.shape)
        fine = [linear_resize(np.ascontiguousarray(one[prepared.inner]), box.rows, box.cols) for one in whole]
        frame[box.slices] = np.stack(fine).astype(np.float16).argmax(0)
    return np.ascontiguousarray(frame.T) if prepared.transposed else frame


@given(SIDES, SIDES, SPACING, SPACING, THREE, st.booleans(), st.integers(0, 2**31), st.floats(-3, 3))
@settings(max_examples=60, deadline=None)
def test_tumour_and_cavity_are_where_nnunets_argmax_has_them(rows, cols, row_mm, col_mm, kind, transposed, seed, level):
    prepared = prepare(picture(rows, cols, seed), (row_mm, col_mm), recipe(transposed=transposed))
    logits = three(prepared, kind, seed)
    margin, expected = Margin(logits, prepared), as_nnunet(logits, prepared)
    np.testing.assert_array_equal(segmentation.labels_of(margin, keep_largest=False, cavity=True), expected)
    for label, own in ((1, margin), (2, margin.of(2))):
        whole = own.whole()
        np.testing.assert_array_equal(whole > 0, expected == label)
        over = whole > level
        over[own.near(level)] = False
        assert not over.any()


def test_a_label_that_wins_nowhere_on_the_coarse_grid_may_win_between_its_pixels():
    """Left the cavity wins, right the background, and between them, where both have fallen, the tumour."""
    prepared = prepare(np.full((64, 64), 9, np.uint8), (0.05, 0.05), SMALL_INPUT)
    planes = np.zeros((3, 32, 48), np.float32)
    planes[1] = 5
    left = prepared.inner[1].start + (prepared.inner[1].stop - prepared.inner[1].start) // 2
    planes[0, :, left:], planes[2, :, :left] = 6, 6
    assert planes.argmax(0).tolist().count(1) == 0
    labels = segmentation.labels_of(Margin([planes], prepared), keep_largest=False, cavity=True)
    np.testing.assert_array_equal(labels, as_nnunet([planes], prepared))
    assert set(np.unique(labels)) == {0, 1, 2}


@pytest.mark.parametrize("label", [1, 2])
def test_logits_that_are_all_but_zero_are_equal(label):
    prepared = prepare(np.full((32, 48), 9, np.uint8), (0.5, 0.4), SMALL_INPUT)
    planes = np.zeros((3, 32, 48), np.float32)
    planes[0], planes[label] = 5.326e-15, 5.332e-15
    margin = Margin([planes], prepared)
    assert not segmentation.labels_of(margin, keep_largest=False, cavity=True).any()
    assert not (margin.of(label).whole() > 0).any()


def test_equal_logits_of_tumour_and_cavity_are_tumour_and_of_background_neither():
    prepared = prepare(np.full((32, 48), 9, np.uint8), (0.5, 0.4), SMALL_INPUT)
    for values, wanted in (((0, 3, 3), 1), ((3, 3, 3), 0), ((0, 0, 0), 0), ((-1, 0, 0), 1), ((3, 0, 3), 0)):
        planes = np.stack([np.full((32, 48), one, np.float32) for one in values])
        labels = segmentation.labels_of(Margin([planes], prepared), keep_largest=False, cavity=True)
        assert set(np.unique(labels)) == {wanted}, values


def test_the_odds_of_three_labels_are_against_both_others_together():
    prepared = prepare(np.full((32, 48), 9, np.uint8), (0.5, 0.4), SMALL_INPUT)
    planes = np.random.default_rng(0).normal(0, 2, (3, 32, 48)).astype(np.float32)
    margin = Margin([planes], prepared)
    share = softmax(planes, axis=0)[1]
    most = 2e-3 + plain.corner_rounding(prepared.corners, (32, 48), (32, 48))
    assert (np.abs(expit(margin.coarse) - share) <= most).all()
    assert (np.abs(expit(margin.odds.whole()) - share) <= most).all()
    two = Margin([planes[:2]], prepared)
    assert two.odds is two


@given(SIDES, SIDES, KINDS, st.booleans(), st.integers(0, 2**31), st.floats(-3, 3))
@settings(max_examples=80, deadline=None)
def test_nothing_over_a_level_lies_outside_of_where_it_is_looked_for(rows, cols, kind, transposed, seed, level):
    prepared = prepare(picture(rows, cols, seed), (0.2, 0.3), recipe(transposed=transposed))
    margin = Margin(answers(prepared, kind, seed), prepared)
    over = margin.whole() > level
    over[margin.near(level)] = False
    assert not over.any()


@given(SIDES, SIDES, st.booleans(), st.integers(0, 2**31), st.data())
@settings(max_examples=80, deadline=None)
def test_a_part_of_a_margin_is_that_part_of_the_whole(rows, cols, transposed, seed, data):
    prepared = prepare(picture(rows, cols, seed), (0.2, 0.3), recipe(transposed=transposed))
    margin = Margin(answers(prepared, "noise", seed), prepared, 0.4)
    top, left = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, cols - 1))
    part = slice(top, data.draw(st.integers(top, rows))), slice(left, data.draw(st.integers(left, cols)))
    np.testing.assert_array_equal(margin[part], margin.whole()[part])


@given(SIDES, SIDES, KINDS, st.integers(0, 2**31), st.sampled_from([0.3, 0.5]))
@settings(max_examples=40, deadline=None)
def test_the_band_is_that_of_the_whole_picture(rows, cols, kind, seed, threshold):
    prepared = prepare(picture(rows, cols, seed), (0.2, 0.3), SMALL_INPUT)
    logits, cutoff = answers(prepared, kind, seed), math.log(threshold / (1 - threshold))
    whole = plain.restore(logits, prepared) - np.float32(cutoff)
    found = segmentation.band_of(Margin(logits, prepared, cutoff), threshold)
    wanted = plain.band_of(whole, threshold)
    for lines, expected in ((found.outer, wanted.outer), (found.inner, wanted.inner)):
        assert [len(one) for one in lines] == [len(one) for one in expected]
        assert all(np.abs(one - other).max() <= 0.02 for one, other in zip(lines, expected, strict=True))


@given(
    SIDES,
    SIDES,
    st.tuples(SPACING, SPACING),
    st.sampled_from([np.uint8, np.uint16, np.float32]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**31),
)
@settings(max_examples=120, deadline=None)
def test_the_network_s_input_is_that_of_scipy_s_splines(rows, cols, spacing, dtype, masked, transposed, cropped, seed):
    chosen = recipe(mask_normalisation=masked, transposed=transposed, crop_to_nonzero=cropped)
    pixels = picture(rows, cols, seed).astype(dtype)
    found, wanted = prepare(pixels, spacing, chosen), plain.prepare(pixels, spacing, chosen)
    np.testing.assert_allclose(found.image, wanted.image, rtol=0, atol=ROUNDED)
    assert (found.corners, found.inner, found.box.slices) == (wanted.corners, wanted.inner, wanted.box.slices)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shape", [(720, 1280), (1080, 1920), (64, 4000), (3000, 40)])
def test_so_it_is_at_sizes_that_are_resized_in_strips(shape, masked):
    pixels = picture(*shape, seed=3)
    chosen = recipe(mask_normalisation=masked)
    for spacing in ((0.12, 0.11), (0.5, 0.11), (0.02, 0.6)):
        found, wanted = prepare(pixels, spacing, chosen), plain.prepare(pixels, spacing, chosen)
        np.testing.assert_allclose(found.image, wanted.image, rtol=0, atol=ROUNDED)


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(-90, 90, width=32)))
def test_one_tile_is_weighted_as_several_are(plane):
    stacked = np.stack([plane, -plane])
    found = tiles.blend([stacked], ((0, 0),), plane.shape)
    np.testing.assert_array_equal(found, plain.blend([stacked], ((0, 0),), plane.shape))


@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24), elements=st.integers(0, 2)),
    st.data(),
)
@settings(max_examples=200, deadline=None)
def test_the_edge_near_a_region_is_that_of_the_whole_picture(pixels, data):
    rows, cols = pixels.shape
    top, left = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, cols - 1))
    part = slice(top, data.draw(st.integers(top + 1, rows))), slice(left, data.draw(st.integers(left + 1, cols)))
    lit = np.argwhere(pixels)
    crop = (slice(0, 0), slice(0, 0))
    if lit.size:
        (first_row, first_col), (last_row, last_col) = lit.min(axis=0), lit.max(axis=0)
        crop = (slice(first_row, last_row + 1), slice(first_col, last_col + 1))
    np.testing.assert_array_equal(Edge(pixels, crop).outside(part), plain.edge_of(pixels)[part])


@given(hnp.arrays(np.float32, st.tuples(st.integers(3, 80), st.just(2)), elements=st.floats(-300, 300, width=16)))
@example(np.array([[0, -0.0], [-0.0, -0.0], [-0.0, -0.0]], np.float32))
@settings(max_examples=300, deadline=None)
def test_the_longest_diameter_is_the_longest_of_all_pairs(outline):
    spacing = PixelSpacing(0.17, 0.3, Provenance.EXACT)
    found, wanted = segmentation.diameters_of(outline, spacing), plain.diameters_of(outline, spacing)
    assert found.longest_mm == pytest.approx(wanted.longest_mm, rel=1e-9, abs=1e-9)
    if wanted.longest_mm:
        ends = np.array(found.ends) * (0.3, 0.17)
        assert math.dist(*ends) == pytest.approx(found.longest_mm, rel=1e-6)
