"""Keys and clicks on a real desktop: the window that is shown has the focus, and what a hand does there is done."""

from collections.abc import Callable
from pathlib import Path

from hand import Hand
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from recordings import said

from viewer.main_window import MainWindow


def test_the_shown_window_has_the_focus_and_hears_keys(
    show: Callable[..., MainWindow], hand: Hand, qtbot: QtBot
) -> None:
    window = show()
    qtbot.waitUntil(window.isActiveWindow)
    playback = window.session.playback
    assert playback is not None
    hand.key("space")
    qtbot.waitUntil(lambda: not playback.playing)
    hand.key("space")
    qtbot.waitUntil(lambda: playback.playing)


def test_a_foot_that_rests_on_a_pedal_records_once(
    show: Callable[..., MainWindow], hand: Hand, qtbot: QtBot, records: Path
) -> None:
    window = show()
    qtbot.waitUntil(window.isActiveWindow)
    hand.key("F8")
    first = QApplication.focusWidget()
    hand.hold("F8", 0.9)
    hand.key("F6")
    assert QApplication.focusWidget() is not first, "from button to button a held pedal goes on"
    hand.hold("r", 0.9)
    qtbot.waitUntil(lambda: window.state.recording.running)
    hand.key("r")
    said(window, qtbot, "Recorded ")
    assert len(list(records.glob("*.mcap"))) == 1
