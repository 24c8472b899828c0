"""The crop: nothing outside, everything inside, every coordinate where it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.crop import Cropping, Rect, crop, propose_crop
from inference.frame import Frame, Origin, View
from inference.sources.simulated import PhantomSource


def frame_of(pixels):
    return Frame(0, pixels, None, 0.0, Origin("screen", View.NATIVE, live=True))


@given(
    top=st.integers(0, 19), left=st.integers(0, 29), data=st.data(), kind=st.sampled_from([np.uint8, np.uint16, "f4"])
)
def test_outside_is_exactly_0_and_inside_is_untouched(top, left, data, kind):
    rect = Rect(top, left, data.draw(st.integers(1, 20 - top)), data.draw(st.integers(1, 30 - left)))
    frame = frame_of(np.full((20, 30), 7, kind))
    cut = crop(frame, rect)
    assert cut.pixels.dtype == frame.pixels.dtype
    assert (cut.rows, cut.cols) == (20, 30)
    assert (cut.pixels[rect.where] == 7).all()
    assert np.count_nonzero(cut.pixels) == rect.rows * rect.cols
    assert (frame.pixels == 7).all()


def test_a_rectangle_of_another_picture_is_refused_and_a_stage_leaves_it_aside():
    frame = frame_of(np.ones((20, 30), np.uint8))
    with pytest.raises(ValueError, match="does not lie in"):
        crop(frame, Rect(10, 10, 11, 5))
    assert Cropping(Rect(10, 10, 11, 5))(frame) is frame
    stage = Cropping()
    assert stage(frame) is frame
    stage.rect = Rect(0, 0, 2, 3)
    assert stage(frame).pixels.sum() == 6


@pytest.mark.parametrize("bad", [(-1, 0, 5, 5), (0, -1, 5, 5), (0, 0, 0, 5), (0, 0, 5, 0)])
def test_a_rectangle_without_pixels_is_none(bad):
    with pytest.raises(ValueError, match="no pixels"):
        Rect(*bad)


def test_the_proposal_holds_the_phantoms_sector_closely_and_leaves_the_text_out():
    source = PhantomSource(count=8)
    stack = [source.read(index).pixels.copy() for index in range(8)]
    rows, cols = np.nonzero(np.maximum.reduce(stack))
    for picture in stack:
        picture[4:10:2, 2:14] = 255
    found = propose_crop(stack)
    assert abs(found.top - rows.min()) <= 4
    assert abs(found.left - cols.min()) <= 4
    assert abs(found.top + found.rows - 1 - rows.max()) <= 4
    assert abs(found.left + found.cols - 1 - cols.max()) <= 4


def test_a_black_picture_is_proposed_whole():
    assert propose_crop([np.zeros((50, 60), np.uint8)]) == Rect(0, 0, 50, 60)
