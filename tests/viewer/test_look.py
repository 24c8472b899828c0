"""Contrast, geometry of the picture, sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.spacing import PixelSpacing, Provenance
from viewer import theme
from viewer.placement import Placement


@pytest.mark.parametrize(("text", "ground"), sorted(set(theme.text_pairs())))
def test_every_text_has_aa_contrast(text: str, ground: str) -> None:
    assert theme.contrast(text, ground) >= 4.5


def test_contrast_is_wcags() -> None:
    assert theme.contrast("#ffffff", "#000000") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_lines_are_told_apart_by_lightness_or_hue_and_seen_on_black() -> None:
    assert len(set(theme.LINES.values())) == 3
    assert all(theme.contrast(colour, theme.BLACK) >= 7 for colour in theme.LINES.values())


def test_on_a_24_inch_screen_state_text_is_10_mm_and_touch_targets_15_mm() -> None:
    """24 inches, 16:9, 1920 pixels across: 3.61 pixels a mm."""
    per_mm = 1920 / (24 * 25.4 * 16 / (16**2 + 9**2) ** 0.5)
    look = theme.Theme.for_window(1920, 1080)
    assert look.px(27) / per_mm >= 9.9
    assert look.touch / per_mm >= 14.9


mm = st.floats(0.05, 2.0)
side = st.integers(8, 1200)


@given(side, side, mm, mm, st.floats(100, 1500), st.floats(100, 1500))
def test_the_picture_keeps_its_physical_shape_and_fits(
    rows: int, cols: int, row_mm: float, col_mm: float, width: float, height: float
) -> None:
    spacing = PixelSpacing(row_mm, col_mm, Provenance.HEADER)
    placed = Placement.fit(rows, cols, spacing, (10, 20, width, height))
    assert placed.down / placed.across == pytest.approx(row_mm / col_mm)
    assert placed.right - placed.left <= width * (1 + 1e-9)
    assert placed.bottom - placed.top <= height * (1 + 1e-9)
    assert placed.left + placed.right == pytest.approx(20 + width)


@given(st.floats(-0.5, 99), st.floats(-0.5, 49), mm, mm)
def test_a_click_comes_back_to_the_pixel_it_was_made_on(x: float, y: float, row_mm: float, col_mm: float) -> None:
    placed = Placement.fit(50, 100, PixelSpacing(row_mm, col_mm, Provenance.HEADER), (0, 0, 640, 480))
    back = placed.to_picture(*placed.to_view(x, y))
    assert back == pytest.approx((x, y), abs=1e-6)
    assert placed.holds(*back)


def test_the_corner_of_the_first_pixel_is_the_corner_of_the_picture() -> None:
    placed = Placement.fit(50, 100, None, (0, 0, 200, 200))
    assert placed.to_view(-0.5, -0.5) == (placed.left, placed.top)
    assert placed.transform.map(0.0, 0.0) == (placed.left, placed.top)
