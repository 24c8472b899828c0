"""The trend in the window: it follows what is shown, goes where it is pressed, and stands while the view is frozen."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from frozen_view import LIVE, frozen
from painted import LARGE, settle, source
from phantoms import Volume
from PySide6.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot
from recordings import frames_in, start

from inference.outcome import Outcome, Tumour
from inference.readout.trend import Event, TrendState
from inference.sources import open_live
from inference.view_notes import Phase
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]


def trend(window: MainWindow) -> TrendState:
    window.refresh._slow_at = 0.0
    window.refresh.tick()
    state = window.view.trace.state
    assert state is not None
    return state


def press(window: MainWindow, qtbot: QtBot, at: float) -> None:
    """Click on the trend at this place of its axis."""
    trace, state = window.view.trace, trend(window)
    x = trace.plot.left() + (at - state.first) / (state.last - state.first) * trace.plot.width()
    qtbot.mouseClick(trace, Qt.MouseButton.LeftButton, pos=QPointF(x, trace.plot.center().y()).toPoint())


def test_the_cursor_is_at_the_frame_shown_and_a_press_goes_there(
    show: Show, at: At, qtbot: QtBot, shoot: Shoot
) -> None:
    window = show(source())
    settle(window, at, LARGE)
    assert trend(window).cursor == LARGE
    press(window, qtbot, 12.0)
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.frame.index == 12, timeout=5000)
    state = trend(window)
    assert state.cursor == 12
    assert isinstance(window.shown, Tumour)
    assert state.areas[list(state.at).index(12.0)] == pytest.approx(window.shown.area_mm2)
    window.handlers.set_phase(Phase.BEFORE_DURA)
    assert [mark.event for mark in trend(window).marks] == [Event.PHASE]
    shoot(window, "trend-of-a-recording")


def test_a_volume_is_counted_in_slices(show: Show, at: At, shoot: Shoot) -> None:
    window = show(Volume(speckle=0.2, count=60))
    settle(window, at, LARGE)
    assert (trend(window).by, trend(window).cursor) == ("by slice", LARGE)
    assert "Area in the plane shown, mm² · by slice" in [label.words for label in window.view.trace.labels()]
    shoot(window, "trend-of-a-volume")


def test_it_stands_while_the_view_is_frozen_and_finds_the_frame_that_is_pressed(
    show: Show, qtbot: QtBot, shoot: Shoot
) -> None:
    window = show(open_live(LIVE))
    assert not trend(window).movable
    frozen(window, qtbot)
    before = trend(window)
    status = window.session.status()
    assert status is not None
    more = status.captured + 5
    qtbot.waitUntil(lambda: window.session.status().captured > more)  # type: ignore[union-attr]
    after = trend(window)
    assert (after.first, after.last) == (before.first, before.last)
    assert np.array_equal(after.at, before.at)
    assert window.review is not None
    wanted = window.review.held.captured_at(5)
    press(window, qtbot, wanted)
    qtbot.waitUntil(lambda: window.shown is not None and abs(window.shown.frame.captured_at - wanted) < 0.1)
    assert trend(window).cursor == window.shown.frame.captured_at  # type: ignore[union-attr]
    assert window.review is not None, "a press on the trend never ends the frozen view"
    assert Event.FROZEN in [mark.event for mark in trend(window).marks]
    shoot(window, "trend-of-a-frozen-view")


def test_another_scale_begins_the_trend_anew(show: Show, at: At, qtbot: QtBot) -> None:
    window = show(source())
    qtbot.waitUntil(lambda: len(trend(window).at) > 5, timeout=5000)
    settle(window, at, LARGE)
    assert window.session.info is not None
    spacing = window.session.info.spacing
    assert spacing is not None
    window.handlers.calibrate(spacing)
    qtbot.waitUntil(lambda: len(trend(window).at) == 1, timeout=5000)


def test_a_contour_marked_as_wrong_is_marked_where_a_record_can_hold_it(
    show: Show,
    at: At,
    qtbot: QtBot,
    records: object,  # noqa: ARG001
) -> None:
    window = show(source())
    settle(window, at, LARGE)
    window.act("wrong")
    assert trend(window).marks == ()
    start(window, qtbot)
    at(window, LARGE + 1)
    qtbot.waitUntil(frames_in(window, 1), timeout=10_000)
    window.act("wrong")
    assert [(mark.at, mark.event) for mark in trend(window).marks] == [(LARGE + 1, Event.WRONG)]
    window.state.recording.stop()
