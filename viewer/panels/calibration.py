"""The scale by hand: two points and the length between them, or millimetres a pixel typed in."""

import math
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from inference.errors import SpacingError
from inference.spacing import PixelSpacing, Provenance
from viewer.panels.sheet import Sheet
from viewer.theme import Theme
from viewer.widgets import button, rule, set_text, size_button

Point = tuple[float, float]
Segment = tuple[Point, Point, float]
"""Two points, (x, y) in pixels, and the distance between them in mm."""
SHORTEST_PX = 20.0
"""A point is clicked to about half a pixel: at 20 px apart that is 5 % of length, 10 % of area."""
PARALLEL = 0.05
"""Least share of independence of two segments: below it, an error of a length grows tenfold on one axis."""


def ruler_spacing(first: Point, second: Point, length_mm: float) -> PixelSpacing:
    """The scale from two points on the scanner's depth scale. Pixels are taken as square.

    Args:
        first: (x, y), pixels.
        second: (x, y), pixels.
        length_mm: true distance between them.

    Raises:
        SpacingError: if the points are too close together, or the length is none.
    """
    distance = math.hypot(second[0] - first[0], second[1] - first[1])
    if distance < SHORTEST_PX:
        raise SpacingError("The two points are too close together: choose two that are far apart.")
    if not (math.isfinite(length_mm) and length_mm > 0):
        raise SpacingError("Type the length between the two points in mm.")
    return PixelSpacing(length_mm / distance, length_mm / distance, Provenance.RULER)


def axes_spacing(first: Segment, second: Segment) -> PixelSpacing:
    """The scale of pixels that are not square, from two segments of known length that are not parallel.

    Each says length² = (dy · row)² + (dx · col)²: two linear equations for row² and col².

    Raises:
        SpacingError: if a segment is too short or has no length, both run alike, or the lengths contradict each other.
    """
    (a, b, u), (c, d, v) = _squares(first), _squares(second)
    span = a * d - b * c
    if abs(span) < PARALLEL * (a + b) * (c + d):
        raise SpacingError("The two pairs of points run alike: choose one pair down the picture and one across it.")
    row2, col2 = (u * d - v * b) / span, (a * v - c * u) / span
    if not (row2 > 0 and col2 > 0):
        raise SpacingError("The two lengths contradict each other: check both, and choose the points again.")
    return PixelSpacing(math.sqrt(row2), math.sqrt(col2), Provenance.RULER)


def _squares(segment: Segment) -> tuple[float, float, float]:
    """(dy², dx², length²) of a segment that `ruler_spacing` would take."""
    (x0, y0), (x1, y1), length = segment
    ruler_spacing((x0, y0), (x1, y1), length)
    return (y1 - y0) ** 2, (x1 - x0) ** 2, length**2


def number(text: str) -> float:
    """A typed number, with a point or a comma; NaN for anything else."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


STEPS = (
    "1  Click a mark of the scanner's depth scale.",
    "2  Click another one, as far away as you can.",
    "3  Type the length between them and press Enter.",
)
OTHER_STEPS = (
    "4  Across the first pair, click a point of known distance.",
    "5  Click the second point of this pair.",
    "6  Type the length between them and press Enter.",
)


class CalibrationPanel(Sheet):
    """Takes two clicks on the picture and a length."""

    calibrated = Signal(object)
    """A `PixelSpacing`."""
    points_changed = Signal(object)
    """The points so far, a tuple of (x, y)."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Calibrate", 360, parent)
        self.points: tuple[Point, ...] = ()
        self._down: Segment | None = None
        self._step, self._error = self.note("", 15), self.note("red")
        self.length = self._field("length, mm")
        self.row, self.column = self._field("row, mm"), self._field("column, mm")
        self._use_ruler, self._use_typed = button("Use this length", kind="accent"), button("Use typed spacing")
        self._again, self._other = button("Points again"), button("Pixels not square: a second pair")
        self._or, self._square = self.note("muted", 13), self.note("muted", 13)
        self._square.setText(
            "Pixels are taken as square unless you give a second pair. A 5 % error of scale is a 10 % error of area."
        )
        self._or.setText("Or type mm a pixel, if you know them:")
        self._use_ruler.clicked.connect(self._apply_ruler)
        self.length.returnPressed.connect(self._apply_ruler)
        self._use_typed.clicked.connect(self._apply_typed)
        self._again.clicked.connect(self.reset)
        self._other.clicked.connect(self._begin_other)
        self._lay_out()
        self.reset()

    def _field(self, placeholder: str) -> QLineEdit:
        made = QLineEdit()
        made.setPlaceholderText(placeholder)
        made.setAccessibleName(placeholder)
        return made

    def _lay_out(self) -> None:
        ruler, typed = QHBoxLayout(), QHBoxLayout()
        ruler.addWidget(self.length, 1)
        ruler.addWidget(self._use_ruler, 1)
        typed.addWidget(self.row, 1)
        typed.addWidget(self.column, 1)
        self.body.addWidget(self._step)
        self.body.addLayout(ruler)
        self.body.addWidget(self._other)
        self.body.addWidget(self._again)
        self.body.addWidget(self._square)
        self.body.addWidget(rule())
        self.body.addWidget(self._or)
        self.body.addLayout(typed)
        self.body.addWidget(self._use_typed)
        self.body.addWidget(self._error)

    def apply(self, look: Theme) -> None:
        """Use these sizes."""
        super().apply(look)
        for made in (self._use_ruler, self._use_typed, self._again, self._other):
            size_button(made, look)
        for field in (self.length, self.row, self.column):
            field.setFont(look.font(15))
            field.setFixedHeight(look.touch)
        self._step.setFont(look.font(15))
        self._error.setFont(look.font(14))
        for text in (self._or, self._square):
            text.setFont(look.font(13))

    def reset(self) -> None:
        """Begin again with the first point."""
        self._down = None
        self._set_points(())
        self._complain("")

    def click(self, x: float, y: float) -> None:
        """Take a click on the picture, in picture pixels."""
        self._set_points((*self.points, (x, y)) if len(self.points) < 2 else ((x, y),))
        if len(self.points) == 2:
            self.length.setFocus()

    def _set_points(self, points: tuple[Point, ...]) -> None:
        self.points = points
        set_text(self._step, (STEPS if self._down is None else OTHER_STEPS)[len(points)])
        self._use_ruler.setEnabled(len(points) == 2)
        self._other.setEnabled(len(points) == 2 and self._down is None)
        self._again.setEnabled(bool(points) or self._down is not None)
        self.points_changed.emit(points)

    def _segment(self) -> Segment:
        first, second = self.points
        return first, second, number(self.length.text())

    def _begin_other(self) -> None:
        """Keep this pair and its length, and ask for one along the other axis."""
        segment = self._segment()
        try:
            ruler_spacing(*segment)
        except SpacingError as error:
            self._complain(str(error))
            return
        self._down = segment
        self.length.clear()
        self._complain("")
        self._set_points(())

    def _apply_ruler(self) -> None:
        if len(self.points) == 2:
            down, now = self._down, self._segment()
            self._finish(lambda: ruler_spacing(*now) if down is None else axes_spacing(down, now))

    def _apply_typed(self) -> None:
        row, column = number(self.row.text()), number(self.column.text())
        self._finish(lambda: PixelSpacing(row, column, Provenance.TYPED))

    def _finish(self, spacing: Callable[[], PixelSpacing]) -> None:
        """Hand the scale over, or say what is wrong with it."""
        try:
            found = spacing()
        except SpacingError as error:
            self._complain(str(error))
            return
        self.reset()
        self.calibrated.emit(found)
        self.dismiss()

    def _complain(self, sentence: str) -> None:
        set_text(self._error, sentence)
        self._error.setVisible(bool(sentence))
