"""Position of the picture in the view: true to its physical shape, its sector as large as fits. Pure geometry."""

from dataclasses import dataclass
from typing import Self

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTransform

from inference.crop import Rect
from inference.readout.look import AS_IT_CAME as NEUTRAL
from inference.readout.look import Look
from inference.spacing import PixelSpacing
from inference.view_notes import AS_IT_CAME, Flip

Area = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Placement:
    """Maps picture pixels to view pixels.

    Picture coordinates are (x, y) with pixel centres at whole numbers, as in contours.

    Attributes:
        left: view x of the picture's left edge.
        top: view y of its top edge.
        across: view pixels per picture column.
        down: view pixels per picture row.
        rows: height of the picture, pixels.
        cols: width of the picture, pixels.
        flip: how the picture is flipped; everything drawn on it is flipped too.
        area: the room for the picture, (left, top, width, height) in view pixels; nothing of it is drawn outside.
        box: the sector's box in the picture; None for the whole picture.
    """

    left: float
    top: float
    across: float
    down: float
    rows: int
    cols: int
    flip: Flip = AS_IT_CAME
    area: Area | None = None
    box: Rect | None = None

    @classmethod
    def fit(
        cls,
        rows: int,
        cols: int,
        spacing: PixelSpacing | None,
        area: Area,
        flip: Flip = AS_IT_CAME,
        box: Rect | None = None,
        look: Look = NEUTRAL,
    ) -> Self:
        """Centre the sector's box in `area` and zoom, with each pixel's shape given by its spacing."""
        left, top, width, height = area
        part = box or Rect(0, 0, rows, cols)
        tall, wide = (spacing.row_mm, spacing.col_mm) if spacing else (1.0, 1.0)
        factor = look.zoom * min(width / (part.cols * wide), height / (part.rows * tall))
        across, down = factor * wide, factor * tall
        x, y = (place + 0.5 for place in look.middle(part))
        x, y = cols - x if flip.left_right else x, rows - y if flip.up_down else y
        start = (left + width / 2 - x * across, top + height / 2 - y * down)
        return cls(*start, across, down, rows, cols, flip, area, box)

    @property
    def transform(self) -> QTransform:
        """From picture edges to the view: pixel (0, 0)'s corner goes to (left, top), or to the far side if flipped."""
        across = -self.across if self.flip.left_right else self.across
        down = -self.down if self.flip.up_down else self.down
        x = self.right if self.flip.left_right else self.left
        y = self.bottom if self.flip.up_down else self.top
        return QTransform(across, 0, 0, down, x, y)

    @property
    def right(self) -> float:
        """View x of the picture's right edge."""
        return self.left + self.cols * self.across

    @property
    def bottom(self) -> float:
        """View y of the picture's bottom edge."""
        return self.top + self.rows * self.down

    @property
    def seen(self) -> QRectF:
        """The part of the view in which the sector is seen."""
        part = self.box or Rect(0, 0, self.rows, self.cols)
        sector = self.transform.mapRect(QRectF(part.left, part.top, part.cols, part.rows))
        return sector if self.area is None else sector.intersected(QRectF(*self.area))

    @property
    def centre(self) -> tuple[float, float]:
        """Picture position in the middle of the area."""
        left, top, width, height = self.area or (self.left, self.top, self.right - self.left, self.bottom - self.top)
        return self.to_picture(left + width / 2, top + height / 2)

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """View position of a picture position."""
        at = self.transform.map(QPointF(x + 0.5, y + 0.5))
        return at.x(), at.y()

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """Picture position of a view position."""
        across, down = (x - self.left) / self.across, (y - self.top) / self.down
        if self.flip.left_right:
            across = self.cols - across
        if self.flip.up_down:
            down = self.rows - down
        return across - 0.5, down - 0.5

    def moved(self, x: float, y: float) -> tuple[float, float]:
        """A way across the view, in picture pixels."""
        return (
            x / self.across * (-1 if self.flip.left_right else 1),
            y / self.down * (-1 if self.flip.up_down else 1),
        )

    def holds(self, x: float, y: float) -> bool:
        """Whether a picture position lies on the picture."""
        return -0.5 <= x < self.cols - 0.5 and -0.5 <= y < self.rows - 0.5

    def shows(self, x: float, y: float) -> bool:
        """Whether a view position lies where the picture may be drawn."""
        return self.area is None or QRectF(*self.area).contains(QPointF(x, y))
