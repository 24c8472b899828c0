"""The window on its monitor: full screen, moving to another monitor, a monitor that was removed."""

from time import monotonic

from PySide6.QtCore import QObject, QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QMainWindow

from viewer.layout.picture_area import PictureArea
from viewer.style.theme import least_on

ONE_MONITOR = "There is no other monitor: plug one in, or press F to fill this one."
MONITOR_LOST = "The monitor {name} was removed: whoever looked at it sees nothing now."


class Monitors(QObject):
    """Moves a window between monitors.

    Args:
        window: the window to move.
        picture_area: shows messages.
    """

    def __init__(self, window: QMainWindow, picture_area: PictureArea) -> None:
        super().__init__(window)  # the application's signal must not outlive the window
        self._window, self._picture_area = window, picture_area
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.screenRemoved.connect(self.removed)

    def full_screen(self) -> None:
        """Enter or leave full screen; a window that filled a small screen fills it again, and hangs over no edge."""
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def other_monitor(self) -> None:
        """Fill the next monitor with this window."""
        screens = QGuiApplication.screens()
        there = screens[(screens.index(self._window.screen()) + 1) % len(screens)]
        if there is self._window.screen():
            self._picture_area.say(ONE_MONITOR, monotonic())
            return
        self._window.showNormal()
        self._window.setMinimumSize(least_on(there))
        if (handle := self._window.windowHandle()) is not None:
            handle.setScreen(there)
        self._window.setGeometry(self._within(there.availableGeometry()))
        self._window.showFullScreen()

    def _within(self, room: QRect) -> QRect:
        """The window's place on a monitor once it no longer fills it: in the middle, with its title bar on it."""
        frame = self._window.frameGeometry().size() - self._window.size()
        size = self._window.size().boundedTo(room.size() - frame)
        corner = room.center() - QPoint(size.width() - frame.width(), size.height() - frame.height()) / 2
        return QRect(corner, size)

    def removed(self, screen: QScreen) -> None:
        """Say that a monitor is gone."""
        self._picture_area.say(MONITOR_LOST.format(name=screen.name() or "One"), monotonic())
