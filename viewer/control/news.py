"""Wakes the window when an answer has arrived."""

from PySide6.QtCore import QObject, Qt, Signal


class News(QObject):
    """Turns calls from any thread into one signal in the window's thread.

    However many answers arrive while the window is busy, it is woken once: it then takes the newest.

    Attributes:
        arrived: emitted in the thread of this object.
    """

    arrived = Signal()
    _told = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting = False
        self._told.connect(self._arrive, Qt.ConnectionType.QueuedConnection)

    def tell(self) -> None:
        """Say, in any thread, that there is something new; returns at once."""
        if not self._waiting:
            self._waiting = True
            self._told.emit()

    def _arrive(self) -> None:
        # Before the news are taken: what arrives from here on wakes the window again.
        self._waiting = False
        self.arrived.emit()
