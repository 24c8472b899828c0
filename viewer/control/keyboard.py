"""Keeps every key working: whatever closes returns the focus, and no hidden widget ever has it."""

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget


class Keyboard(QObject):
    """Keeps the window's focus on a visible widget.

    Qt leaves the focus in a hidden field, which then swallows every key, or passes it to the next button, which then
    takes an Enter meant for the one before. Here the focus returns home, where every key is a shortcut.

    Args:
        window: the window whose keyboard this is.
        home: takes the focus when no other widget should have it; a click outside every field moves it there too.
    """

    def __init__(self, window: QWidget, home: QWidget) -> None:
        super().__init__(window)  # the application's signal must not outlive the window
        self._window, self._home = window, home
        home.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        home.setFocus()
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._moved)

    def give_back(self) -> None:
        """Return the focus to its home."""
        self._home.setFocus()

    def keep(self) -> None:
        """Take the focus from a widget that is hidden or disabled; called at every tick."""
        if not _takes_keys(self._window.focusWidget()):
            self.give_back()

    def _moved(self, old: QWidget | None, now: QWidget | None) -> None:
        """Prevent a widget that vanished from passing its focus on to a neighbour."""
        if old is None or now is None or now.window() is not self._window or old.window() is not self._window:
            return
        if not (_takes_keys(old) and _takes_keys(now)):
            self.give_back()


def _takes_keys(widget: QWidget | None) -> bool:
    return widget is not None and widget.isVisible() and widget.isEnabled()
