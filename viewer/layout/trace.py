"""Area in the plane shown, over the last half minute, with the contract's limit. It does not measure progress."""

import math
from collections import deque

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from viewer.style import theme
from viewer.style.theme import Sizes

SPAN_S = 30.0
CAPTION = "Area in the plane shown, mm²"
STEPS = (100, 250, 500, 1000, 2500, 5000, 10_000, 25_000)


class Trace(QWidget):
    """Draws the points it is given; a frame without an area leaves a gap, never a zero."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes = Sizes()
        self._points: deque[tuple[float, float]] = deque()
        self._limit: float | None = None
        self._now = 0.0
        self.setAccessibleName(CAPTION)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        self.setFixedWidth(sizes.px(430))
        self.update()

    def set_limit(self, limit_mm2: float | None) -> None:
        """Set the area below which the contract calls a contour unreliable."""
        self._limit = limit_mm2
        self.update()

    def clear(self) -> None:
        """Forget every point, after a change of source or scale."""
        self._points.clear()
        self.update()

    def add(self, time_s: float, area_mm2: float | None) -> None:
        """Add a frame's area, None if it has none; drawn at the next `refresh`."""
        self._points.append((time_s, math.nan if area_mm2 is None else area_mm2))
        while self._points and time_s - self._points[0][0] > SPAN_S:
            self._points.popleft()
        self._now = time_s

    def refresh(self) -> None:
        """Draw what was added; called a few times per second."""
        self.update()

    @property
    def top(self) -> float:
        """Top of the axis: the smallest step that holds every point and the limit."""
        areas = [area for _, area in self._points if not math.isnan(area)]
        highest = max([*areas, (self._limit or 0.0) * 2])
        return next((float(step) for step in STEPS if step >= highest), float(math.ceil(highest)))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw caption, axis, limit and line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        sizes = self._sizes
        painter.setFont(sizes.font(12))
        painter.setPen(QColor(theme.MUTED))
        painter.drawText(QRectF(0, sizes.px(8), self.width(), sizes.px(18)), Qt.AlignmentFlag.AlignLeft, CAPTION)
        plot = QRectF(0, sizes.px(32), self.width() - sizes.px(56), self.height() - sizes.px(44))
        self._axis(painter, plot)
        self._line(painter, plot)

    def _axis(self, painter: QPainter, plot: QRectF) -> None:
        """Draw zero, the top and the limit."""
        painter.setPen(QPen(QColor(theme.BORDER), 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        painter.drawLine(plot.topLeft(), plot.topRight())
        self._mark(painter, plot, self.top, theme.MUTED)
        if self._limit is not None:
            y = self._y(plot, self._limit)
            painter.setPen(QPen(QColor(theme.AMBER), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            self._mark(painter, plot, self._limit, theme.AMBER)

    def _mark(self, painter: QPainter, plot: QRectF, value: float, colour: str) -> None:
        """Draw a value to the right of the axis."""
        height = self._sizes.px(16)
        box = QRectF(plot.right() + self._sizes.px(6), self._y(plot, value) - height / 2, self._sizes.px(50), height)
        painter.setPen(QColor(colour))
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{value:.0f}")

    def _line(self, painter: QPainter, plot: QRectF) -> None:
        if len(self._points) < 2:
            return
        times, areas = np.array(self._points).T
        x = plot.right() - (self._now - times) / SPAN_S * plot.width()
        y = plot.bottom() - areas / self.top * plot.height()
        painter.setPen(QPen(QColor(theme.CYAN), 1.6 * self._sizes.scale))
        painter.drawPath(pg.functions.arrayToQPath(x, y, connect="finite"))

    def _y(self, plot: QRectF, area: float) -> float:
        return plot.bottom() - area / self.top * plot.height()
