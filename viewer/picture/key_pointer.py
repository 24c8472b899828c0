"""A pointer over the picture for whoever has no mouse: arrow keys or a pedal move it, Enter does what a button does."""

from collections.abc import Callable
from time import monotonic

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from viewer.picture.placement import Placement
from viewer.style import theme

STEP, HELD_STEP, LEAP = 4, 16, 32
"""By how much a pedal or a key that is held down moves the pointer, a pedal that is held down, and a key with Shift;
px at 1280×800. A key that is pressed once moves it by one pixel of the picture."""
WAYS = {
    Qt.Key.Key_Left: QPointF(-1, 0),
    Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1),
    Qt.Key.Key_Down: QPointF(0, 1),
}
TURNS = (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up)
"""The ways in which a pedal goes, in the order in which it turns."""
HELD_S = 0.15
"""A step that follows sooner than this comes from a pedal that is held down."""
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class KeyPointer(QWidget):
    """Lies over the canvas's viewport while the keyboard points; every other key remains a shortcut.

    Args:
        viewport: the widget it covers; resize it together with that.
        placement: returns the picture's present place in the viewport; None while there is none.
    """

    moved = Signal(QPointF)
    """Emitted with the new place in the viewport."""
    pressed = Signal(QPointF)
    """Emitted by Enter, with the place in the viewport."""

    def __init__(self, viewport: QWidget, placement: Callable[[], Placement | None]) -> None:
        super().__init__(viewport)
        self._viewport, self._placement = viewport, placement
        self._sizes, self._at = theme.Sizes(), QPointF()
        self._turn: int | None = None
        self._stepped_at = 0.0
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
        self._at, self._turn = at, None
        self.show()
        self.raise_()
        self.setFocus()
        self.moved.emit(self._at)

    def follow(self, before: Placement, now: Placement) -> None:
        """Stay on the same place of the picture, which was zoomed, moved or flipped: what it leads must not jump."""
        self._at = QPointF(*now.to_view(*before.to_picture(self._at.x(), self._at.y())))
        self.update()

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
            leap, held = event.modifiers() & Qt.KeyboardModifier.ShiftModifier, event.isAutoRepeat()
            far = self._sizes.px(LEAP if leap else STEP)
            self._move(way * far if leap or held else self._by_pixel(way))
        else:
            super().keyPressEvent(event)

    def go(self) -> bool:
        """Move on by a pedal in its present way, further while it is held down; True, since it stays on the picture."""
        now = monotonic()
        held, self._stepped_at = now - self._stepped_at < HELD_S, now
        self._turn = self._turn or 0
        self._move(WAYS[TURNS[self._turn]] * self._sizes.px(HELD_STEP if held else STEP))
        return True

    def turn(self) -> bool:
        """Turn the pedal's way to the right; after all four, leave the picture: False."""
        self._turn = 0 if self._turn is None else self._turn + 1
        if self._turn == len(TURNS):
            self._turn = None
            return False
        self.update()
        return True

    def _by_pixel(self, way: QPointF) -> QPointF:
        """The way from one pixel of the picture to the next, view pixels."""
        placement = self._placement()
        return way if placement is None else QPointF(way.x() * placement.across, way.y() * placement.down)

    def _move(self, way: QPointF) -> None:
        """Move within the view, view pixels; from a place that a zoom took out of it, no further away."""
        to, at, right, bottom = self._at + way, self._at, self.width() - 1.0, self.height() - 1.0
        x = min(max(to.x(), min(0.0, at.x())), max(right, at.x()))
        self._at = QPointF(x, min(max(to.y(), min(0.0, at.y())), max(bottom, at.y())))
        self.moved.emit(self._at)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw a cross that leaves its middle free; a pedal's way is its long arm."""
        painter = QPainter(self)
        near, far = self._sizes.px(5), self._sizes.px(16)
        for colour, width in ((QColor(0, 0, 0, 180), 4.0), (QColor(theme.TEXT), 1.6)):
            painter.setPen(QPen(colour, width * self._sizes.scale))
            for key, way in WAYS.items():
                ahead = self._turn is not None and key is TURNS[self._turn]
                painter.drawLine(self._at + way * near, self._at + way * (3 * far if ahead else far))
        painter.end()
