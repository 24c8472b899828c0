"""Area in the plane shown over time, with the contract's limit; a click goes there. It does not measure progress."""

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from inference.readout.trend import Event, TrendMark, TrendState
from viewer.style import theme
from viewer.style.theme import Sizes

WIDTH, HEIGHT, LEAST = 430, 116, 100
"""Width, usual height and the least height, which the smallest window leaves it, px at 1280×800."""
CAPTION = "Area in the plane shown, mm²"
FONT = 12
LINE = 15
"""Height of a line of words, px at 1280×800."""
MARGINS = (16, 7, 46, 9)
"""Left, top, right (for the areas) and bottom, px at 1280×800."""
INKS = {
    Event.FROZEN: theme.BLUE,
    Event.PHASE: theme.TEXT,
    Event.WRONG: theme.TRUTH,
    Event.SCANNER: theme.RED,
    Event.LOST: theme.RED,
}


@dataclass(frozen=True, slots=True)
class Label:
    """Words in a box that is as wide as they are."""

    box: QRectF
    words: str
    colour: str


class Trace(QWidget):
    """Draws a `TrendState`, and decides nothing itself."""

    sought = Signal(float)
    """Emitted with the place along the axis that was pressed, where a click goes there."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes = Sizes()
        self.state: TrendState | None = None
        self.setAccessibleName(CAPTION)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        self.setFixedWidth(sizes.px(WIDTH))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """The usual size."""
        return QSize(self._sizes.px(WIDTH), self._sizes.px(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        """What caption, marks, line and axis need."""
        return QSize(self._sizes.px(WIDTH), self._sizes.px(LEAST))

    def draw(self, state: TrendState | None) -> None:
        """Draw this trend; the one that is drawn already stays."""
        if state is not self.state:
            self.state = state
            movable = state is not None and state.movable
            self.setCursor(Qt.CursorShape.PointingHandCursor if movable else Qt.CursorShape.ArrowCursor)
            self.update()

    @property
    def plot(self) -> QRectF:
        """Where the line is drawn, widget pixels: below the caption, above the words of the axis."""
        left, top, right, bottom = (self._sizes.px(margin) for margin in MARGINS)
        line = self._sizes.px(LINE)
        # A line of words for the caption, one for the marks and one for the axis.
        return QRectF(left, top + 2 * line, self.width() - left - right, self.height() - top - bottom - 3 * line)

    def labels(self) -> list[Label]:
        """All words with their places: none overlaps another."""
        state, plot, line = self.state, self.plot, self._sizes.px(LINE)
        caption = CAPTION if state is None or not state.by else f"{CAPTION} · {state.by}"
        made = [self._label(plot.left(), plot.top() - 2 * line, caption, theme.MUTED)]
        if state is None:
            return made
        made += self._on_right(state)
        for tick in state.ticks:
            made.append(self._centred(self._x(tick.at), plot.bottom() + self._sizes.px(3), tick.words))
        return made + self._beside_marks(state)

    def _beside_marks(self, state: TrendState) -> list[Label]:
        """What happened, to the right of its flag, else to the left; nothing where there is room on neither side."""
        plot, gap = self.plot, self._sizes.px(5)
        top = plot.top() - self._sizes.px(LINE)
        flags = [self._x(mark.at) for mark in state.marks]
        made: list[Label] = []
        for mark, x in zip(state.marks, flags, strict=True):
            ink = INKS[mark.event]
            right = self._label(x + gap, top, mark.words, ink)
            left = Label(right.box.translated(-2 * gap - right.box.width(), 0), mark.words, ink)
            for label in (right, left):
                taken = (other.box for other in made)
                near = label.box.adjusted(-gap, 0, gap, 0)
                free = not any(near.intersects(box) for box in taken)
                free = free and not any(near.left() < flag < near.right() for flag in flags if flag != x)
                if free and plot.left() <= label.box.left() and label.box.right() <= plot.right():
                    made.append(label)
                    break
        return made

    def _on_right(self, state: TrendState) -> list[Label]:
        """The areas to the right of the plot: limit, top and zero, as far as there is room for each."""
        plot, line = self.plot, self._sizes.px(LINE)
        made: list[Label] = []
        limit = [] if state.limit_mm2 is None else [(state.limit_mm2, theme.AMBER)]
        for value, colour in (*limit, (state.top_mm2, theme.MUTED), (0.0, theme.MUTED)):
            top = self._y(value) - line / 2
            if all(abs(top - other.box.top()) >= line for other in made):
                made.append(self._label(plot.right() + self._sizes.px(6), top, f"{value:.0f}", colour))
        return made

    def _label(self, left: float, top: float, words: str, colour: str) -> Label:
        width = QFontMetricsF(self._sizes.font(FONT)).horizontalAdvance(words)
        return Label(QRectF(left, top, width + 1, self._sizes.px(LINE)), words, colour)

    def _centred(self, x: float, top: float, words: str) -> Label:
        """Words below a place of the axis, moved in where they would leave the plot."""
        label = self._label(0, top, words, theme.MUTED)
        edge = self._sizes.px(4)
        left = min(max(x - label.box.width() / 2, edge), self.plot.right() + edge - label.box.width())
        return Label(label.box.translated(left, 0), words, label.colour)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw axes, marks, line, cursor and words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot = self.plot
        painter.setPen(QPen(QColor(theme.BORDER), 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        painter.drawLine(plot.topLeft(), plot.topRight())
        if self.state is not None:
            self._axes(painter, self.state)
            for mark in self.state.marks:
                self._mark(painter, mark)
            self._line(painter, self.state)
            self._cursor(painter, self.state)
        painter.setFont(self._sizes.font(FONT))
        for label in self.labels():
            painter.setPen(QColor(label.colour))
            painter.drawText(label.box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, label.words)

    def _axes(self, painter: QPainter, state: TrendState) -> None:
        """Draw the ticks along the axis, and the limit."""
        plot, short = self.plot, self._sizes.px(4)
        painter.setPen(QPen(QColor(theme.GREY), 1))
        for tick in state.ticks:
            x = self._x(tick.at)
            painter.drawLine(QPointF(x, plot.bottom()), QPointF(x, plot.bottom() + short))
        if state.limit_mm2 is not None:
            y = self._y(state.limit_mm2)
            painter.setPen(QPen(QColor(theme.AMBER), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))

    def _mark(self, painter: QPainter, mark: TrendMark) -> None:
        """Draw a flag at an event: its words stand beside it if there is room."""
        plot, x, side = self.plot, self._x(mark.at), self._sizes.px(3)
        colour = QColor(INKS[mark.event])
        painter.setPen(QPen(colour, self._sizes.scale, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, plot.top() - self._sizes.px(8)), QPointF(x, plot.bottom()))
        painter.fillRect(QRectF(x - side, plot.top() - self._sizes.px(11), 2 * side, 2 * side), colour)

    def _line(self, painter: QPainter, state: TrendState) -> None:
        """Draw the areas; a point that stands between two gaps is a dot."""
        if not len(state.at):
            return
        plot = self.plot
        x = plot.left() + (state.at - state.first) / (state.last - state.first) * plot.width()
        y = plot.bottom() - state.areas / state.top_mm2 * plot.height()
        painter.save()
        painter.setClipRect(plot.adjusted(-2, -2, 2, 2))
        painter.setPen(QPen(QColor(theme.CYAN), 1.6 * self._sizes.scale))
        painter.drawPath(pg.functions.arrayToQPath(x, y, connect="finite"))
        known = np.concatenate([[False], ~np.isnan(y), [False]])
        painter.setPen(QPen(QColor(theme.CYAN), 3 * self._sizes.scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        for index in np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:]):
            painter.drawPoint(QPointF(float(x[index]), float(y[index])))
        painter.restore()

    def _cursor(self, painter: QPainter, state: TrendState) -> None:
        """Draw where the frame shown is."""
        if state.cursor is not None:
            plot, x = self.plot, self._x(state.cursor)
            painter.setPen(QPen(QColor(theme.TEXT), 1.6 * self._sizes.scale))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to where it was pressed."""
        self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the finger."""
        self._seek(event)

    def _seek(self, event: QMouseEvent) -> None:
        state, plot = self.state, self.plot
        if state is not None and state.movable:
            share = min(max((event.position().x() - plot.left()) / plot.width(), 0.0), 1.0)
            self.sought.emit(state.first + share * (state.last - state.first))

    def _x(self, at: float) -> float:
        state, plot = self.state, self.plot
        share = 0.0 if state is None else (at - state.first) / (state.last - state.first)
        return plot.left() + share * plot.width()

    def _y(self, area_mm2: float) -> float:
        top = 1.0 if self.state is None else self.state.top_mm2
        return self.plot.bottom() - area_mm2 / top * self.plot.height()
