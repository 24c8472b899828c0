"""The scale by hand, per axis where pixels are not square: laws, and the real panel."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from inference.errors import SpacingError
from inference.ruler import PLAUSIBLE_MM, Segment, axes_spacing, implausible
from inference.spacing import PixelSpacing, Provenance
from viewer.panels.calibration import CalibrationPanel
from viewer.style.theme import Sizes

MM = st.floats(0.02, 2.0)
PX = st.floats(30, 900)


def segment(dx: float, dy: float, row: float, col: float) -> Segment:
    """A segment with the length that pixels of this size give it."""
    return (40.0, 50.0), (40.0 + dx, 50.0 + dy), math.hypot(dx * col, dy * row)


@given(row=MM, col=MM, down=PX, across=PX, tilt=st.floats(-0.3, 0.3), swapped=st.booleans())
def test_two_segments_give_both_axes_back(
    row: float, col: float, down: float, across: float, tilt: float, swapped: bool
) -> None:
    pair = [segment(tilt * down, down, row, col), segment(across, tilt * across, row, col)]
    found = axes_spacing(*(reversed(pair) if swapped else pair))
    assert found.provenance is Provenance.RULER
    assert found.row_mm == pytest.approx(row, rel=1e-3)
    assert found.col_mm == pytest.approx(col, rel=1e-3)


@given(dx=PX, dy=PX, factor=st.floats(0.5, 3), mirrored=st.booleans())
def test_parallel_and_mirrored_segments_say_nothing_of_one_axis(
    dx: float, dy: float, factor: float, mirrored: bool
) -> None:
    other = segment((-dx if mirrored else dx) * factor * 2, dy * factor * 2, 0.1, 0.2)
    with pytest.raises(SpacingError, match="run alike"):
        axes_spacing(segment(dx, dy, 0.1, 0.2), other)


def test_lengths_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(SpacingError, match="contradict"):
        axes_spacing(((0, 0), (0, 100), 50.0), ((0, 0), (100, 100), 10.0))


@pytest.mark.parametrize("bad", [((0, 0), (5, 5), 3.0), ((0, 0), (200, 0), 0.0), ((0, 0), (200, 0), math.nan)])
def test_a_bad_second_segment_is_refused(bad: Segment) -> None:
    with pytest.raises(SpacingError):
        axes_spacing(((0, 0), (0, 100), 50.0), bad)


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[CalibrationPanel]:
    room = QWidget()
    room.resize(1000, 760)
    made = CalibrationPanel(room)
    made.apply(Sizes())
    qtbot.addWidget(room)
    room.show()
    made.show()
    made.place(room)
    yield made
    room.close()


def give(qtbot: QtBot, panel: CalibrationPanel, points: tuple[tuple[float, float], ...], length: str) -> None:
    for point in points:
        panel.click(*point)
    qtbot.keyClicks(panel.length, length)


def test_a_second_pair_calibrates_the_other_axis(qtbot: QtBot, panel: CalibrationPanel) -> None:
    give(qtbot, panel, ((10, 10), (10, 210)), "40")
    qtbot.mouseClick(panel._other, Qt.MouseButton.LeftButton)
    assert panel.points == ()
    assert panel._step.text().startswith("4")
    give(qtbot, panel, ((10, 10), (310, 10)), "30")
    with qtbot.waitSignal(panel.calibrated, timeout=1000) as caught:
        qtbot.keyClick(panel.length, Qt.Key.Key_Return)
    assert caught.args is not None
    found = caught.args[0]
    assert isinstance(found, PixelSpacing)
    assert (found.row_mm, found.col_mm) == pytest.approx((0.2, 0.1))
    assert panel._step.text().startswith("1")


def test_a_pair_without_length_or_a_parallel_one_is_one_sentence(qtbot: QtBot, panel: CalibrationPanel) -> None:
    give(qtbot, panel, ((10, 10), (10, 210)), "")
    qtbot.mouseClick(panel._other, Qt.MouseButton.LeftButton)
    assert "Type the length" in panel._error.text()
    qtbot.keyClicks(panel.length, "40")
    qtbot.mouseClick(panel._other, Qt.MouseButton.LeftButton)
    give(qtbot, panel, ((50, 10), (50, 110)), "20")
    with qtbot.assertNotEmitted(panel.calibrated):
        qtbot.keyClick(panel.length, Qt.Key.Key_Return)
    assert "run alike" in panel._error.text()
    qtbot.mouseClick(panel._again, Qt.MouseButton.LeftButton)
    assert panel._step.text().startswith("1")
    assert panel._error.text() == ""


@given(row=st.floats(1e-4, 1e3), col=st.floats(1e-4, 1e3))
def test_a_scale_is_implausible_exactly_where_an_axis_lies_outside_what_scanners_give(row: float, col: float) -> None:
    said = implausible(PixelSpacing(row, col, Provenance.TYPED))
    low, high = PLAUSIBLE_MM
    assert bool(said) is not (low <= row <= high and low <= col <= high)
    if said:
        assert f"{row:.3g}" in said
        assert f"{high:g}" in said


def test_a_scale_that_no_scanner_gives_is_refused_with_its_numbers_until_it_is_confirmed(
    qtbot: QtBot, panel: CalibrationPanel
) -> None:
    give(qtbot, panel, ((10, 10), (10, 210)), "8080")
    with qtbot.assertNotEmitted(panel.calibrated):
        qtbot.keyClick(panel.length, Qt.Key.Key_Return)
    assert "40.4 mm per pixel" in panel._error.text()
    assert "0.02 to 1" in panel._error.text()
    assert panel._confirm.text() == "Use 40.4 mm per pixel anyway"
    with qtbot.waitSignal(panel.calibrated, timeout=1000) as caught:
        qtbot.mouseClick(panel._confirm, Qt.MouseButton.LeftButton)
    assert caught.args is not None
    assert caught.args[0].row_mm == pytest.approx(40.4)


def test_a_confirmation_holds_for_what_was_refused_and_for_nothing_after(qtbot: QtBot, panel: CalibrationPanel) -> None:
    give(qtbot, panel, ((10, 10), (10, 210)), "8080")
    qtbot.keyClick(panel.length, Qt.Key.Key_Return)
    assert panel._confirm.isVisible()
    qtbot.mouseClick(panel._again, Qt.MouseButton.LeftButton)
    assert not panel._confirm.isVisible()


@pytest.mark.parametrize("change", ["length", "point"])
def test_a_confirmation_goes_with_what_it_was_asked_for(qtbot: QtBot, panel: CalibrationPanel, change: str) -> None:
    """The ticks on the picture are of the new length by then, and the button's scale of the old one."""
    give(qtbot, panel, ((50, 40), (50, 140)), "4000")
    qtbot.keyClick(panel.length, Qt.Key.Key_Return)
    assert panel._confirm.isVisible()
    if change == "length":
        qtbot.keyClick(panel.length, Qt.Key.Key_Backspace)
    else:
        panel.move_last(50, 150)
    assert not panel._confirm.isVisible()


def test_fields_open_empty_and_a_second_length_replaces_the_first(qtbot: QtBot, panel: CalibrationPanel) -> None:
    give(qtbot, panel, ((10, 10), (10, 210)), "80")
    for point in ((10, 10), (10, 410)):
        panel.click(*point)
    qtbot.keyClicks(panel.length, "80")
    assert panel.length.text() == "80"
    panel.other_way.click()
    qtbot.keyClicks(panel.row, "0.2")
    panel.dismiss()
    panel.show()
    assert [field.text() for field in (panel.length, panel.row, panel.column)] == ["", "", ""]
    assert panel.points == ()


def test_an_empty_field_is_a_sentence_and_no_nan(qtbot: QtBot, panel: CalibrationPanel) -> None:
    panel.other_way.click()
    with qtbot.assertNotEmitted(panel.calibrated):
        qtbot.mouseClick(panel._use_typed, Qt.MouseButton.LeftButton)
    assert "as in 0.15" in panel._error.text()
    assert "nan" not in panel._error.text()


def test_every_button_is_a_fingers_height_and_holds_its_words(panel: CalibrationPanel) -> None:
    for made in (made for made in panel.findChildren(QPushButton) if made.isVisible()):
        assert made.height() >= Sizes().touch
        assert made.fontMetrics().horizontalAdvance(made.text()) < made.width()
