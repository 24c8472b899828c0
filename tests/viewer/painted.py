"""What a photographed window shows: the phantom's frames of every size, and where its picture has a colour."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor

from inference.outcome import Outcome, Tumour
from inference.sources.simulated import PhantomSource
from viewer.main_window import MainWindow
from viewer.picture.canvas import Canvas

At = Callable[[MainWindow, int], Outcome]
LARGE, SMALL, TINY = 30, 9, 2
"""Frames of the 60-frame phantom with its tumour above 200, at most 200 and at most 35 mm²."""


def near(pixels: NDArray[np.int_], colour: str, tolerance: int = 40) -> NDArray[np.bool_]:
    """Where the picture has this colour."""
    c = QColor(colour)
    wanted = np.array([c.red(), c.green(), c.blue()])
    found: NDArray[np.bool_] = (np.abs(pixels - wanted) <= tolerance).all(axis=-1)
    return found


def spot_of(canvas: Canvas, x: float, y: float) -> QPoint:
    """Where a picture position is in the view."""
    assert canvas.placement is not None
    return QPointF(*canvas.placement.to_view(x, y)).toPoint()


def on_canvas(window: MainWindow, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of a window mask that lies on the picture."""
    corner = window.view.canvas.viewport().mapTo(window, window.view.canvas.viewport().rect().topLeft())
    size = window.view.canvas.viewport().size()
    return mask[corner.y() : corner.y() + size.height(), corner.x() : corner.x() + size.width()]


def ring(window: MainWindow, outcome: Outcome) -> NDArray[np.bool_]:
    """Canvas pixels within 5 pixels of the outcome's contours."""
    assert isinstance(outcome, Tumour)
    size = window.view.canvas.viewport().size()
    near_line = np.zeros((size.height(), size.width()), bool)
    for region in outcome.regions:
        for x, y in np.concatenate(region.contours):
            spot = spot_of(window.view.canvas, float(x), float(y))
            near_line[spot.y() - 5 : spot.y() + 6, spot.x() - 5 : spot.x() + 6] = True
    return near_line


def settle(window: MainWindow, at: At, index: int) -> Outcome:
    """The frame with its own warning, whatever was shown before."""
    outcome = at(window, index)
    window.state.held_warning.reset()
    return outcome


def source(**options: object) -> PhantomSource:
    return PhantomSource(speckle=0.2, count=60, **options)  # type: ignore[arg-type]
