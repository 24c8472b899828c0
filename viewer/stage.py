"""The picture with what may lie over it: one panel at a time, and a passing notice."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from viewer.canvas import Canvas
from viewer.face import Tone
from viewer.inset import Inset
from viewer.panels.sheet import Sheet
from viewer.theme import TONES, Theme
from viewer.widgets import label, set_text

NOTICE_S = 12.0


class Stage(QWidget):
    """Canvas, panels, notice.

    Args:
        canvas: fills the stage.
    """

    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self._look = Theme()
        self._sheets: list[Sheet] = []
        self._until = 0.0
        self._canvas = canvas
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(canvas)
        self.notice = label(wrap=True)
        self.notice.setParent(self)
        self.notice.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        colours = TONES[Tone.FAULT]
        self.notice.setStyleSheet(
            f"background: {colours.fill}; color: {colours.title}; border: 1px solid {colours.border};"
            "border-radius: 6px; padding: 10px 14px;"
        )
        self.notice.hide()
        self.inset = Inset(self)

    def add(self, sheet: Sheet) -> None:
        """Know another panel."""
        self._sheets.append(sheet)
        sheet.closed.connect(self._make_room)

    def apply(self, look: Theme) -> None:
        """Use these sizes."""
        self._look = look
        self.notice.setFont(look.font(14))
        self.inset.apply(look)
        for sheet in self._sheets:
            sheet.apply(look)
        self._place()

    def toggle(self, sheet: Sheet) -> None:
        """Open a panel, the only one; or close it if it is open."""
        opening = sheet.isHidden()
        self.dismiss()
        if opening:
            sheet.show()
            sheet.raise_()
            sheet.place(self)
            self._make_room()

    def dismiss(self) -> None:
        """Close whatever is open."""
        for sheet in self._sheets:
            sheet.dismiss()

    def say(self, sentence: str, now: float) -> None:
        """Show a sentence for a while."""
        self._until = now + NOTICE_S
        set_text(self.notice, sentence)
        self.notice.show()
        self._place()
        self.notice.raise_()

    def expire(self, now: float) -> None:
        """Take an old notice away."""
        if now > self._until and not self.notice.isHidden():
            self.notice.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep panels and notice in place."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        for sheet in self._sheets:
            if not sheet.isHidden():
                sheet.place(self)
        self._make_room()
        margin = self._look.px(14)
        width = min(self._look.px(560), self.width() - 2 * margin)
        height = max(self._look.touch, self.notice.heightForWidth(width))
        self.notice.setGeometry((self.width() - width) // 2, self.height() - height - margin, width, height)

    def _make_room(self) -> None:
        """Let the picture end where a panel begins."""
        taken = max((sheet.footprint for sheet in self._sheets), default=0)
        self._canvas.leave_right(taken)
        margin = self._look.px(14)
        self.inset.move(margin, self._look.touch + 2 * margin)  # the ruler is at the right
