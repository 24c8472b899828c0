"""REC: shows that a recording runs, how long, how large, and whether frames were lost. Pressing it stops it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from inference.readout.formatting import size_words, spaced, time_words
from inference.readout.marks import Shape
from viewer.style import theme
from viewer.style.theme import Sizes
from viewer.style.widgets import Button, Mark, label, set_ink, set_text


class RecordBadge(Button):
    """Shows time, size and losses of a recording, and stops it; hidden if there is none."""

    appeared = Signal()
    """Emitted as it is shown, before anything is laid out with it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("badge")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Stop recording")
        self.setToolTip("Stop recording (R)")
        self._mark, self._time, self.counts = Mark(), label("red"), label("soft")
        self._mark.show_shape(Shape.DOT, theme.RED)
        self._row, self._lines = QHBoxLayout(self), QVBoxLayout()
        self._row.addWidget(self._mark)
        self._row.addLayout(self._lines)
        self._lines.addWidget(self._time)
        self._lines.addWidget(self.counts)
        for part in (self._mark, self._time, self.counts):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._row.setContentsMargins(sizes.px(8), sizes.px(3), sizes.px(8), sizes.px(4))
        self._row.setSpacing(sizes.px(8))
        self._lines.setSpacing(0)
        self._mark.setFixedSize(sizes.px(16), sizes.px(16))
        self._time.setFont(sizes.font(14, QFont.Weight.Bold))
        self.counts.setFont(sizes.font(11.5))
        # Growing numbers must not shift the other buttons; a button is as wide as its text, not as its layout.
        time = self._time.fontMetrics().horizontalAdvance("REC 0:00:00 · 000 MB")
        counts = self.counts.fontMetrics().horizontalAdvance("000 000 frames, 0 000 dropped")
        self.setFixedSize(max(time, counts) + sizes.px(16 + 16 + 8) + 4, sizes.px(44))

    def showEvent(self, event: QShowEvent) -> None:
        """Say that room is needed."""
        super().showEvent(event)
        self.appeared.emit()

    def show_status(self, seconds: float, size: int, frames: int, dropped: int) -> None:
        """Show the latest numbers."""
        set_text(self._time, f"REC {time_words(seconds)} · {size_words(size)}")
        set_text(self.counts, f"{spaced(frames)} frames, {spaced(dropped)} dropped")
        set_ink(self.counts, "amber" if dropped else "soft")
        self.show()
