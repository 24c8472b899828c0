"""The second screen: opened on another monitor if there is one, closed with the window or with its monitor."""

from time import monotonic

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget

from inference.readout.marks import Tone
from viewer.control.app_state import AppState
from viewer.layout.second_screen import SecondScreen
from viewer.style.theme import FRAME, least_on

ONE_MONITOR = "There is no other monitor: the second screen is a window of its own. Ctrl F closes it."
USUAL = (1280, 800)


class SecondScreens(QObject):
    """Opens and closes the second screen.

    Args:
        window: the operator's window.
        state: the state of the window.
    """

    def __init__(self, window: QWidget, state: AppState) -> None:
        super().__init__(window)  # the application's signal must not outlive the window
        self._window, self._state = window, state
        self._on: QScreen | None = None
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.screenRemoved.connect(self._removed)

    def toggle(self) -> None:
        """Open the second screen, filling another monitor if there is one; or close it."""
        if self._state.view.second is not None:
            self.close()
            return
        second = self._state.view.second = SecondScreen()
        second.closed.connect(self._forget)
        second.widen(self._state.settings.line_width)
        others = [screen for screen in QGuiApplication.screens() if screen is not self._window.screen()]
        self._on = others[0] if others else None
        there = self._on or self._window.screen()
        second.setMinimumSize(least_on(there))
        if self._on is None:
            second.resize(QSize(*USUAL).boundedTo(there.availableSize() - QSize(*FRAME)))
            second.show()
            self._state.view.picture_area.say(ONE_MONITOR, monotonic(), Tone.NEUTRAL)
            return
        second.setGeometry(self._on.geometry())
        second.setWindowState(Qt.WindowState.WindowFullScreen)  # showFullScreen would ask for the focus
        second.show()

    def close(self) -> None:
        """Close the second screen, if it is open."""
        if (second := self._state.view.second) is not None:
            second.close()

    def _forget(self) -> None:
        second, self._state.view.second, self._on = self._state.view.second, None, None
        self._state.view.picture_area.take_back(ONE_MONITOR)
        if second is not None:
            second.deleteLater()

    def _removed(self, screen: QScreen) -> None:
        """Close it with its monitor: it would cover the operator's window otherwise."""
        if screen is self._on:
            self.close()
