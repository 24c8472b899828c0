"""The picture and its own contour, painted together from one outcome.

Each of the two items keeps the frame it was made from, and notes that frame when it is really painted; after every
paint the pair is reported, so that a contour on a foreign picture would be counted, not assumed away.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QGraphicsItem, QGraphicsScene, QGraphicsView, QStyleOptionGraphicsItem, QWidget

from inference.frame import Frame, Pixels
from inference.reading import Outcome, Tumour
from inference.sources.base import SourceInfo
from inference.spacing import PixelSpacing
from viewer import overlay, theme
from viewer.decor import Decor
from viewer.face import Line
from viewer.flip import Flip
from viewer.placement import Placement

DIMMED = 0.35
STRIDE = 3
"""Outlines come in steps of half a pixel; every third point is within 0.1 pixel of them and a third of the work."""
_DASHES = {Line.SOLID: [], Line.DASHED: [4.0, 2.6], Line.DOTTED: [0.1, 2.2]}


@dataclass(frozen=True, slots=True)
class Painted:
    """What one paint event put on the screen: the frames of picture and contour, and when."""

    picture: Frame | None
    contour: Frame | None
    at: float


class PictureItem(pg.ImageItem):  # type: ignore[misc]
    """The grey picture: uint8, row-major, fixed levels, the fast path of pyqtgraph."""

    def __init__(self) -> None:
        super().__init__(axisOrder="row-major")
        self.frame: Frame | None = None
        self.painted: Frame | None = None

    def show_frame(self, frame: Frame, levels: tuple[float, float]) -> None:
        """Take the picture of `frame`."""
        self.setImage(grey(frame.pixels, levels), autoLevels=False, levels=(0, 255))
        self.frame = frame

    def take_away(self) -> None:
        """Show nothing."""
        self.clear()
        self.frame = self.painted = None

    def paint(self, painter: QPainter, *args: object) -> None:
        """Paint, and note which frame."""
        super().paint(painter, *args)
        self.painted = self.frame


class ContourItem(QGraphicsItem):
    """All outlines of one frame, one path for each style, reused from frame to frame."""

    def __init__(self) -> None:
        super().__init__()
        self.frame: Frame | None = None
        self.painted: Frame | None = None
        self.hidden = False
        self.width = 2.5
        self._paths: dict[Line, QPainterPath] = {}
        self._bounds = QRectF()

    def show_outcome(self, outcome: Outcome, lines: tuple[Line, ...]) -> None:
        """Take the outlines of `outcome`, one style a region; no styles, no outlines."""
        self.prepareGeometryChange()
        self._bounds = QRectF(0, 0, outcome.frame.cols, outcome.frame.rows)
        self._paths = outlines(outcome, lines) if isinstance(outcome, Tumour) else {}
        self.frame = outcome.frame

    def take_away(self) -> None:
        """Show nothing."""
        self.prepareGeometryChange()
        self._bounds, self._paths = QRectF(), {}
        self.frame = self.painted = None

    def boundingRect(self) -> QRectF:
        """The whole picture."""
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002
        """Paint a dark rim, then the line; and note which frame."""
        self.painted = self.frame
        if self.hidden:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for line, path in self._paths.items():
            for pen in _pens(line, self.width):
                painter.strokePath(path, pen)


def _pens(line: Line, width: float) -> tuple[QPen, QPen]:
    """The rim that keeps the line visible on bright tissue, and the line."""
    pens = []
    for colour, extra in ((QColor(0, 0, 0, 150), 2.0), (QColor(theme.LINES[line]), 0.0)):
        cap = Qt.PenCapStyle.FlatCap if line is Line.DASHED else Qt.PenCapStyle.RoundCap
        pen = QPen(colour, width + extra, Qt.PenStyle.SolidLine, cap, Qt.PenJoinStyle.BevelJoin)
        if _DASHES[line]:
            pen.setDashPattern([length * width / (width + extra) for length in _DASHES[line]])
        pen.setCosmetic(True)
        pens.append(pen)
    return pens[0], pens[1]


def outlines(tumour: Tumour, lines: tuple[Line, ...]) -> dict[Line, QPainterPath]:
    """One closed path a style, in picture edges (pixel centres at halves)."""
    paths: dict[Line, QPainterPath] = {}
    for region, line in zip(tumour.regions, lines, strict=False):
        for contour in region.contours:
            points = contour[::STRIDE] if len(contour) > 20 * STRIDE else contour
            closed = np.concatenate([points, points[:1]]).astype(np.float64) + 0.5
            piece = pg.functions.arrayToQPath(closed[:, 0], closed[:, 1], finiteCheck=False)
            paths.setdefault(line, QPainterPath()).addPath(piece)
    return paths


def grey(pixels: Pixels, levels: tuple[float, float]) -> NDArray[np.uint8]:
    """The display map: black at levels[0], white at levels[1], uint8."""
    black, white = levels
    if pixels.dtype == np.uint8 and (black, white) == (0, 255):
        return np.asarray(pixels, np.uint8)
    factor = 255.0 / max(white - black, 1e-6)
    scaled = (pixels.astype(np.float32) - np.float32(black)) * np.float32(factor)
    shown: NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return shown


class Canvas(QGraphicsView):
    """Draws one outcome, and the marks around it.

    Args:
        on_painted: told after every paint event what was painted.
    """

    clicked = Signal(float, float)
    """A click on the picture, (x, y) in picture pixels."""
    marker_clicked = Signal()

    def __init__(self, on_painted: Callable[[Painted], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._on_painted = on_painted
        self._theme = theme.Theme()
        self._levels = (0.0, 255.0)
        self._decor = Decor()
        self._left_out = 0
        self._flip = Flip()
        self._spacing: PixelSpacing | None = None
        self.placement: Placement | None = None
        self.picture, self.contour = PictureItem(), ContourItem()
        scene = QGraphicsScene(self)
        scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        scene.addItem(self.picture)
        scene.addItem(self.contour)
        self.setScene(scene)
        self._configure()

    def _configure(self) -> None:
        """A plain surface: no bars, no frame, no interaction; painted whole, and only when this class says so."""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.NoViewportUpdate)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.setBackgroundBrush(QColor(theme.BLACK))
        self.setInteractive(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumSize(320, 240)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents, False)

    def apply(self, look: theme.Theme) -> None:
        """Use these sizes."""
        self._theme = look
        self._place()

    def leave_right(self, width: int) -> None:
        """Keep the picture and its marks out of a strip at the right."""
        if width != self._left_out:
            self._left_out = width
            self._place()
            self.viewport().update()

    @property
    def room(self) -> QRect:
        """Where picture and marks may be, view pixels."""
        return self.viewport().rect().adjusted(0, 0, -self._left_out, 0)

    def set_source(self, info: SourceInfo) -> None:
        """Prepare for pictures of this source."""
        self._levels = info.levels

    def clear(self) -> None:
        """Take picture and contour away: another source is coming."""
        self.picture.take_away()
        self.contour.take_away()
        self.placement = None
        self.viewport().update()

    def set_decor(self, decor: Decor) -> None:
        """Change the marks around the picture."""
        if decor != self._decor:
            self._decor = decor
            self.viewport().update()

    def set_flip(self, flip: Flip) -> None:
        """Turn picture and contour over together."""
        if flip != self._flip:
            self._flip = flip
            self._place()
            self.viewport().update()

    def set_line_width(self, width: float) -> None:
        """Width of the contour, view pixels."""
        self.contour.width = width
        self.viewport().update()

    def hide_contour(self, hidden: bool) -> None:
        """Take the overlay off to see the tissue underneath."""
        if hidden != self.contour.hidden:
            self.contour.hidden = hidden
            self.viewport().update()

    def show_outcome(self, outcome: Outcome, lines: tuple[Line, ...], *, dimmed: bool = False) -> None:
        """Show a picture and its own contour, now: waiting for the next round of painting would cost some 8 ms."""
        self._draw(outcome, lines, dimmed=dimmed)
        self.picture.show_frame(outcome.frame, self._levels)
        shape = (outcome.frame.rows, outcome.frame.cols)
        before = None if self.placement is None else (self.placement.rows, self.placement.cols)
        if shape != before or outcome.frame.spacing != self._spacing:
            self._spacing = outcome.frame.spacing
            self._place()
        self.viewport().repaint()

    def show_lines(self, outcome: Outcome, lines: tuple[Line, ...], *, dimmed: bool) -> None:
        """Draw the contour of the outcome on the screen in another style, or take it away."""
        self._draw(outcome, lines, dimmed=dimmed)
        self.viewport().update()

    def _draw(self, outcome: Outcome, lines: tuple[Line, ...], *, dimmed: bool) -> None:
        self.contour.show_outcome(outcome, lines)
        self.picture.setOpacity(DIMMED if dimmed else 1.0)

    def _place(self) -> None:
        """Fit the picture into the view, leaving room for the ruler."""
        self.setSceneRect(self.viewport().rect())
        size = self.room.size()
        frame = self.picture.frame
        if frame is None:
            return
        side, edge = self._theme.px(76), self._theme.px(14)
        area = (side, edge, max(1, size.width() - 2 * side), max(1, size.height() - 2 * edge))
        self.placement = Placement.fit(frame.rows, frame.cols, frame.spacing, area, self._flip)
        self.picture.setTransform(self.placement.transform)
        self.contour.setTransform(self.placement.transform)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the picture fitted."""
        super().resizeEvent(event)
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the items and the marks, and report what was painted."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        overlay.paint(painter, self._decor, self.placement, self.room, self._theme)
        painter.end()
        self._on_painted(Painted(self.picture.painted, self.contour.painted, monotonic()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Report clicks on the picture in its own pixels, and clicks on the orientation marker."""
        position = event.position()
        if overlay.marker_rect(self._decor, self.room, self._theme).contains(position):
            self.marker_clicked.emit()
        elif self.placement is not None:
            x, y = self.placement.to_picture(position.x(), position.y())
            if self.placement.holds(x, y):
                self.clicked.emit(x, y)

    def view_position(self, x: float, y: float) -> QPointF:
        """Where a picture position is in the view; the view's corner while there is no picture."""
        return QPointF(*self.placement.to_view(x, y)) if self.placement else QPointF()
