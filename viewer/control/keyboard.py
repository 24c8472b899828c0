"""Keys are always heard: whatever closes gives the keyboard back, and no hidden widget ever has it."""

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget


class Keyboard(QObject):
    """Keeps the window's focus on something that is seen.

    Qt leaves the focus in a field that was hidden, which then swallows every key, or hands it to the next button, which
    then takes an Enter that was meant for the one before. Here it goes home, where every key is a shortcut.

    Args:
        window: whose keyboard it is.
        home: takes the focus when nobody else should have it; a click beside every field goes there too.
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
        """Take the focus home."""
        self._home.setFocus()

    def keep(self) -> None:
        """Take it from a widget that is hidden or disabled; called at every tick."""
        if not _takes_keys(self._window.focusWidget()):
            self.give_back()

    def _moved(self, old: QWidget | None, now: QWidget | None) -> None:
        """A widget that vanished does not pass its focus on to a neighbour."""
        if old is None or now is None or now.window() is not self._window or old.window() is not self._window:
            return
        if not (_takes_keys(old) and _takes_keys(now)):
            self.give_back()


def _takes_keys(widget: QWidget | None) -> bool:
    return widget is not None and widget.isVisible() and widget.isEnabled()
