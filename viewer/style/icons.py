"""The icons of transport and tools, drawn here since fonts differ in them, and some lack them."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPainterPathStroker, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from viewer.style import theme

SIDE, FIELD = 48, 24
"""Pixels of an icon, and the field on which its shapes are drawn."""


def _triangle(left: float, right: float) -> QPainterPath:
    """A triangle from its base at x = `left` to its tip at x = `right`."""
    return _polygon((left, 5), (right, 12), (left, 19))


def _polygon(*points: tuple[float, float]) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon([QPointF(*point) for point in points])
    path.closeSubpath()
    return path


def _bar(left: float, width: float) -> QPainterPath:
    return _box(left, 5, width, 14)


def _box(left: float, top: float, width: float, height: float, corner: float = 1) -> QPainterPath:
    path = QPainterPath()
    path.addRoundedRect(QRectF(left, top, width, height), corner, corner)
    return path


def _disc(x: float, y: float, across: float, down: float = 0.0) -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(QPointF(x, y), across, down or across)
    return path


def _lines(*points: tuple[float, float]) -> QPainterPath:
    """The stroke along pairs of points."""
    path = QPainterPath()
    for start, end in zip(points[::2], points[1::2], strict=True):
        path.moveTo(*start)
        path.lineTo(*end)
    return _stroke(path)


def _stroke(path: QPainterPath) -> QPainterPath:
    pen = QPainterPathStroker()
    pen.setWidth(2)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen.createStroke(path)


_SHAPES = {
    "play": [_triangle(7, 19)],
    "pause": [_bar(7, 3.6), _bar(13.4, 3.6)],
    "back": [_triangle(15, 6), _bar(16.5, 2.6)],
    "forward": [_triangle(9, 18), _bar(5, 2.6)],
    "record": [_disc(12, 12, 7.5)],
    "stop": [_box(5.5, 5.5, 13, 13, 1.5)],
    "camera": [_stroke(_box(3, 7, 18, 13, 2)), _stroke(_disc(12, 13.5, 3.4)), _box(8.5, 4, 7, 3)],
    "keep": [_lines((12, 3), (12, 14), (7.5, 10), (12, 14.5), (16.5, 10), (12, 14.5)), _lines((4, 20), (20, 20))],
    "caliper": [
        _lines((2, 18), (8, 18), (5, 15), (5, 21), (16, 6), (22, 6), (19, 3), (19, 9), (8, 15.6), (16, 8.4)),
    ],
    "correct": [
        _polygon((4, 20), (5, 15), (15, 5), (19, 9), (9, 19)),
        _polygon((16.5, 3.5), (18.5, 1.8), (22.2, 5.5), (20.5, 7.5)),
    ],
    "contour": [_stroke(_disc(12, 12, 9, 6.5))],
    "down": [_polygon((6, 9), (18, 9), (12, 16))],
}  # fmt: skip


def paint(painter: QPainter, name: str, box: QRectF, colour: str) -> None:
    """Paint an icon into a box."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.topLeft())
    painter.scale(box.width() / FIELD, box.height() / FIELD)
    for shape in _SHAPES[name]:
        painter.fillPath(shape, QColor(colour))
    painter.restore()


def icon(name: str) -> QIcon:
    """An icon by its name, faint on a button that does nothing now: Qt's own shade cannot be told from white."""
    made = QIcon()
    for mode, colour in ((QIcon.Mode.Normal, theme.TEXT), (QIcon.Mode.Disabled, theme.FAINT)):
        pixmap = QPixmap(SIDE, SIDE)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        paint(painter, name, QRectF(0, 0, SIDE, SIDE), colour)
        painter.end()
        made.addPixmap(pixmap, mode)
    return made


def emblem() -> QIcon:
    """The program's own: a contour in a sector, as in packaging/linux/ius.svg."""
    sector, contour, pixmap = QPainterPath(QPointF(50, 26)), QPainterPath(QPointF(46, 70)), QPixmap(128, 128)
    sector.quadTo(64, 32, 78, 26)
    sector.lineTo(112, 96)
    sector.quadTo(64, 128, 16, 96)
    sector.closeSubpath()
    contour.cubicTo(48, 56, 66, 52, 76, 60)
    contour.cubicTo(86, 68, 82, 84, 70, 88)
    contour.cubicTo(58, 92, 44, 84, 46, 70)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(_box(0, 0, 128, 128, 24), QColor(theme.GROUND))
    painter.fillPath(sector, QColor(theme.FAINT))
    painter.strokePath(contour, QPen(QColor(theme.AMBER), 7))
    painter.end()
    return QIcon(pixmap)


class Symbol(QWidget):
    """An icon by itself, sharp at every size."""

    def __init__(self) -> None:
        super().__init__()
        self._name, self._colour = "", theme.TEXT

    def show_symbol(self, name: str, colour: str) -> None:
        """Show this icon in this colour."""
        if (name, colour) != (self._name, self._colour):
            self._name, self._colour = name, colour
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Paint the icon."""
        if self._name:
            painter = QPainter(self)
            paint(painter, self._name, QRectF(self.rect()), self._colour)
            painter.end()
