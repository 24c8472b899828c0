"""The transport's icons, drawn here since fonts differ in them, and some lack them."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPixmap

from viewer.style import theme

SIDE = 48


def _triangle(left: float, right: float) -> QPainterPath:
    """A triangle from its base at x = `left` to its tip at x = `right`, on a field of 24."""
    path = QPainterPath()
    path.addPolygon([QPointF(left, 5), QPointF(right, 12), QPointF(left, 19)])
    path.closeSubpath()
    return path


def _bar(left: float, width: float) -> QPainterPath:
    path = QPainterPath()
    path.addRoundedRect(QRectF(left, 5, width, 14), 1, 1)
    return path


_SHAPES = {
    "play": [_triangle(7, 19)],
    "pause": [_bar(7, 3.6), _bar(13.4, 3.6)],
    "back": [_triangle(15, 6), _bar(16.5, 2.6)],
    "forward": [_triangle(9, 18), _bar(5, 2.6)],
}


def icon(name: str) -> QIcon:
    """The icon `play`, `pause`, `back` or `forward`."""
    pixmap = QPixmap(SIDE, SIDE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(SIDE / 24, SIDE / 24)
    for shape in _SHAPES[name]:
        painter.fillPath(shape, QColor(theme.TEXT))
    painter.end()
    return QIcon(pixmap)
