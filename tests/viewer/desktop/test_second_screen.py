"""The second screen on a real desktop: the operator's window keeps the keys, wherever the pointer is."""

from collections.abc import Callable

import pytest
from hand import Hand
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot
from two_monitors import available, split

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


@pytest.mark.skipif(not available(), reason="libXrandr is not installed")
def test_it_fills_the_other_monitor_goes_with_it_and_the_operator_stays(show: Show, hand: Hand, qtbot: QtBot) -> None:
    window = show(PhantomSource(count=60), size=(1120, 700))
    whole = QGuiApplication.primaryScreen().geometry()
    with split(whole.width(), whole.height(), 1200):
        qtbot.waitUntil(lambda: len(QGuiApplication.screens()) == 2)
        window.move(0, 0)
        qtbot.waitUntil(window.isActiveWindow)
        there = QGuiApplication.screens()[1].geometry()
        hand.key("ctrl+f")
        # The monitor is narrower than the least width of the window: where it begins is what counts.
        qtbot.waitUntil(
            lambda: window.view.second is not None and window.view.second.geometry().topLeft() == there.topLeft()
        )
        assert not window.geometry().intersects(there)
        hand.key("space")
        qtbot.waitUntil(lambda: window.session.playback is not None and not window.session.playback.playing)
    qtbot.waitUntil(lambda: len(QGuiApplication.screens()) == 1)
    qtbot.waitUntil(lambda: window.view.second is None)
    assert "removed" in window.view.picture_area.notice.text()
    assert window.isVisible()
