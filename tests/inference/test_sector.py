"""The sector: everything the probe drew, nothing the screen drew."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inference.sector import SMALL, _largest, sector_mask, spread


def sector(rows, cols, half_angle, top, rng):
    """Speckle in a fan."""
    y, x = np.mgrid[:rows, :cols].astype(float)
    down, across = y + top, x - cols / 2
    radius = np.hypot(down, across)
    inside = (np.abs(np.arctan2(across, down)) < half_angle) & (radius > 1.3 * top) & (radius < 0.97 * (rows + top))
    return inside, np.where(inside, rng.rayleigh(40, (rows, cols)).clip(0, 255), 0).astype(np.uint8)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(150, 300),
    cols=st.integers(200, 400),
    half_angle=st.floats(0.3, 0.75),
    top=st.integers(15, 60),
    hole=st.tuples(st.floats(0.4, 0.6), st.floats(0.45, 0.55), st.floats(0.02, 0.15)),
    seed=st.integers(0, 1000),
)
def test_no_tissue_is_cut_off(rows, cols, half_angle, top, hole, seed):
    rng = np.random.default_rng(seed)
    inside, picture = sector(rows, cols, half_angle, top, rng)
    y, x = np.mgrid[:rows, :cols]
    cyst = (y - hole[0] * rows) ** 2 + (x - hole[1] * cols) ** 2 < (hole[2] * rows) ** 2
    picture[cyst] = 0
    shadow = np.abs(x - hole[1] * cols) < 0.03 * cols
    picture[shadow & (y > hole[0] * rows)] = 0
    mask = sector_mask([picture])
    within_3_px = cv2.dilate(mask, np.ones((7, 7), np.uint8))
    assert within_3_px[picture > 12].all()
    assert mask[picture > 12].mean() > 0.99
    assert mask[cyst & inside].all()


def test_text_ruler_and_grey_bar_are_left_out():
    rng = np.random.default_rng(0)
    _, picture = sector(400, 600, 0.6, 50, rng)
    clean = sector_mask([picture])
    picture[100:300:10, 590:596] = 255
    picture[20:120, 4:14] = np.linspace(255, 0, 100)[:, None]
    cv2.putText(picture, "MI 0.9  7 MHz", (10, 390), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255)
    np.testing.assert_array_equal(sector_mask([picture]), clean)


def test_header_line_menu_and_block_of_text_are_left_out():
    rng = np.random.default_rng(0)
    _, picture = sector(400, 600, 0.5, 50, rng)
    clean = sector_mask([picture])
    first = int(np.flatnonzero(picture.any(axis=1))[0])
    picture[first - 3 : first] = 60  # the lower edge of a header, which touches the sector
    picture[30:390, 545:595] = 70  # a menu with its icons
    for row in range(50, 380, 40):
        cv2.circle(picture, (570, row), 9, 200, 2)
    for row, line in enumerate(("02-23-11 8558/T", "1:30:55PM 6.5MHz", "GAIN 53 FR 29", "MI 0.8 TIS 0.1")):
        cv2.putText(picture, line, (2, 40 + 14 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 230)
    np.testing.assert_array_equal(sector_mask([picture]), clean)


def test_a_piece_of_tissue_beside_the_largest_one_stays():
    rng = np.random.default_rng(0)
    inside, picture = sector(300, 400, 0.6, 40, rng)
    x = np.arange(400)[None]
    picture[:, 280:310] = 0  # a shadow from top to bottom
    mask = sector_mask([picture])
    assert mask[inside & (x > 312)].mean() > 0.99


def test_a_sector_dark_in_one_frame_is_found_in_another():
    rng = np.random.default_rng(0)
    inside, picture = sector(200, 300, 0.6, 30, rng)
    left, right = picture.copy(), picture.copy()
    left[:, 150:] = 0
    right[:, :150] = 0
    assert sector_mask([left, right])[inside].mean() > 0.99


@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14), elements=st.integers(0, 1))
)
@settings(max_examples=200, deadline=None)
def test_pieces_are_those_of_labelled_pixels_with_their_holes_and_what_lies_in_these(pixels):
    _, labels, stats, _ = cv2.connectedComponentsWithStats(pixels, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    wanted = {(labels == at + 1).tobytes() for at in np.flatnonzero(areas >= SMALL * max(areas, default=0))}
    found = set()
    for one in _largest(pixels):
        whole = np.zeros(pixels.shape, bool)
        whole[one.where] = one.shape
        assert one.area == whole.sum()
        found.add(whole.tobytes())
    assert found == wanted


def test_a_black_picture_has_no_sector_to_cut():
    assert sector_mask([np.zeros((50, 60), np.uint8)]).all()


def test_frames_are_spread_over_the_clip():
    assert spread(1, 32) == [0]
    assert spread(5, 32) == [0, 1, 2, 3, 4]
    assert (spread(240, 32)[0], spread(240, 32)[-1], len(spread(240, 32))) == (0, 239, 32)


def test_of_a_linear_probe_it_is_the_whole_rectangle_though_its_corners_are_dark():
    rng = np.random.default_rng(0)
    picture = np.zeros((400, 500), np.uint8)
    picture[50:350, 100:400] = rng.rayleigh(40, (300, 300)).clip(13, 255)
    y, x = np.mgrid[:400, :500]
    for corner in ((50, 100), (350, 400), (350, 100)):  # the echoes fade towards it
        picture[np.abs(y - corner[0]) + np.abs(x - corner[1]) < 70] = 8
    mask = sector_mask([picture])
    true = np.zeros_like(mask)
    true[50:350, 100:400] = 1
    assert np.count_nonzero(mask != true) < 0.014 * true.sum(), "all but a rim of one pixel"


def test_a_fan_is_never_squared_and_what_is_written_in_its_corners_stays_out():
    for half_angle in (0.4, 0.6, 0.75):
        inside, picture = sector(300, 400, half_angle, 40, np.random.default_rng(1))
        box = np.nonzero(inside)
        assert sector_mask([picture])[box[0].max() - 4, box[1].min() + 4] == 0


def test_a_curved_sector_whose_sides_the_screen_cuts_off_is_not_squared():
    for cut in (60, 80):
        _, picture = sector(400, 400, 0.45, 150, np.random.default_rng(2))
        picture = picture.copy()
        picture[:, :cut] = picture[:, -cut:] = picture[360:] = 0
        shown = np.nonzero(picture)
        assert sector_mask([picture])[shown[0].min() + 4, shown[1].min() + 4] == 0
