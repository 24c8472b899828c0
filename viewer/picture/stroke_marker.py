"""Takes strokes of the mouse or a finger over the picture, and shows the one that is being made."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from inference.ruler import Point
from viewer.picture.placement import Placement
from viewer.style import theme


class StrokeMarker(QWidget):
    """Lies over the canvas's viewport while a contour is corrected; otherwise hidden.

    The left button makes strokes; wheel and other buttons go through to the canvas, which zooms and moves.

    Args:
        viewport: the widget it covers; resize it together with that.
        placement: returns the picture's present place in the viewport; None while there is none.

    Attributes:
        stroke: the points (x, y) in picture pixels of the stroke being made; empty between strokes.
    """

    finished = Signal(object)
    """Emitted at the end of each stroke, with its points."""

    def __init__(self, viewport: QWidget, placement: Callable[[], Placement | None]) -> None:
        super().__init__(viewport)
        self._viewport, self._placement = viewport, placement
        self._sizes = theme.Sizes()
        self._brush: tuple[float, float] | None = None
        self._closed = False
        self._pointer: QPointF | None = None
        self.stroke: tuple[Point, ...] = ()
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.hide()

    def apply(self, sizes: theme.Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes

    def begin(self) -> None:
        """Take the mouse."""
        self.stroke, self._pointer = (), None
        self.setGeometry(self._viewport.rect())
        self.show()
        self.raise_()

    def drop(self) -> None:
        """Forget the stroke being made."""
        self.stroke = ()
        self.update()

    def show_as(self, brush: tuple[float, float] | None, *, closed: bool) -> None:
        """Show a brush of these radii (x, y) in picture pixels, or else the line; `closed` joins its ends."""
        self._brush, self._closed = brush, closed
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke on the picture."""
        if event.button() is not Qt.MouseButton.LeftButton or self._placement() is None:
            event.ignore()
            return
        self._begin_stroke(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer; a stroke may leave the picture."""
        if event.buttons() & ~Qt.MouseButton.LeftButton:
            event.ignore()
        self.led(event.position())

    def led(self, at: QPointF) -> None:
        """Follow the pointer to a place in the viewport, by hand or by keys."""
        placement = self._placement()
        self._pointer = at
        if self.stroke and placement is not None:
            self.stroke = (*self.stroke, placement.to_picture(at.x(), at.y()))
        self.update()

    def put(self, at: QPointF) -> None:
        """Begin a stroke here, or end the one being made: a key has no button to be held."""
        if self.stroke:
            self._end_stroke()
        else:
            self._begin_stroke(at)

    def _begin_stroke(self, at: QPointF) -> None:
        placement = self._placement()
        if placement is None:
            return
        start = placement.to_picture(at.x(), at.y())
        if placement.holds(*start) and placement.shows(at.x(), at.y()):
            self.stroke = (start,)
            self.update()

    def _end_stroke(self) -> None:
        done, self.stroke = self.stroke, ()
        self.update()
        if done:
            self.finished.emit(done)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Report the stroke."""
        if event.button() is not Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self._end_stroke()

    def leaveEvent(self, event: QEvent) -> None:
        """Show no brush where no pointer is."""
        super().leaveEvent(event)
        self._pointer = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the brush under the pointer, or the line so far."""
        placement = self._placement()
        if placement is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = QPolygonF([QPointF(*placement.to_view(x, y)) for x, y in self.stroke])
        for colour, width in ((QColor(0, 0, 0, 180), 4.0), (QColor(theme.CORRECTED), 1.6)):
            painter.setPen(QPen(colour, width * self._sizes.scale))
            if self._brush is None:
                (painter.drawPolygon if self._closed else painter.drawPolyline)(line)
            elif self._pointer is not None:
                across, down = self._brush[0] * placement.across, self._brush[1] * placement.down
                painter.drawEllipse(
                    QRectF(self._pointer - QPointF(across, down), self._pointer + QPointF(across, down))
                )
        painter.end()
