"""The tool column on a real desktop, by mouse, by keyboard and by a pedal that was taught."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hand import Hand
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from inference.sources.simulated import PhantomSource
from viewer.layout.tool_column import ToolButton
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]


def tool(window: MainWindow, action: str, qtbot: QtBot) -> ToolButton:
    qtbot.waitUntil(lambda: action in window.view.tools.buttons and window.view.tools.buttons[action].isEnabled())
    return window.view.tools.buttons[action]


def test_a_click_records_enter_stops_and_a_pedal_records_again(
    show: Show, hand: Hand, qtbot: QtBot, records: Path
) -> None:
    window = show(PhantomSource(count=60))
    qtbot.waitUntil(window.isActiveWindow)
    button, recording = tool(window, "record", qtbot), window.state.recording
    hand.click(button)
    qtbot.waitUntil(lambda: recording.running)
    assert not button.hasFocus(), "a click leaves the keys to the shortcuts"
    for _ in range(40):
        hand.key("Tab")
        if button.hasFocus():
            break
    hand.key("Return")
    qtbot.waitUntil(lambda: not recording.running)
    qtbot.waitUntil(lambda: window.view.picture_area.notice.text().startswith("Recorded"), timeout=10_000)
    window.view.keys.taught.emit("record", "PgUp")
    hand.key("Prior")
    qtbot.waitUntil(lambda: recording.running)
    hand.key("Prior")
    qtbot.waitUntil(lambda: len(list(records.glob("*.mcap"))) == 2 and not recording.running, timeout=10_000)


def test_the_contour_is_hidden_while_the_mouse_holds_its_button(show: Show, hand: Hand, qtbot: QtBot) -> None:
    window = show(PhantomSource(count=60))
    qtbot.waitUntil(window.isActiveWindow)
    assert window.session.playback is not None
    window.session.playback.pause()
    window.session.playback.seek(20)
    button = tool(window, "overlay", qtbot)
    hand.move(button)
    hand.press(down=True)
    qtbot.waitUntil(lambda: window.view.canvas.contour.hidden)
    hand.press(down=False)
    qtbot.waitUntil(lambda: not window.view.canvas.contour.hidden)


def test_the_wheel_zooms_where_the_pointer_is_and_a_drag_moves_the_picture(
    show: Show, hand: Hand, qtbot: QtBot
) -> None:
    window = show(PhantomSource(count=60))
    qtbot.waitUntil(window.isActiveWindow)
    viewport, canvas = window.view.canvas.viewport(), window.view.canvas
    spot = viewport.rect().center() + QPoint(80, -40)
    hand.move(viewport, spot)
    assert canvas.placement is not None
    point = canvas.placement.to_picture(spot.x(), spot.y())
    hand.wheel(up=3)
    qtbot.waitUntil(lambda: window.state.look.zoom > 1.7)
    qtbot.wait(50)
    seen = canvas.placement.to_view(*point)
    assert seen == pytest.approx((spot.x(), spot.y()), abs=1.5)
    hand.press(down=True)
    hand.move(viewport, spot + QPoint(25, 10))
    hand.press(down=False)
    qtbot.waitUntil(lambda: canvas.placement is not None and canvas.placement.to_view(*point) != seen)
    qtbot.wait(50)
    assert canvas.placement.to_view(*point) == pytest.approx((spot.x() + 25, spot.y() + 10), abs=1.5)
    hand.key("n")
    qtbot.waitUntil(lambda: window.state.look.zoom == 1.0)
