"""The tool column: each button does its action, says why it cannot, and lies beside the picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inference.live.requests import Refusal
from inference.outcome import Outcome
from inference.readout import tools
from inference.sources import open_live
from inference.sources.simulated import PhantomSource
from inference.view_notes import Phase
from viewer.layout.tool_column import ToolButton
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]
At = Callable[[MainWindow, int], Outcome]
Shoot = Callable[[MainWindow, str], Any]
LIVE = "simulated:?disturb=lifted&at=3600"
LARGE = 20
TOOLS = ["play", "record", "snapshot", "keep", "correct", "caliper", "overlay"]


def tool(window: MainWindow, action: str) -> ToolButton:
    return window.view.tools.buttons[action]


def words(window: MainWindow, action: str) -> str:
    shown = tool(window, action).tool
    assert shown is not None
    return shown.words


def press(window: MainWindow, action: str, qtbot: QtBot) -> None:
    qtbot.mouseClick(tool(window, action), Qt.MouseButton.LeftButton)


def test_one_press_records_at_once_and_a_second_says_how_it_ended(show: Show, qtbot: QtBot, records: Path) -> None:
    window = show(PhantomSource(count=60))
    press(window, "record", qtbot)
    assert window.state.recording.running
    qtbot.waitUntil(lambda: words(window, "record") == "Stop")
    qtbot.waitUntil(lambda: tool(window, "record")._note.text() == "00:01", timeout=3000)
    press(window, "record", qtbot)
    qtbot.waitUntil(lambda: window.view.picture_area.notice.text().startswith("Recorded 00:0"), timeout=10_000)
    assert words(window, "record") == "Record"
    assert len(list(records.glob("*.mcap"))) == 1


def test_a_live_view_is_frozen_and_released_and_has_no_steps_while_it_runs(
    show: Show, qtbot: QtBot, shoot: Shoot
) -> None:
    window = show(open_live(LIVE))
    transport = window.view.transport
    steps = (transport._back, transport._forward, transport.scrubber)
    qtbot.waitUntil(lambda: words(window, "play") == "Freeze")
    assert not any(part.isVisible() for part in (*steps, transport._speed))
    shoot(window, "tools-live")
    press(window, "play", qtbot)
    qtbot.waitUntil(lambda: words(window, "play") == "Live")
    assert window.review is not None
    assert all(part.isVisible() for part in steps)
    shoot(window, "tools-frozen")
    press(window, "play", qtbot)
    qtbot.waitUntil(lambda: words(window, "play") == "Freeze")
    assert window.review is None


def test_the_last_30_s_are_kept_of_a_live_source_only(show: Show, qtbot: QtBot, records: Path) -> None:
    window = show(PhantomSource(count=60))
    qtbot.waitUntil(lambda: tool(window, "keep").toolTip() == tools.NOT_LIVE)
    assert not tool(window, "keep").isEnabled()
    window = show(open_live(LIVE))
    qtbot.waitUntil(lambda: tool(window, "keep").isEnabled())
    press(window, "keep", qtbot)
    qtbot.waitUntil(lambda: len(list(records.glob("*.mcap"))) == 1, timeout=5000)


def test_the_contour_is_hidden_for_as_long_as_its_button_is_held_and_a_sign_says_so(
    show: Show, at: At, qtbot: QtBot
) -> None:
    window = show(PhantomSource(count=60))
    at(window, LARGE)
    qtbot.waitUntil(lambda: tool(window, "overlay").isEnabled())
    qtbot.mousePress(tool(window, "overlay"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.view.canvas.contour.hidden)
    qtbot.wait(100)
    assert window.view.canvas.contour.hidden
    assert window.view.canvas._annotations.hidden == "CONTOUR HIDDEN"
    qtbot.mouseRelease(tool(window, "overlay"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.view.canvas.contour.hidden, timeout=500)
    assert window.view.canvas._annotations.hidden == ""


def test_enter_on_the_contour_button_hides_it_for_a_while(
    show: Show, at: At, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.control.action_handlers.OVERLAY_OFF_S", 0.3)
    window = show(PhantomSource(count=60))
    at(window, LARGE)
    qtbot.waitUntil(lambda: tool(window, "overlay").isEnabled())
    qtbot.keyClick(tool(window, "overlay"), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.view.canvas.contour.hidden)
    qtbot.waitUntil(lambda: not window.view.canvas.contour.hidden, timeout=2000)


def test_the_caliper_says_what_to_do_and_is_marked_while_it_is_out(show: Show, at: At, qtbot: QtBot) -> None:
    window = show(PhantomSource(count=60))
    at(window, LARGE)
    press(window, "caliper", qtbot)
    qtbot.waitUntil(lambda: window.view.canvas._annotations.measuring.startswith("Caliper: first point"))
    assert tool(window, "caliper").property("on") is True
    window.handlers.pointing.click(window.view.canvas, 100.0, 100.0)
    qtbot.waitUntil(lambda: window.view.canvas._annotations.measuring == "Caliper: second point")
    window.handlers.pointing.click(window.view.canvas, 150.0, 100.0)
    qtbot.waitUntil(lambda: window.view.canvas._annotations.measuring == "")
    press(window, "caliper", qtbot)
    qtbot.waitUntil(lambda: tool(window, "caliper").property("on") is False)


def test_without_a_source_every_tool_says_what_to_do_first(show: Show, qtbot: QtBot) -> None:
    window = show(Refusal("There is no such file."), wait=False)
    qtbot.waitUntil(lambda: list(window.view.tools.buttons) == TOOLS)
    for made in window.view.tools.buttons.values():
        assert not made.isEnabled()
        assert made.toolTip() == tools.NO_SOURCE


def test_tab_reaches_every_tool_and_enter_presses_it(show: Show, at: At, qtbot: QtBot, records: Path) -> None:  # noqa: ARG001
    window = show(PhantomSource(count=60))
    at(window, LARGE)
    qtbot.waitUntil(lambda: tool(window, "overlay").isEnabled())
    reached = []
    for _ in range(40):
        qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    usable = [made for made in window.view.tools.buttons.values() if made.isEnabled()]
    assert len(usable) == 6
    assert set(usable) <= set(reached)
    tool(window, "record").setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(tool(window, "record"), Qt.Key.Key_Return)
    assert window.state.recording.running


@pytest.mark.parametrize("size", [(1120, 680), (1366, 768), (1920, 1080), (3840, 2160)])
def test_tools_are_large_and_never_over_the_picture(show: Show, qtbot: QtBot, size: tuple[int, int]) -> None:
    window = show(PhantomSource(count=60), size=size, phase=Phase.BEFORE_DURA)
    qtbot.waitUntil(lambda: list(window.view.tools.buttons) == TOOLS)
    area = window.view.picture_area
    for made in window.view.tools.buttons.values():
        assert made.mapTo(window, QPoint(0, 0)).x() >= area.mapTo(window, area.rect().topRight()).x()
        if size == (1920, 1080):
            assert min(made.width(), made.height()) >= 55
