"""The picture and its own contour, painted together from one outcome.

After every paint the canvas reports which frames picture and contour came from, so that a contour on the wrong picture
would be counted, not assumed away.
"""

from collections.abc import Callable
from itertools import product
from time import monotonic

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsItem, QGraphicsRectItem, QGraphicsScene, QGraphicsView, QWidget

from inference.crop import Rect
from inference.frame import Frame
from inference.live.paint_meter import Painted
from inference.outcome import Outcome
from inference.readout.annotations import Annotations
from inference.readout.carrying import Carried
from inference.readout.correction import Correction
from inference.readout.look import AS_IT_CAME, Look
from inference.readout.marks import Line
from inference.readout.screen_state import ScreenState
from inference.readout.side_by_side import BesidePane
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing
from inference.view_notes import Flip
from viewer.picture import overlay
from viewer.picture.graphics_items import ContourItem, MapItem, Outlines, PictureItem
from viewer.picture.key_pointer import KeyPointer
from viewer.picture.lens import ARM, Lens
from viewer.picture.placement import Area, Placement
from viewer.picture.region_marker import RegionMarker
from viewer.picture.stroke_marker import StrokeMarker
from viewer.style import theme

DIMMED = 0.35
NOTCH = 120
"""A notch of the wheel in Qt's units."""
NOTCH_ZOOM = 1.2
DRAGGING = (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton)
SIDE, EDGE = 76, 14
"""Margins at each side of the picture, for ruler and marker, and above and below it; px at 1280×800."""


class Canvas(QGraphicsView):
    """Draws one outcome and the marks around it.

    Args:
        on_painted: called after every paint event with what was painted.

    Attributes:
        empty: words shown while there is no picture.
    """

    clicked = Signal(float, float)
    """Emitted for a click on the picture, with (x, y) in picture pixels."""
    entered = Signal(float, float)
    """Emitted for Enter while the arrow keys point on the picture, with (x, y) in picture pixels."""
    led = Signal(float, float)
    """Emitted as the arrow keys point elsewhere, with (x, y) in picture pixels."""
    marker_clicked = Signal()
    zoomed = Signal(float, float, float)
    """Emitted as the wheel turns, with the factor and (x, y) in picture pixels."""
    dragged = Signal(float, float, object)
    """Emitted as the picture is dragged, with the way in view pixels and the mouse button."""

    def __init__(self, on_painted: Callable[[Painted], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._on_painted, self.empty = on_painted, overlay.EMPTY
        self._sizes = theme.Sizes()
        self._levels = (0.0, 255.0)
        self._annotations = Annotations()
        self._side, self._edge, self._corner = SIDE, EDGE, QSize(0, 0)
        self._strips = self._other_strips = self._sides = (0, 0)
        self._flip, self._look = Flip(), AS_IT_CAME
        self._box: Rect | None = None
        self._held: QPointF | None = None
        self._drawn: Outcome | None = None
        self._style: tuple[tuple[Line, ...], bool, Correction | Carried | None, bool, bool] | None = None
        self._spacing: PixelSpacing | None = None
        self.placement: Placement | None = None
        self.picture, self.map, self.contour = PictureItem(), MapItem(), ContourItem()
        self.region = RegionMarker(self.viewport(), lambda: self.placement)
        self.stroke = StrokeMarker(self.viewport(), lambda: self.placement)
        self.keys = KeyPointer(self.viewport(), lambda: self.placement)
        self.lens = Lens(self.viewport(), lambda: self.placement, lambda: self.picture.image, self._marks)
        self.lens.follow(self.viewport(), self.region)
        for follow in (self.stroke.led, self.region.led, self._lead, self.lens.point):
            self.keys.moved.connect(follow)
        self.keys.pressed.connect(self._press_by_key)
        scene = QGraphicsScene(self)
        scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        # What is zoomed in must not reach over the words and the ruler around it.
        self._frame_of_items = QGraphicsRectItem()
        self._frame_of_items.setPen(QPen(Qt.PenStyle.NoPen))
        self._frame_of_items.setFlag(QGraphicsItem.GraphicsItemFlag.ItemClipsChildrenToShape)
        scene.addItem(self._frame_of_items)
        for item in (self.picture, self.map, self.contour):
            item.setParentItem(self._frame_of_items)
        self.setScene(scene)
        self._configure()

    def _configure(self) -> None:
        """Set up a plain surface: no bars, frame or interaction; painted whole, and only when this class asks."""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.NoViewportUpdate)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.setBackgroundBrush(QColor(theme.BLACK))
        self.setInteractive(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents, False)
        # The whole background is painted here: without this Qt paints that of every widget below first.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def apply(self, sizes: theme.Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        self.region.apply(sizes)
        self.stroke.apply(sizes)
        self.keys.apply(sizes)
        self.lens.apply(sizes)
        self._place()

    def shows_tissue(self, where: QRect) -> bool:
        """Whether anything but black lies in this part of the view."""
        frame, placement = self.picture.frame, self.placement
        if frame is None or placement is None:
            return False
        x0, y0 = placement.to_picture(where.left(), where.top())
        x1, y1 = placement.to_picture(where.right() + 1, where.bottom() + 1)
        rows = slice(max(0, round(min(y0, y1))), max(0, round(max(y0, y1)) + 1))
        cols = slice(max(0, round(min(x0, x1))), max(0, round(max(x0, x1)) + 1))
        return bool(frame.pixels[rows, cols].any())

    def leave_free(self, side: int, edge: int) -> None:
        """Keep the picture out of these margins, px at 1280×800."""
        if (side, edge) != (self._side, self._edge):
            self._side, self._edge = side, edge
            self._place()

    def leave_corner(self, taken: QSize) -> None:
        """Keep the picture out of the top left corner, of this size: to the right of it or below it."""
        if taken != self._corner:
            self._corner = taken
            self._place()

    @property
    def strips(self) -> tuple[int, int]:
        """Heights of the words above and below the picture, view pixels."""
        return self._strips

    def match(self, strips: tuple[int, int]) -> None:
        """Leave as much room for words as the other of two panes, so that both pictures have the same scale."""
        if strips != self._other_strips:
            self._other_strips = strips
            self._place()

    @property
    def room(self) -> QRect:
        """The area available for picture and marks, view pixels."""
        return self.viewport().rect()

    def set_source(self, info: SourceInfo) -> None:
        """Prepare for pictures of this source."""
        self._levels = info.levels

    def clear(self) -> None:
        """Remove picture and contour before another source."""
        self.picture.take_away()
        self.map.clear()
        self.map.frame = None
        self.contour.take_away()
        self._drawn = self.placement = None
        self.viewport().update()

    def set_annotations(self, annotations: Annotations) -> None:
        """Change the marks around the picture."""
        if annotations != self._annotations:
            self._annotations = annotations
            strips, sides = overlay.strips(annotations, self.room, self._sizes), overlay.sides(annotations, self._sizes)
            if (strips, sides) != (self._strips, self._sides):
                self._place()
            self.viewport().update()

    def set_flip(self, flip: Flip) -> None:
        """Flip picture and contour together."""
        if flip != self._flip:
            self._flip = flip
            self._place()
            self.viewport().update()

    def set_view(self, box: Rect | None, look: Look) -> None:
        """Fit this part of the picture (None: all of it) and look at it like this."""
        retoned = (look.brightness, look.contrast) != (self._look.brightness, self._look.contrast)
        placed = (box, look.zoom, look.centre) != (self._box, self._look.zoom, self._look.centre)
        self._box, self._look = box, look
        if retoned and self.picture.frame is not None:
            self.picture.show_frame(self.picture.frame, self._levels, look.tones)
        if placed:
            self._place()
        if placed or retoned:
            self.viewport().update()

    def set_line_width(self, width: float) -> None:
        """Set the width of the contour, view pixels."""
        self.contour.width = width
        self.viewport().update()

    def _draw_map(self, frame: Frame, spread: NDArray[np.float32] | None) -> None:
        """Draw the disagreement map over the shown frame, or remove it."""
        wanted = frame if spread is not None and frame is self.picture.frame else None
        if self.map.frame is not wanted:
            self.map.show_map(frame, None if wanted is None else spread)
            self.viewport().update()

    def _hide_contour(self, hidden: bool) -> None:
        """Hide the overlay, to show the tissue below it."""
        if hidden != self.contour.hidden:
            self.contour.hidden = hidden
            self.map.setVisible(not hidden)
            self.viewport().update()

    def draw(self, screen: ScreenState) -> None:
        """Draw the picture with its own contour, or the whole picture without one; what is already drawn stays."""
        if screen.whole is not None:
            if screen.whole is not self.picture.frame or self.contour.frame is not None:
                self.show_frame(screen.whole)
        elif screen.outcome is not None:
            self._draw_outcome(screen.outcome, screen)
        self._hide_contour(screen.contour_off)

    def draw_beside(self, pane: BesidePane, *, contour_off: bool) -> None:
        """Draw the picture that stands beside the one shown, in the same round of painting."""
        if pane.outcome is not None:
            self._show_outcome(pane.outcome, pane.lines, made=pane.correction, cavity=pane.cavity)
        elif pane.frame is not self.picture.frame or self.contour.frame is not None:
            self.show_frame(pane.frame)
            self.picture.setOpacity(1.0)
            self.viewport().repaint()
        self._hide_contour(contour_off)

    def _draw_outcome(self, outcome: Outcome, screen: ScreenState) -> None:
        """Draw the outcome shown, and where its passes disagree."""
        truth, made = screen.comparison.outlines, screen.correction or screen.carried
        readout = screen.readout
        self._show_outcome(outcome, screen.lines, truth, made, dimmed=readout.dimmed, cavity=readout.cavity)
        self._draw_map(outcome.frame, screen.spread)

    def _show_outcome(
        self,
        outcome: Outcome,
        lines: tuple[Line, ...],
        truth: Outlines = (),
        made: Correction | Carried | None = None,
        *,
        dimmed: bool = False,
        cavity: Outlines = (),
    ) -> None:
        """Draw a new outcome at once, or the same one in another style."""
        style = (lines, dimmed, made, bool(cavity), bool(truth))
        new = outcome is not self._drawn
        if new or style != self._style:
            corrected = None if made is None else made.outlines
            proposed = isinstance(made, Carried)
            self.contour.show_outcome(outcome, lines, truth, corrected, proposed=proposed, cavity=cavity)
            self.picture.setOpacity(DIMMED if dimmed else 1.0)
            self._drawn, self._style = outcome, style
            if new:
                self._take_frame(outcome.frame)
                self.viewport().repaint()  # waiting for the next round of painting would cost about 8 ms
            else:
                self.viewport().update()

    def show_frame(self, frame: Frame) -> None:
        """Show a picture without a contour."""
        self.contour.take_away()
        self._drawn = None
        self._take_frame(frame)
        self.viewport().update()

    def dim(self, dimmed: bool) -> None:
        """Dim the picture to show that it can no longer be trusted."""
        opacity = DIMMED if dimmed else 1.0
        if opacity != self.picture.opacity():
            self.picture.setOpacity(opacity)
            self.viewport().update()

    def _take_frame(self, frame: Frame) -> None:
        """Take a new picture, and fit it again if its shape or scale differs."""
        self.picture.show_frame(frame, self._levels, self._look.tones)
        if self.map.frame is not frame:
            self.map.show_map(frame, None)
        before = None if self.placement is None else (self.placement.rows, self.placement.cols)
        if (frame.rows, frame.cols) != before or frame.spacing != self._spacing:
            self._spacing = frame.spacing
            self._place()

    def _place(self) -> None:
        """Fit the picture into the view, with room for the ruler and for the words above and below it."""
        self._strips = overlay.strips(self._annotations, self.room, self._sizes)
        self._sides = overlay.sides(self._annotations, self._sizes)
        self.setSceneRect(self.viewport().rect())
        frame = self.picture.frame
        if frame is None:
            return
        box = self._box if self._box is None or self._box.fits(frame.rows, frame.cols) else None
        shape = (frame.rows, frame.cols, frame.spacing)
        fitted = [Placement.fit(*shape, area, self._flip, box, self._look) for area in self._areas()]
        before, self.placement = self.placement, max(fitted, key=lambda made: made.across)
        if before is not None:
            self.keys.follow(before, self.placement)
        self._frame_of_items.setRect(QRectF(*(self.placement.area or ())))
        self.picture.setTransform(self.placement.transform)
        self.map.setTransform(self.placement.transform)
        self.contour.setTransform(self.placement.transform)
        self.viewport().update()

    def _areas(self) -> list[Area]:
        """Where the picture may stand: between equal margins or, if alone, in all that ruler and marker leave.

        The latter is larger in a narrow view, whose height is free for the marker.
        """
        size, px = self.room.size(), self._sizes.px
        margins = [(px(self._side), px(self._side), px(self._edge))]
        if (self._side, self._edge) == (SIDE, EDGE):
            margins.append((*self._sides, overlay.marker_room(self._sizes)))
        both = zip(self._strips, self._other_strips, strict=True)
        words_above, words_below = (max(pair) for pair in both)
        corner = {(self._corner.width(), 0), (0, self._corner.height())}
        areas: list[Area] = []
        for (side, right, edge), (beside, under) in product(margins, corner):
            left, above, below = max(side, beside), max(edge, words_above, under), max(px(self._edge), words_below)
            areas.append((left, above, max(1, size.width() - left - right), max(1, size.height() - above - below)))
        return areas

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the picture fitted."""
        super().resizeEvent(event)
        for marker in (self.region, self.stroke, self.keys):
            marker.setGeometry(self.viewport().rect())
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the items and the marks, and report what was painted."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        if self.placement is None:
            overlay.paint_empty(painter, self.empty, self.room, self._sizes)
        else:
            overlay.paint(painter, self._annotations, self.placement, self.room, self._sizes)
        painter.end()
        self._on_painted(Painted(self.picture.painted, self.contour.painted, monotonic()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Report the wheel over the picture."""
        turned, position = event.angleDelta().y(), event.position()
        if self.placement is not None and turned:
            at = self.placement.to_picture(position.x(), position.y())
            self.zoomed.emit(NOTCH_ZOOM ** (turned / NOTCH), *at)
        event.accept()

    def point_by_keys(self, x: float, y: float) -> None:
        """Let the arrow keys point, from this place in picture pixels."""
        if self.placement is not None:
            self.keys.begin(QPointF(*self.placement.to_view(x, y)))

    def _press_by_key(self, at: QPointF) -> None:
        """Do what the left button does here: put a stroke or a rectangle down or up, or set a point."""
        if not self.region.isHidden():
            self.region.put(at)
        elif not self.stroke.isHidden():
            self.stroke.put(at)
        elif self.placement is not None:
            x, y = self.placement.to_picture(at.x(), at.y())
            if self.placement.holds(x, y) and self.placement.shows(at.x(), at.y()):
                self.entered.emit(x, y)

    def _lead(self, at: QPointF) -> None:
        if self.placement is not None:
            self.led.emit(*self.placement.to_picture(at.x(), at.y()))

    def _marks(self) -> list[QRectF]:
        """The boxes of what is marked on the picture: points, regions, and the corners of one that is drawn."""
        placement, arm = self.placement, self._sizes.px(ARM)
        if placement is None:
            return []
        spots = [QPointF(*placement.to_view(x, y)) for x, y in self._annotations.points] + self.region.corners
        crosses = [QRectF(spot - QPointF(arm, arm), spot + QPointF(arm, arm)) for spot in spots]
        rects = (QRectF(one.left, one.top, one.cols, one.rows) for one in self._annotations.watched)
        return crosses + [placement.transform.mapRect(rect) for rect in rects]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Report how the picture is dragged."""
        if self._held is not None and event.buttons():
            way, self._held = event.position() - self._held, event.position()
            button = next(one for one in DRAGGING if event.buttons() & one)
            self.dragged.emit(way.x(), way.y(), button)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: ARG002
        """Let the picture go."""
        self._held = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Report clicks on the picture, in its own pixels, and clicks on the orientation marker."""
        position = event.position()
        self._held = position if event.button() in DRAGGING else None
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if overlay.marker_rect(self._annotations, self.room, self._sizes).contains(position):
            self.marker_clicked.emit()
        elif self.placement is not None:
            x, y = self.placement.to_picture(position.x(), position.y())
            if self.placement.holds(x, y) and self.placement.shows(position.x(), position.y()):
                self.clicked.emit(x, y)
