"""The second screen: what the operator's window says, at the same tick, and nothing that is the operator's alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from frozen_view import LIVE, frozen
from legible import cut_off, pixels_of
from painted import LARGE, SMALL, near, settle, source
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QSlider, QWidget
from pytestqt.qtbot import QtBot

from inference.live.model import Model
from inference.outcome import Outcome, Tumour
from inference.readout.states import RESEARCH_LINE
from inference.sources import open_live
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer.control.second_screen import ONE_MONITOR
from viewer.layout.second_screen import SecondScreen
from viewer.main_window import MainWindow
from viewer.style import theme

Show = Callable[..., MainWindow]
NAME = 251
"""Grey level of what stands for a name on the scanner's screen."""
At = Callable[[MainWindow, int], Outcome]


def second_of(window: MainWindow, qtbot: QtBot) -> SecondScreen:
    """The second screen, opened by its key and drawn once."""
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    second = window.view.second
    assert second is not None
    qtbot.waitUntil(second.isVisible)
    window.activateWindow()  # offscreen every window that opens is active: tests/viewer/desktop asks a real desktop
    window.refresh.tick()
    qtbot.wait(30)
    return second


@pytest.mark.parametrize("size", [(1120, 700), (1366, 768), (1920, 1080), (3840, 2160)])
def test_it_shows_picture_contour_number_and_warning_and_no_text_is_cut(
    show: Show, at: At, qtbot: QtBot, tmp_path: Path, size: tuple[int, int]
) -> None:
    window = show(source(), phase=Phase.BEFORE_DURA)
    settle(window, at, SMALL)
    second = second_of(window, qtbot)
    second.resize(*size)
    window.refresh.tick()
    qtbot.waitUntil(lambda: not cut_off(second), timeout=2000)
    readout = window.readout_state
    assert readout is not None
    assert second._area.accessibleName() == f"{readout.number} {readout.unit}"
    assert second._card._title.text() == readout.card.title
    assert second._mode.text() == window.view.top._mode.text()
    assert second._research.text() == RESEARCH_LINE
    assert not second.windowIcon().isNull()
    assert second.pictures.canvas.contour.painted is window.view.canvas.contour.painted
    image = second.grab().toImage()
    image.save(str(tmp_path / "second.png"))
    assert near(pixels_of(image), theme.AMBER).sum() > 60
    window.act("second")
    assert window.view.second is None


def test_it_is_drawn_at_the_same_tick_frame_by_frame(show: Show, qtbot: QtBot) -> None:
    window = show(open_live(LIVE))
    second = second_of(window, qtbot)
    seen: set[int] = set()

    def same() -> bool:
        ours, theirs = window.view.canvas, second.pictures.canvas
        assert ours.picture.frame is theirs.picture.frame
        assert ours.contour.frame is theirs.contour.frame
        assert ours.picture.painted is theirs.picture.painted
        if theirs.picture.frame is not None:
            seen.add(theirs.picture.frame.index)
        return len(seen) > 10

    qtbot.waitUntil(same, timeout=8000)
    frozen(window, qtbot, 5)
    window.refresh.tick()
    assert second._mode.text().startswith("VIEW FROZEN")
    assert second.pictures.area.inset.isVisible(), "who looks at the wall sees that it is not live"


def test_it_has_no_control_and_takes_no_key(show: Show, at: At, qtbot: QtBot) -> None:
    window = show(source())
    settle(window, at, LARGE)
    second = second_of(window, qtbot)
    controls = [part for kind in (QAbstractButton, QLineEdit, QSlider) for part in second.findChildren(kind)]
    assert not [part for part in controls if part.isVisible()]
    assert second.windowFlags() & Qt.WindowType.WindowDoesNotAcceptFocus
    assert not [part for part in second.findChildren(QWidget) if part.hasFocus()]
    ours, theirs = window.view.canvas, second.pictures.canvas
    width = theirs.contour.width
    window.act("mirror")
    window.act("wider")
    window.refresh.tick()
    assert ours.placement is not None
    assert theirs.placement is not None
    assert theirs.placement.flip == ours.placement.flip == window.flip
    assert theirs.contour.width > width


def test_a_picture_that_is_marked_never_shows_what_was_masked(show: Show, qtbot: QtBot) -> None:
    """While the depth text is marked the operator sees the whole picture; the wall never does."""

    class Named(PhantomSource):
        def whole(self) -> np.ndarray:  # type: ignore[type-arg]
            pixels = self.read(0).pixels.copy()
            pixels[:20] = NAME
            return pixels

    window = show(Named(count=60))
    second = second_of(window, qtbot)
    window.act("calibrate")
    qtbot.waitUntil(lambda: window.view.canvas.picture.frame is window.state.marked_on is not None, timeout=5000)
    window.refresh.tick()
    assert window.state.marked_on is not None
    assert (window.state.marked_on.pixels[:20] == NAME).all()
    shown = second.pictures.canvas.picture.frame
    assert shown is not None
    assert not (shown.pixels[:20] == NAME).any()
    assert second._card._title.text() == "Calibration"
    assert second.pictures.canvas.contour.frame is None or not second.pictures.canvas.contour._paths


def test_a_slow_model_has_its_two_panes_there_too(show: Show, model: Model, qtbot: QtBot) -> None:
    window = show(loaded=replace(model, warm_up_ms=300.0))
    second = second_of(window, qtbot)
    qtbot.waitUntil(lambda: second.pictures.live.picture.frame is not None, timeout=5000)
    assert second.pictures.area.two_panes
    assert second.pictures.live.picture.frame is window.view.live.picture.frame


def test_it_ends_with_the_window_and_by_its_own_button(show: Show, qtbot: QtBot) -> None:
    window = show()
    second = second_of(window, qtbot)
    assert window.view.picture_area.notice.text() == ONE_MONITOR
    assert second.frameGeometry().size().boundedTo(window.screen().size()) == second.frameGeometry().size()
    second.close()
    assert window.view.second is None
    assert window.view.picture_area.notice.isHidden()
    second = second_of(window, qtbot)
    window.close()
    assert window.view.second is None


def test_another_source_leaves_nothing_of_the_former_one(show: Show, at: At, qtbot: QtBot) -> None:
    window = show(source())
    assert isinstance(settle(window, at, LARGE), Tumour)
    second = second_of(window, qtbot)
    before = second.pictures.canvas.picture.frame
    window.handlers.open_source(window.view.source.request("again"))
    qtbot.waitUntil(lambda: second.pictures.canvas.picture.frame is not before, timeout=5000)
    qtbot.waitUntil(
        lambda: second.pictures.canvas.picture.frame is window.view.canvas.picture.frame is not None, timeout=5000
    )
