"""The box of the sector: around what was ever bright, growing only."""

from dataclasses import replace

import numpy as np

from inference.alarms import Alarm, Finding
from inference.crop import Rect
from inference.frame import Frame, Origin, View
from inference.readout.sector_box import SectorBox


def frame(*bright: Rect, view: View = View.NATIVE, dtype: type = np.uint8) -> Frame:
    pixels = np.zeros((480, 640), dtype)
    for rect in bright:
        pixels[rect.where] = 1
    return Frame(0, pixels, None, 0.0, Origin("test", view))


def test_the_box_holds_every_bright_pixel_and_only_grows() -> None:
    box = SectorBox()
    first = Rect(100, 160, 200, 320)
    assert box.grow(frame(first)) == Rect(96, 160, 208, 320)
    assert box.grow(frame(Rect(200, 200, 20, 20))) == Rect(96, 160, 208, 320)
    assert box.grow(frame(Rect(60, 160, 10, 20), dtype=np.float32)) == Rect(56, 160, 248, 320)


def test_a_lifted_probe_does_not_fill_the_stage_with_its_few_bright_rows() -> None:
    box = SectorBox().grow(frame(Rect(0, 300, 4, 40)))
    assert box is not None
    assert (box.rows, box.cols) >= (120, 160)
    assert box.fits(480, 640)


def test_a_picture_that_cannot_be_believed_says_nothing_about_the_sector() -> None:
    blue = replace(frame(Rect(0, 0, 480, 640)), findings=(Finding(Alarm.BLACK, 0.0, ""),))
    box = SectorBox()
    assert box.grow(blue) is None
    assert box.grow(frame(Rect(96, 160, 208, 320))) == Rect(96, 160, 208, 320)
    assert box.grow(blue) == Rect(96, 160, 208, 320)


def test_a_crop_begins_anew_and_a_slice_is_shown_whole() -> None:
    box, wide, narrow = SectorBox(), Rect(80, 80, 320, 480), Rect(160, 160, 160, 240)
    assert box.grow(frame(wide)) == wide
    assert box.top == 80
    assert box.grow(frame(wide), narrow) == narrow, "a picture that was not cropped yet"
    assert box.top == 160
    assert box.grow(frame(narrow), narrow) == narrow
    assert box.grow(frame(narrow, view=View.SLICE)) is None
