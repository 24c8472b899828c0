"""A magnifier beside the pointer, for whoever has to hit one pixel."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QTransform
from PySide6.QtWidgets import QWidget

from viewer.picture.placement import Placement
from viewer.style import theme

ZOOM = 4.0
"""How much larger than around it the picture is in the lens."""
LEAST = 4.0
"""View pixels of a picture pixel in the lens at least, so that single ones can be told apart."""
SIDE, AWAY, ARM = 152, 34, 16
"""Side of the lens, its distance from the pointer, and a marker's arm; px at 1280×800."""
PLACES = ((1, 1), (1, -1), (-1, 1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1))
"""Where it may stand beside the pointer, in order of liking; after them come the corners of the view."""


def beside(at: QPointF, side: float, away: float, room: QRectF, marks: Sequence[QRectF]) -> QRectF:
    """Where a lens stands: beside the pointer, within the view, on no marker, or on as little of them as can be.

    Args:
        at: the pointer.
        side: of the lens, px.
        away: its distance from the pointer, px.
        room: the view.
        marks: the boxes of all other markers.
    """
    reach, size = away + side / 2, QSizeF(side, side)
    spots = [at + QPointF(across * reach, down * reach) for across, down in PLACES]
    inner = room.adjusted(side / 2, side / 2, -side / 2, -side / 2)
    spots += [inner.topLeft(), inner.topRight(), inner.bottomLeft(), inner.bottomRight()]
    boxes = [QRectF(spot - QPointF(side / 2, side / 2), size) for spot in spots]
    clear = QRectF(at - QPointF(away, away) / 2, QSizeF(away, away))
    fitting = [box for box in boxes if room.contains(box) and not box.intersects(clear)]
    return min(fitting or boxes[-4:], key=lambda box: sum(_area(box & mark) for mark in marks))


def _area(box: QRectF) -> float:
    return box.width() * box.height()


class Lens(QWidget):
    """Lies over the canvas's viewport while something is placed on a picture that stands still.

    Args:
        viewport: the widget it covers.
        placement: returns the picture's present place in the viewport; None while there is none.
        picture: returns the picture that is shown, (rows, cols) uint8; None while there is none.
        marks: returns the boxes of what is marked, in the viewport.
    """

    def __init__(
        self,
        viewport: QWidget,
        placement: Callable[[], Placement | None],
        picture: Callable[[], NDArray[np.uint8] | None],
        marks: Callable[[], Sequence[QRectF]],
    ) -> None:
        super().__init__(viewport)
        self._viewport, self._placement, self._picture, self._marks = viewport, placement, picture, marks
        self._sizes, self._wanted, self._by_mouse = theme.Sizes(), False, False
        self._at: QPointF | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def apply(self, sizes: theme.Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        self.setFixedSize(sizes.px(SIDE), sizes.px(SIDE))

    def follow(self, *surfaces: QWidget) -> None:
        """Follow the mouse over these widgets, which cover the whole viewport."""
        for surface in surfaces:
            surface.setMouseTracking(True)
            surface.installEventFilter(self)

    def keep(self, *, wanted: bool) -> None:
        """Come, if anything points at the picture, or go; called at every tick."""
        begins, self._wanted = wanted and not self._wanted, wanted
        if not wanted:
            self.hide()
        elif begins and self._at is not None:
            self.point(self._at)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the mouse, and go when it leaves."""
        if event.type() is QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            self.point(event.position())
            self._by_mouse = True
        elif event.type() is QEvent.Type.Leave and self._by_mouse:
            self._at = None
            self.hide()
        return super().eventFilter(watched, event)

    def point(self, at: QPointF) -> None:
        """Show what lies under this place of the viewport; nothing where no picture is."""
        self._at, self._by_mouse, placement = at, False, self._placement()
        if not self._wanted or placement is None or not placement.holds(*placement.to_picture(at.x(), at.y())):
            self.hide()
            return
        room = QRectF(self._viewport.rect())
        box = beside(at, self.width(), self._sizes.px(AWAY), room, self._marks())
        self.move(box.topLeft().toPoint())
        self.show()
        self.raise_()
        self.update()

    @property
    def shown_at(self) -> tuple[float, float] | None:
        """The picture position in the middle of the lens; None while it is away."""
        at, placement = self._at, self._placement()
        if self.isHidden() or at is None or placement is None:
            return None
        return placement.to_picture(at.x(), at.y())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the magnified picture and a cross-hair that leaves its middle free."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.BLACK))
        at, placement, picture = self._at, self._placement(), self._picture()
        middle = QRectF(self.rect()).center()
        if at is not None and placement is not None and picture is not None:
            zoom = max(ZOOM, LEAST / min(placement.across, placement.down))
            to_lens = QTransform.fromTranslate(-at.x(), -at.y()) * QTransform.fromScale(zoom, zoom)
            to_lens *= QTransform.fromTranslate(middle.x(), middle.y())
            painter.setTransform(placement.transform * to_lens)
            self._draw_patch(painter, picture, placement, at, zoom)
            painter.resetTransform()
        near, far = self._sizes.px(7), self.width() / 2
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (QColor(theme.AMBER), 1.0)):
            painter.setPen(QPen(colour, width * self._sizes.scale))
            for way in (QPointF(1, 0), QPointF(-1, 0), QPointF(0, 1), QPointF(0, -1)):
                painter.drawLine(middle + way * near, middle + way * far)
        painter.setPen(QPen(QColor(theme.AMBER), 2 * self._sizes.scale))
        painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def _draw_patch(
        self, painter: QPainter, picture: NDArray[np.uint8], placement: Placement, at: QPointF, zoom: float
    ) -> None:
        """Draw the part of the picture that the lens shows, in the picture's own coordinates."""
        rows, cols = picture.shape
        x, y = placement.to_picture(at.x(), at.y())
        across, down = (self.width() / (2 * zoom * per) + 2 for per in (placement.across, placement.down))
        left, top = max(0, int(x - across)), max(0, int(y - down))
        patch = np.ascontiguousarray(picture[top : min(rows, int(y + down) + 1), left : min(cols, int(x + across) + 1)])
        if patch.size:
            high, wide = patch.shape
            image = QImage(patch.tobytes(), wide, high, wide, QImage.Format.Format_Grayscale8)
            painter.drawImage(QPointF(left, top), image)
