"""The crop: nothing outside, everything inside, every coordinate where it was."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inference.crop import Cropping, Rect, crop, propose_crop
from inference.frame import Frame, Origin, View
from inference.model.segmentation import regions_of
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance


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


@given(face=st.integers(0, 20), top=st.integers(0, 39), again=st.integers(0, 39), text=st.booleans())
@example(face=5, top=30, again=0, text=False)
def test_depth_is_counted_from_the_probe_face_wherever_the_crop_begins(face, top, again, text):
    """A crop through the tissue takes the face away, and it was then measured from the crop's own edge."""
    pixels = np.zeros((50, 30), np.uint8)
    pixels[face:, 3:27] = 90
    if text and face > 6:
        pixels[face - 5 : face - 2, 5:9] = 255  # the scanner's, above the sector and apart from it, and left out
        top = again = face - 1
    mask = np.zeros_like(pixels)
    mask[42:47, 10:20] = 1
    frame = replace(frame_of(pixels), spacing=PixelSpacing(0.5, 0.25, Provenance.TYPED))
    cut = crop(crop(frame, Rect(top, 0, 50 - top, 30)), Rect(again, 4, 50 - again, 20))
    (region,) = regions_of(mask, mask - np.float32(0.5), cut, None)
    assert region.depth_mm == pytest.approx(((42 - face) * 0.5, (47 - face) * 0.5), abs=0.05)


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
