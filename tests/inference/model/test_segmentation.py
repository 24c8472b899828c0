"""Areas, outlines, diameters and cut edges, on shapes whose answer is known."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from inference.contract import Reliability
from inference.frame import Frame, Origin, View
from inference.model.edge import Edge
from inference.model.segmentation import band_of, mask_of, regions_of
from inference.outcome import SizeState, size_state
from inference.sources.simulated import Ellipse, PhantomSource
from inference.spacing import PixelSpacing, Provenance

LIMITS = Reliability(min_reliable_area_mm2=200, very_small_area_mm2=35, fast=None, thorough=None)


def _spacing(row: float, col: float) -> PixelSpacing:
    return PixelSpacing(row, col, Provenance.EXACT)


def _frame(pixels: np.ndarray, spacing: PixelSpacing | None, view: View = View.NATIVE) -> Frame:
    return Frame(0, pixels, spacing, 0.0, Origin("test", view))


def _picture(shape: Ellipse, spacing: PixelSpacing, rows: int, cols: int) -> tuple[np.ndarray, np.ndarray]:
    """The mask of an ellipse and a margin that crosses zero on its edge."""
    covered = shape.coverage(rows, cols, spacing)
    margin = covered - np.float32(0.5)
    return mask_of(margin, keep_largest=False), margin


@pytest.mark.parametrize(
    ("area_mm2", "row_mm", "col_mm", "tolerance"),
    [
        (1000, 0.3, 0.3, 0.01),
        (200, 0.3, 0.3, 0.01),
        (200, 0.3, 0.15, 0.01),
        (200, 0.12, 0.3, 0.01),
        (35, 0.2, 0.2, 0.01),
        (35, 0.2, 0.1, 0.01),
        (20, 0.3, 0.3, 0.05),
        (35, 0.5, 0.4, 0.05),
    ],
)
def test_area_of_an_exact_shape(area_mm2: float, row_mm: float, col_mm: float, tolerance: float) -> None:
    """Each of 10 x 10 sub-pixel positions within tolerance, their mean within 0.3 %."""
    spacing = _spacing(row_mm, col_mm)
    b = math.sqrt(area_mm2 / math.pi / 1.4)
    rows, cols = int(50 / row_mm), int(50 / col_mm)
    errors = []
    for across, down in np.ndindex(10, 10):
        shape = Ellipse(25 + across / 10 * col_mm, 25 + down / 10 * row_mm, 1.4 * b, b, 0.6)
        mask = shape.raster(rows, cols, spacing)
        (region,) = regions_of(mask, mask - np.float32(0.5), _frame(np.ones((rows, cols), np.uint8), spacing), LIMITS)
        assert region.area_mm2 is not None
        errors.append(region.area_mm2 / shape.area_mm2 - 1)
    assert np.abs(errors).max() <= tolerance
    assert abs(np.mean(errors)) < 0.003


@settings(max_examples=40, deadline=None)
@given(
    row_mm=st.floats(0.1, 0.5),
    col_mm=st.floats(0.1, 0.5),
    a_mm=st.floats(4, 15),
    ratio=st.floats(0.5, 1),
    angle=st.floats(0, math.pi),
)
def test_diameters_of_an_ellipse_are_its_axes(
    row_mm: float, col_mm: float, a_mm: float, ratio: float, angle: float
) -> None:
    spacing = _spacing(row_mm, col_mm)
    rows, cols = int(40 / row_mm), int(40 / col_mm)
    mask, margin = _picture(Ellipse(20, 20, a_mm, ratio * a_mm, angle), spacing, rows, cols)
    (region,) = regions_of(mask, margin, _frame(np.ones((rows, cols), np.uint8), spacing), LIMITS)
    assert region.diameters is not None
    blur = 2 * max(row_mm, col_mm)
    assert region.diameters.longest_mm == pytest.approx(2 * a_mm, abs=blur)
    # A nearly round shape has no marked longest diameter, so its perpendicular lies anywhere between the axes.
    assert 2 * ratio * a_mm - blur <= region.diameters.perpendicular_mm <= 2 * a_mm + blur


def test_the_outline_lies_on_the_edge_of_the_shape() -> None:
    spacing = _spacing(0.3, 0.2)
    shape = Ellipse(25, 20, 9, 6, 0.4)
    mask, margin = _picture(shape, spacing, 150, 250)
    (region,) = regions_of(mask, margin, _frame(np.ones((150, 250), np.uint8), spacing), LIMITS)
    (outline,) = region.contours
    x = (outline[:, 0] + 0.5) * 0.2 - shape.x_mm
    y = (outline[:, 1] + 0.5) * 0.3 - shape.y_mm
    u = x * math.cos(shape.angle) + y * math.sin(shape.angle)
    v = y * math.cos(shape.angle) - x * math.sin(shape.angle)
    off_mm = np.abs(np.hypot(u / shape.a_mm, v / shape.b_mm) - 1) * shape.b_mm
    assert off_mm.max() < 0.06


def test_rows_and_columns_are_never_exchanged() -> None:
    """A tall shape in an asymmetric picture of anisotropic pixels."""
    spacing = _spacing(0.4, 0.1)
    mask = np.zeros((60, 200), np.uint8)
    mask[10:40, 150:160] = 1
    (region,) = regions_of(mask, mask - np.float32(0.5), _frame(np.ones_like(mask), spacing), LIMITS)
    assert region.area_mm2 == pytest.approx(30 * 10 * 0.4 * 0.1)
    assert region.diameters is not None
    assert region.diameters.longest_mm == pytest.approx(12, abs=0.2)
    assert region.diameters.perpendicular_mm == pytest.approx(1.6, abs=0.3)
    assert region.contours[0][:, 0].min() > 149
    assert region.contours[0][:, 1].max() < 41
    assert region.depth_mm == pytest.approx((10 * 0.4, 40 * 0.4), abs=0.1)


def test_beside_the_edge_of_the_picture_an_outline_keeps_to_the_edge_of_the_pixels() -> None:
    margin = np.full((30, 40), -3, np.float32)
    margin[12:20, 25:] = 3
    mask = mask_of(margin, keep_largest=False)
    (region,) = regions_of(mask, margin, _frame(np.ones_like(mask), _spacing(1, 1)), LIMITS)
    assert region.contours[0].min(axis=0) == pytest.approx([24.5, 11.5], abs=0.1)
    assert region.contours[0].max(axis=0) == pytest.approx([39.5, 19.5], abs=0.1)


def test_slices_have_no_probe_face_and_so_no_depth() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5:10, 5:10] = 1
    frame = _frame(np.ones_like(mask), _spacing(1, 1), View.SLICE)
    assert regions_of(mask, mask - np.float32(0.5), frame, LIMITS)[0].depth_mm is None


def test_regions_come_largest_first_with_their_holes() -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[2:6, 2:6] = 1
    mask[20:50, 20:50] = 1
    mask[30:40, 30:40] = 0
    frame = _frame(np.ones_like(mask), _spacing(1, 1))
    large, small = regions_of(mask, mask - np.float32(0.5), frame, LIMITS)
    assert (large.area_px, small.area_px) == (30 * 30 - 10 * 10, 16)
    assert (len(large.contours), len(small.contours)) == (2, 1)
    assert np.ptp(large.contours[0][:, 0]) > np.ptp(large.contours[1][:, 0])
    assert (large.size, small.size) == (SizeState.ABOVE_200, SizeState.AT_MOST_35)


@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=14), elements=st.integers(0, 1))
)
@settings(max_examples=300, deadline=None)
def test_pieces_are_those_of_scipy_also_inside_the_hole_of_another(mask: np.ndarray) -> None:
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    regions = regions_of(mask, mask - np.float32(0.5), _frame(np.ones_like(mask), _spacing(1, 1)), LIMITS)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    assert [region.area_px for region in regions] == sorted(areas.tolist(), reverse=True)
    for region in regions:
        col, row = np.clip(region.contours[0][0].round().astype(int), 0, np.array(mask.shape[::-1]) - 1)
        near = labels[max(0, row - 1) : row + 2, max(0, col - 1) : col + 2]
        assert region.area_px in areas[near[near > 0] - 1], "an outline that is another piece's"


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(np.bool_, (4, 4)).filter(np.any), st.floats(0.1, 30))
def test_diameter_and_depth_are_those_of_all_pixels_of_a_region(blocks: np.ndarray, outside: float) -> None:
    """Also where its parts meet in corners alone, across which the outlines are parted."""
    mask = np.kron(blocks, np.ones((6, 6), np.uint8)).astype(np.uint8)
    row_mm, col_mm = 0.4, 0.3
    margin = np.where(mask, np.float32(1), np.float32(-outside))
    frame = _frame(np.full(mask.shape, 90, np.uint8), _spacing(row_mm, col_mm))
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    expected = []
    for label in range(1, count + 1):
        rows, cols = np.nonzero(labels == label)
        corners = np.column_stack((rows * row_mm, cols * col_mm))
        apart = np.linalg.norm(corners[:, None] - corners[None], axis=2).max()
        expected.append((len(rows), float(apart), float(rows.min()) * row_mm, float(rows.max() + 1) * row_mm))
    found = [
        (region.area_px, region.diameters.longest_mm, *region.depth_mm)
        for region in regions_of(mask, margin, frame, LIMITS)
        if region.diameters is not None and region.depth_mm is not None
    ]
    assert len(found) == len(expected)
    for one in expected:
        assert any(np.allclose(one, other, rtol=0, atol=2 * row_mm) for other in found), (one, found)


def test_a_single_pixel_still_has_an_outline() -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[4, 4] = 1
    (region,) = regions_of(mask, mask - np.float32(0.9), _frame(np.ones_like(mask), _spacing(1, 1)), LIMITS)
    assert region.area_px == 1
    assert np.abs(region.contours[0] - 4).max() <= 0.5


def test_without_scale_there_are_no_millimetres() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5:10, 5:10] = 1
    (region,) = regions_of(mask, mask - np.float32(0.5), _frame(np.ones_like(mask), None), LIMITS)
    assert (region.area_mm2, region.diameters, region.depth_mm, region.size) == (None, None, None, None)
    assert region.area_px == 25


@pytest.mark.parametrize(
    ("place", "cut"),
    [
        ((slice(5, 9), slice(5, 9)), False),
        ((slice(0, 4), slice(5, 9)), True),
        ((slice(5, 9), slice(16, 20)), True),
        ((slice(5, 9), slice(2, 5)), True),
        ((slice(5, 9), slice(4, 7)), True),
        ((slice(5, 9), slice(5, 8)), False),
        ((slice(2, 6), slice(7, 9)), True),
        ((slice(3, 6), slice(7, 9)), False),
        ((slice(14, 18), slice(7, 9)), True),
        ((slice(13, 17), slice(7, 9)), False),
    ],
)
def test_a_contour_within_two_pixels_of_the_edge_of_sector_or_picture_is_cut(
    place: tuple[slice, slice], cut: bool
) -> None:
    pixels = np.full((20, 20), 9, np.uint8)
    pixels[:, :2] = 0
    mask = np.zeros_like(pixels)
    mask[place] = 1
    (region,) = regions_of(mask, mask - np.float32(0.5), _frame(pixels, _spacing(1, 1)), LIMITS)
    assert region.touches_edge is cut


@pytest.mark.parametrize(("left", "cut"), [(5, True), (6, False)])
def test_on_a_large_picture_the_drawn_line_is_wider_and_cuts_earlier(left: int, cut: bool) -> None:
    pixels = np.full((1080, 200), 9, np.uint8)
    pixels[:, :1] = 0
    mask = np.zeros_like(pixels)
    mask[500:520, left : left + 20] = 1
    (region,) = regions_of(mask, mask - np.float32(0.5), _frame(pixels, _spacing(1, 1)), LIMITS)
    assert region.touches_edge is cut


def test_a_dark_cyst_is_inside_the_sector() -> None:
    pixels = np.full((20, 20), 9, np.uint8)
    pixels[8:12, 8:12] = 0
    pixels[:, :3] = 0
    edge = Edge(pixels, (slice(0, 20), slice(0, 20))).outside((slice(0, 20), slice(0, 20)))
    assert edge[:, :3].all()
    assert not edge[:, 3:].any()


def test_keep_largest_keeps_one() -> None:
    margin = np.full((10, 10), -1, np.float32)
    margin[1:3, 1:3] = 1
    margin[5:9, 5:9] = 1
    assert mask_of(margin, keep_largest=False).sum() == 20
    assert mask_of(margin, keep_largest=True).sum() == 16


@pytest.mark.parametrize(
    ("area", "state"),
    [
        (200.01, SizeState.ABOVE_200),
        (200.0, SizeState.AT_MOST_200),
        (5000 * (0.2 * 0.2), SizeState.AT_MOST_200),
        (5000 * float(np.float32(0.2)) ** 2, SizeState.AT_MOST_200),
        (35.01, SizeState.AT_MOST_200),
        (35.0, SizeState.AT_MOST_35),
        (0.1, SizeState.AT_MOST_35),
    ],
)
def test_the_limit_itself_is_small(area: float, state: SizeState) -> None:
    assert size_state(area, LIMITS) is state


def test_nothing_has_no_regions() -> None:
    empty = np.zeros((8, 8), np.uint8)
    assert regions_of(empty, empty - np.float32(1), _frame(np.ones_like(empty), None), LIMITS) == ()


def test_the_phantom_is_as_large_as_it_says() -> None:
    source = PhantomSource()
    areas = [(source.truth(k).sum() * 0.15 * 0.15, source.shape(k).area_mm2) for k in range(0, 240, 20)]
    assert min(true for _, true in areas) < 35
    assert max(true for _, true in areas) > 200
    for drawn, true in areas:
        assert drawn == pytest.approx(true, rel=0.01)


@given(st.floats(0.2, 0.8), st.floats(15, 40))
@settings(max_examples=25, deadline=None)
def test_the_band_lies_where_the_network_says_25_and_75_percent(threshold: float, radius: float) -> None:
    """A cone of logits: each probability is a circle of known radius."""
    rows, cols = np.mgrid[:120, :140].astype(np.float32)
    distance = np.hypot(rows - 60, cols - 70)
    logit = (radius - distance) / 3
    band = band_of((logit - np.float32(np.log(threshold / (1 - threshold)))).astype(np.float32), threshold)
    for outlines, share in ((band.outer, 0.25), (band.inner, 0.75)):
        assert len(outlines) == 1
        wanted = radius - 3 * np.log(share / (1 - share))
        away = np.hypot(outlines[0][:, 0] - 70, outlines[0][:, 1] - 60)
        assert np.abs(away - wanted).max() < 0.1, "pixels"


def test_a_band_of_nothing_is_empty_and_specks_do_not_stop_the_stream() -> None:
    assert band_of(np.full((40, 40), -9, np.float32), 0.5).outer == ()
    noise = np.random.default_rng(3).normal(0, 4, (400, 400)).astype(np.float32)
    began = time.process_time()  # what it costs, however busy the computer is
    band_of(noise, 0.5)
    assert time.process_time() - began < 2.0
