"""The last line, always visible: research use only, and the keys used most."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from inference.readout.states import RESEARCH_LINE
from viewer.keymap import AnyAction
from viewer.style.theme import Sizes
from viewer.style.widgets import label

SHOWN = ("play", "phase", "calibrate", "overlay", "help")


class Footer(QWidget):
    """The research line, and as many keys as fit.

    Args:
        actions: all of them.
    """

    def __init__(self, actions: Sequence[AnyAction]) -> None:
        super().__init__()
        self._line = label("gold")
        self._line.setText(RESEARCH_LINE)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._line)
        self._row.addStretch(1)
        self._keys, self._words = [], []
        for action in actions:
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

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self.setFixedHeight(sizes.px(30))
        self._row.setContentsMargins(sizes.px(16), 0, sizes.px(16), 0)
        self._row.setSpacing(sizes.px(8))
        self._line.setFont(sizes.font(13, QFont.Weight.Medium))
        for text in (*self._keys, *self._words):
            text.setFont(sizes.font(12))
        for key in self._keys:
            # The size hint cannot be used: it remembers the last size set.
            width = key.fontMetrics().horizontalAdvance(key.text()) + sizes.px(14)
            key.setFixedSize(max(sizes.px(22), width), sizes.px(20))
        for words in self._words:
            words.setContentsMargins(0, 0, sizes.px(10), 0)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the research line complete."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Show as many keys as the research line leaves room for."""
        gap, margins = self._row.spacing(), self._row.contentsMargins()
        free = self.width() - margins.left() - margins.right() - self._line.sizeHint().width() - gap
        for key, words in zip(self._keys, self._words, strict=True):
            free -= key.width() + words.sizeHint().width() + 2 * gap
            for part in (key, words):
                part.setVisible(free >= 0)
