"""The second screen on a real desktop: the operator's window keeps the keys, wherever the pointer is."""

from collections.abc import Callable

from hand import Hand
from pytestqt.qtbot import QtBot

from inference.sources.simulated import PhantomSource
from viewer.main_window import MainWindow

Show = Callable[..., MainWindow]


def test_the_operators_window_keeps_every_key(show: Show, hand: Hand, qtbot: QtBot) -> None:
    window = show(PhantomSource(count=60), size=(1120, 700))
    qtbot.waitUntil(window.isActiveWindow)
    playback = window.session.playback
    assert playback is not None
    hand.key("ctrl+f")
    qtbot.waitUntil(lambda: window.view.second is not None and window.view.second.isVisible())
    second = window.view.second
    assert second is not None
    qtbot.wait(200)
    hand.key("space")
    qtbot.waitUntil(lambda: not playback.playing)
    hand.click(second)
    hand.key("space")
    qtbot.waitUntil(lambda: playback.playing)
    assert window.isActiveWindow()
    hand.key("ctrl+f")
    qtbot.waitUntil(lambda: window.view.second is None)
    hand.key("space")
    qtbot.waitUntil(lambda: not playback.playing)
