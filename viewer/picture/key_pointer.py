"""A pointer over the picture that the arrow keys move, for whoever has no mouse: Enter does what its button does."""

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from viewer.style import theme

STEP, LEAP = 4, 32
"""By how much a key moves the pointer, and with Shift, px at 1280×800."""
WAYS = {
    Qt.Key.Key_Left: QPointF(-1, 0),
    Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1),
    Qt.Key.Key_Down: QPointF(0, 1),
}
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class KeyPointer(QWidget):
    """Lies over the canvas's viewport while the keyboard points; every other key remains a shortcut.

    Args:
        viewport: the widget it covers; resize it together with that.
    """

    moved = Signal(QPointF)
    """Emitted with the new place in the viewport."""
    pressed = Signal(QPointF)
    """Emitted by Enter, with the place in the viewport."""

    def __init__(self, viewport: QWidget) -> None:
        super().__init__(viewport)
        self._viewport, self._sizes, self._at = viewport, theme.Sizes(), QPointF()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Pointer on the picture: arrow keys, Enter")
        self.hide()

    def apply(self, sizes: theme.Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes

    def begin(self, at: QPointF) -> None:
        """Take the keyboard, and point at this place of the viewport."""
        self.setGeometry(self._viewport.rect())
        self._at = at
        self.show()
        self.raise_()
        self.setFocus()
        self.moved.emit(self._at)

    def keep(self, *, wanted: bool) -> None:
        """Go as soon as it is not wanted or the focus is elsewhere; called at every tick."""
        # Not in the moment in which the focus leaves: what a hidden widget gives its focus to does not get it.
        if not self.isHidden() and not (wanted and self.hasFocus()):
            self.hide()

    def event(self, event: QEvent) -> bool:
        """Keep arrows and Enter from the shortcuts."""
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return super().event(event)
        if event.key() in WAYS or event.key() in ENTER:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, or press."""
        if event.key() in ENTER:
            self.pressed.emit(self._at)
        elif (way := WAYS.get(Qt.Key(event.key()))) is not None:
            shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            to = self._at + way * self._sizes.px(LEAP if shift else STEP)
            rect = self.rect()
            self._at = QPointF(min(max(to.x(), 0.0), rect.width() - 1.0), min(max(to.y(), 0.0), rect.height() - 1.0))
            self.moved.emit(self._at)
            self.update()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw a cross that leaves its middle free."""
        painter = QPainter(self)
        near, far = self._sizes.px(5), self._sizes.px(16)
        for colour, width in ((QColor(0, 0, 0, 180), 4.0), (QColor(theme.TEXT), 1.6)):
            painter.setPen(QPen(colour, width * self._sizes.scale))
            for way in WAYS.values():
                painter.drawLine(self._at + way * near, self._at + way * far)
        painter.end()
