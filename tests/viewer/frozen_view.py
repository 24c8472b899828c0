"""A live source without a network, and its view frozen by the key."""

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.outcome import Tumour
from viewer.main_window import MainWindow

LIVE = "simulated:?disturb=black&at=3600"
"""A live phantom; what disturbs it comes in an hour."""


def frozen(window: MainWindow, qtbot: QtBot, count: int = 30) -> None:
    """Freeze the view of a live window once it holds so many frames."""

    def held() -> int:
        return 0 if (ring := window.session.held()) is None else len(ring)

    qtbot.waitUntil(lambda: isinstance(window.shown, Tumour) and held() > count, timeout=8000)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert window.review is not None
