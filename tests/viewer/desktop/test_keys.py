"""Keys and clicks on a real desktop: the window that is shown has the focus, and what a hand does there is done."""

from collections.abc import Callable

from hand import Hand
from pytestqt.qtbot import QtBot

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
