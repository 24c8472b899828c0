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
SHORTEST_PX = 20.0
"""A point is clicked to about half a pixel: at 20 px apart that is 5 % of length, 10 % of area."""


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


def number(text: str) -> float:
    """A typed number, with a point or a comma; NaN for anything else."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


class CalibrationPanel(Sheet):
    """Takes two clicks on the picture and a length."""

    calibrated = Signal(object)
    """A `PixelSpacing`."""
    points_changed = Signal(object)
    """The points so far, a tuple of (x, y)."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Calibrate", 360, parent)
        self.points: tuple[Point, ...] = ()
        self._step, self._error = self.note("", 15), self.note("red")
        self.length = self._field("length, mm")
        self.row, self.column = self._field("row, mm"), self._field("column, mm")
        self._use_ruler, self._use_typed = button("Use this length", kind="accent"), button("Use typed spacing")
        self._again = button("Points again")
        self._or, self._square = self.note("muted", 13), self.note("muted", 13)
        self._square.setText("Pixels are taken as square. A 5 % error of scale is a 10 % error of area.")
        self._or.setText("Or type mm a pixel, if you know them:")
        self._use_ruler.clicked.connect(self._apply_ruler)
        self.length.returnPressed.connect(self._apply_ruler)
        self._use_typed.clicked.connect(self._apply_typed)
        self._again.clicked.connect(self.reset)
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
        for made in (self._use_ruler, self._use_typed, self._again):
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
        self._set_points(())
        self._complain("")

    def click(self, x: float, y: float) -> None:
        """Take a click on the picture, in picture pixels."""
        self._set_points((*self.points, (x, y)) if len(self.points) < 2 else ((x, y),))
        if len(self.points) == 2:
            self.length.setFocus()

    def _set_points(self, points: tuple[Point, ...]) -> None:
        self.points = points
        steps = (
            "1  Click a mark of the scanner's depth scale.",
            "2  Click another one, as far away as you can.",
            "3  Type the length between them and press Enter.",
        )
        set_text(self._step, steps[len(points)])
        self._use_ruler.setEnabled(len(points) == 2)
        self._again.setEnabled(bool(points))
        self.points_changed.emit(points)

    def _apply_ruler(self) -> None:
        if len(self.points) == 2:
            first, second = self.points
            self._finish(lambda: ruler_spacing(first, second, number(self.length.text())))

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
