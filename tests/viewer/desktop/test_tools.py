"""The tool column on a real desktop, by mouse, by keyboard and by a pedal that was taught."""

from collections.abc import Callable
from pathlib import Path

from hand import Hand
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
