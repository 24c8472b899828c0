"""A scale given in the window, by two points or by typing: the right millimetres, or none and one sentence."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from painted import spot_of
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.crop import Rect
from inference.errors import SpacingError
from inference.frame import Frame
from inference.model.segmentation import probe_face_row
from inference.outcome import Outcome, Tumour, UnknownSpacing
from inference.readout.readout_state import Offer
from inference.ruler import ruler_spacing
from inference.sources.simulated import PhantomSource
from inference.spacing import Provenance
from inference.view_notes import Phase
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]


def test_two_clicks_and_a_length_give_the_right_mm(show: Show, at: At, qtbot: QtBot) -> None:
    """The phantom hides a scale of 0.15 mm; two clicks 20 mm apart bring it, and the right area, back."""
    source = PhantomSource(spacing_mm=None, count=60)
    window = show(source)
    assert isinstance(at(window, 30), UnknownSpacing)
    assert window.readout_state is not None
    assert window.readout_state.card.offers == (Offer.CALIBRATE, Offer.WITHOUT_SCALE)
    qtbot.mouseClick(window.view.readout._card._buttons[Offer.CALIBRATE], Qt.MouseButton.LeftButton)
    viewport = window.view.canvas.viewport()
    for y in (100.0, 100.0 + 20 / 0.15):
        spot = spot_of(window.view.canvas, 256, y)
        qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=spot)
    qtbot.keyClicks(window.view.calibration.length, "20")
    qtbot.keyClick(window.view.calibration.length, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
    assert isinstance(window.shown, Tumour)
    spacing = window.shown.frame.spacing
    assert spacing is not None
    assert spacing.provenance is Provenance.RULER
    assert spacing.row_mm == pytest.approx(0.15, rel=0.01)
    assert window.shown.area_mm2 == pytest.approx(source.shape(30).area_mm2, rel=0.03)
    assert not window.view.calibration.isVisible()
    qtbot.waitUntil(lambda: "two-point ruler" in window.view.readout._values["Scale from"].text())


def test_a_typed_spacing_may_differ_by_axis_and_the_picture_follows(show: Show, qtbot: QtBot) -> None:
    window = show(PhantomSource(spacing_mm=None, count=60))
    window.act("calibrate")
    window.view.calibration.other_way.click()
    window.view.calibration.row.setText("0,3")
    window.view.calibration.column.setText("0.15")
    qtbot.mouseClick(window.view.calibration._use_typed, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour), timeout=5000)
    assert window.view.canvas.placement is not None
    assert window.view.canvas.placement.down == pytest.approx(2 * window.view.canvas.placement.across)
    assert isinstance(window.shown, Tumour)
    assert window.shown.frame.spacing is not None
    assert window.shown.frame.spacing.provenance is Provenance.TYPED


NONE = "Type the millimetres per pixel in both fields, as in 0.15."


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (("", ""), NONE),
        (("0", "0.1"), NONE),
        (("-1", "1"), NONE),
        (("inf", "1"), "not a length"),
        (("a", "b"), NONE),
    ],
)
def test_a_spacing_that_is_none_is_one_sentence(
    show: Show, qtbot: QtBot, typed: tuple[str, str], sentence: str
) -> None:
    window = show(PhantomSource(spacing_mm=None, count=60))
    window.act("calibrate")
    window.view.calibration.other_way.click()
    window.view.calibration.row.setText(typed[0])
    window.view.calibration.column.setText(typed[1])
    qtbot.mouseClick(window.view.calibration._use_typed, Qt.MouseButton.LeftButton)
    assert window.view.calibration.isVisible()
    assert sentence in window.view.calibration._error.text()
    assert window.session.playback is not None
    assert window.session.playback.info.spacing is None


@pytest.mark.parametrize("length", [0.0, -5.0, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(length: float) -> None:
    with pytest.raises(SpacingError, match="length"):
        ruler_spacing((0, 0), (0, 100), length)


def test_points_that_nearly_coincide_are_refused() -> None:
    with pytest.raises(SpacingError, match="too close"):
        ruler_spacing((10, 10), (12, 14), 10)


def test_without_scale_is_a_choice_drawn_dotted_in_pixels(show: Show, qtbot: QtBot) -> None:
    window = show(PhantomSource(spacing_mm=None, count=60), phase=Phase.BEFORE_DURA)
    qtbot.waitUntil(lambda: isinstance(window.shown, UnknownSpacing))
    qtbot.mouseClick(window.view.readout._card._buttons[Offer.WITHOUT_SCALE], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.readout_state is not None and window.readout_state.unit == "px", timeout=5000)
    assert window.readout_state is not None
    assert window.readout_state.card.title == "Scale unknown: unvalidated"


def test_the_ruler_begins_where_the_depth_of_the_contour_does_also_after_a_crop(
    show: Show, at: At, qtbot: QtBot
) -> None:
    class Lettered(PhantomSource):
        """A scanner that writes above the sector."""

        def read(self, index: int) -> Frame:
            frame = super().read(index)
            pixels = frame.pixels.copy()
            pixels[1:4, :40:3] = 90
            return replace(frame, pixels=pixels)

    window = show(Lettered(count=60))
    at(window, 30)
    assert window.view.canvas._annotations.face_row == 1
    window.session.crop(Rect(6, 0, 500, 512))
    qtbot.waitUntil(lambda: window.shown is not None and not window.shown.frame.pixels[:6].any(), timeout=5000)
    window.refresh.tick()
    assert window.shown is not None
    assert window.view.canvas._annotations.face_row == probe_face_row(window.shown.frame)
