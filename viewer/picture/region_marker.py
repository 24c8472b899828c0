"""A rectangle on the picture, dragged and resized by finger or by keys: the crop, or the watched text and ruler."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from inference.crop import Rect
from viewer.picture.placement import Placement
from viewer.style import theme

SMALLEST = 4
"""Smallest side, picture pixels."""


class RegionMarker(QWidget):
    """Lies over the canvas's viewport while a region is being marked; otherwise hidden.

    Dragging a corner within a finger's reach resizes, dragging the inside moves, anywhere else starts a new rectangle.

    Args:
        viewport: the widget it covers; resize it together with that.
        placement: returns the picture's present place in the viewport; None while there is none.
    """

    changed = Signal(object)
    """Emitted after each drag with a `Rect` in picture pixels."""

    def __init__(self, viewport: QWidget, placement: Callable[[], Placement | None]) -> None:
        super().__init__(viewport)
        self._viewport, self._placement = viewport, placement
        self._sizes = theme.Sizes()
        self._box: QRectF | None = None
        self._fixed: QPointF | None = None
        self._held: QPointF | None = None
        self.hide()

    def apply(self, sizes: theme.Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes

    @property
    def rect_marked(self) -> Rect | None:
        """The rectangle in whole picture pixels; None before the first one."""
        if self._box is None:
            return None
        left, top = round(self._box.left()), round(self._box.top())
        return Rect(top, left, round(self._box.bottom()) - top, round(self._box.right()) - left)

    @property
    def corners(self) -> list[QPointF]:
        """The corners of the rectangle in the viewport; none before the first one, or while nothing is marked."""
        placement = self._placement()
        if placement is None or self._box is None or self.isHidden():
            return []
        box = placement.transform.mapRect(self._box)
        return [box.topLeft(), box.topRight(), box.bottomLeft(), box.bottomRight()]

    def begin(self, rect: Rect | None) -> None:
        """Show this rectangle as a proposal, or none yet, and take the mouse."""
        self._box = None if rect is None else QRectF(rect.left, rect.top, rect.cols, rect.rows)
        self._fixed = self._held = None
        self.setGeometry(self._viewport.rect())
        self.show()
        self.raise_()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grab a corner or the rectangle, or start a new one."""
        self._grab(event.position())

    def put(self, at: QPointF) -> None:
        """Grab here, or let go of what was grabbed: a key has no button to be held."""
        if self._fixed is None and self._held is None:
            self._grab(at)
        else:
            self._let_go()

    def _grab(self, view: QPointF) -> None:
        at = self._edge_at(view)
        if at is None:
            return
        corner = self._corner_at(view)
        if corner is not None and self._box is not None:
            self._fixed = self._box.center() * 2 - corner
        elif self._box is not None and self._box.contains(at):
            self._held = at - self._box.topLeft()
        else:
            self._fixed = at

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the finger."""
        self.led(event.position())

    def led(self, view: QPointF) -> None:
        """Follow finger or keys to a place in the viewport, within the picture."""
        at, placement = self._edge_at(view), self._placement()
        if at is None or placement is None:
            return
        if self._fixed is not None:
            box = QRectF(self._fixed, at).normalized()
            if box.width() >= SMALLEST and box.height() >= SMALLEST:
                self._box = box
        elif self._held is not None and self._box is not None:
            to = at - self._held
            x = min(max(to.x(), 0.0), placement.cols - self._box.width())
            y = min(max(to.y(), 0.0), placement.rows - self._box.height())
            self._box.moveTo(x, y)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: ARG002
        """Report what was marked."""
        self._let_go()

    def _let_go(self) -> None:
        self._fixed = self._held = None
        if self.rect_marked is not None:
            self.changed.emit(self.rect_marked)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the rectangle and its corners."""
        placement = self._placement()
        if placement is None or self._box is None:
            return
        painter = QPainter(self)
        box = placement.transform.mapRect(self._box)
        half = self._sizes.px(6)
        for colour, width in ((QColor(0, 0, 0, 180), 4.0), (QColor(theme.AMBER), 1.6)):
            painter.setPen(QPen(colour, width * self._sizes.scale, Qt.PenStyle.SolidLine))
            painter.drawRect(box)
            for corner in self.corners:
                painter.drawEllipse(corner, half, half)
        painter.end()

    def _edge_at(self, view: QPointF) -> QPointF | None:
        """The position in picture edges, with the corner of pixel (0, 0) at (0, 0), limited to the picture."""
        placement = self._placement()
        if placement is None:
            return None
        x, y = placement.to_picture(view.x(), view.y())
        return QPointF(min(max(x + 0.5, 0.0), placement.cols), min(max(y + 0.5, 0.0), placement.rows))

    def _corner_at(self, view: QPointF) -> QPointF | None:
        """The rectangle's corner under the finger, in picture edges; half a touch target is within reach."""
        placement = self._placement()
        if placement is None or self._box is None:
            return None
        box = self._box
        corners = (box.topLeft(), box.topRight(), box.bottomLeft(), box.bottomRight())
        away = {(placement.transform.map(c) - view).manhattanLength(): c for c in corners}
        return away[min(away)] if min(away) <= self._sizes.touch / 2 else None
