"""A spacing that is no length, and a picture that is no picture, cannot be built."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import SpacingError
from inference.frame import Frame, Origin, View
from inference.spacing import PixelSpacing, Provenance

NOT_A_LENGTH = st.one_of(st.floats(max_value=0), st.just(float("nan")), st.just(float("inf")))
A_LENGTH = st.floats(min_value=1e-4, max_value=100)


@given(bad=NOT_A_LENGTH, good=A_LENGTH, swap=st.booleans())
def test_what_is_no_length_is_no_spacing(bad: float, good: float, swap: bool) -> None:
    row, col = (good, bad) if swap else (bad, good)
    with pytest.raises(SpacingError, match="column" if swap else "row"):
        PixelSpacing(row, col, Provenance.TYPED)


@given(row=A_LENGTH, col=A_LENGTH)
def test_pixel_area_is_the_product_of_both_axes(row: float, col: float) -> None:
    assert PixelSpacing(row, col, Provenance.HEADER).pixel_mm2 == row * col


def test_a_spacing_has_no_default() -> None:
    with pytest.raises(TypeError):
        PixelSpacing()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4), np.uint8), np.zeros((4, 4), np.int16)]
)
def test_a_frame_is_one_grey_picture(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a frame is"):
        Frame(0, pixels, None, 0.0, Origin("x", View.UNKNOWN))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_frame_is_a_picture_of_finite_numbers(value: float) -> None:
    """No guard can see what is not a number, and one infinite value would be the white of all later pictures."""
    pixels = np.ones((4, 5), np.float32)
    pixels[2, 3] = value
    with pytest.raises(ValueError, match="finite"):
        Frame(0, pixels, None, 0.0, Origin("x", View.NATIVE))


def test_every_provenance_has_words_for_the_screen() -> None:
    assert len({provenance.words for provenance in Provenance}) == len(Provenance)
