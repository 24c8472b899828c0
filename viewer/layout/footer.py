"""The last line, always there: research use only, and the keys used most."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QWidget

from viewer.actions import ACTIONS
from viewer.readout.states import RESEARCH_LINE
from viewer.style.theme import Theme
from viewer.style.widgets import label

SHOWN = ("play", "phase", "calibrate", "overlay", "help")


class ResearchLine(QWidget):
    """The research line."""

    def __init__(self) -> None:
        super().__init__()
        self._line = label("gold")
        self._line.setText(RESEARCH_LINE)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._line)
        self._row.addStretch(1)
        self._keys, self._words = [], []
        for action in ACTIONS:
            if action.name in SHOWN:
                key, words = label("soft"), label("muted")
                key.setText(action.shown)
                words.setText(action.words)
                key.setProperty("kind", "key")
                key.setAlignment(Qt.AlignmentFlag.AlignCenter)
                self._row.addWidget(key)
                self._row.addWidget(words)
                self._keys.append(key)
                self._words.append(words)

    def apply(self, look: Theme) -> None:
        """Use these sizes."""
        self.setFixedHeight(look.px(30))
        self._row.setContentsMargins(look.px(16), 0, look.px(16), 0)
        self._row.setSpacing(look.px(8))
        self._line.setFont(look.font(13, QFont.Weight.Medium))
        for text in (*self._keys, *self._words):
            text.setFont(look.font(12))
        for key in self._keys:
            # Not its size hint, which remembers the size it was given last.
            width = key.fontMetrics().horizontalAdvance(key.text()) + look.px(14)
            key.setFixedSize(max(look.px(22), width), look.px(20))
        for words in self._words:
            words.setContentsMargins(0, 0, look.px(10), 0)
