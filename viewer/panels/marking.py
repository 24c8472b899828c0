"""Shown while a rectangle is dragged on the picture: what it is for, and when it is right."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from viewer.panels.base import Panel
from viewer.style.theme import Sizes
from viewer.style.widgets import button, set_text, size_button


class MarkingPanel(Panel):
    """The explanation and buttons beside the rectangle."""

    accepted = Signal()
    """Emitted when the rectangle is right."""
    without = Signal()
    """Emitted to do without a rectangle: the whole picture is used, or there is nothing to frame."""
    marks = True

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Mark", 360, parent)
        self._words, self._error = self.note("", 15), self.note("red")
        self._use, self._without = button("Use this rectangle", kind="accent"), button("Whole picture")
        self._use.clicked.connect(self.accepted)
        self._without.clicked.connect(self.without)
        for widget in (self._words, self._use, self._without, self._error):
            self.body.addWidget(widget)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        super().apply(sizes)
        for made in (self._use, self._without):
            size_button(made, sizes)
        self._words.setFont(sizes.font(15))
        self._error.setFont(sizes.font(14))

    def begin(self, words: str, without: str) -> None:
        """Say what to mark, and on the second button how to do without."""
        set_text(self._words, words)
        set_text(self._without, without)
        self.complain("")

    def allow(self, ready: bool) -> None:
        """Enable the button if there is a rectangle to use."""
        self._use.setEnabled(ready)

    def complain(self, sentence: str) -> None:
        """Say why the rectangle cannot be used; an empty sentence removes the message."""
        set_text(self._error, sentence)
        self._error.setVisible(bool(sentence))
