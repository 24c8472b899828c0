"""Position of the picture in the view: true to its physical shape, as large as fits. Pure geometry."""

from dataclasses import dataclass
from typing import Self

from PySide6.QtCore import QPointF
from PySide6.QtGui import QTransform

from inference.spacing import PixelSpacing
from inference.view_notes import AS_IT_CAME, Flip


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
    """

    left: float
    top: float
    across: float
    down: float
    rows: int
    cols: int
    flip: Flip = AS_IT_CAME

    @classmethod
    def fit(
        cls,
        rows: int,
        cols: int,
        spacing: PixelSpacing | None,
        area: tuple[float, float, float, float],
        flip: Flip = AS_IT_CAME,
    ) -> Self:
        """Centre the picture in `area` (left, top, width, height), with each pixel's shape given by its spacing."""
        left, top, width, height = area
        tall, wide = (spacing.row_mm, spacing.col_mm) if spacing else (1.0, 1.0)
        factor = min(width / (cols * wide), height / (rows * tall))
        across, down = factor * wide, factor * tall
        start = (left + (width - cols * across) / 2, top + (height - rows * down) / 2)
        return cls(*start, across, down, rows, cols, flip)

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

    def holds(self, x: float, y: float) -> bool:
        """Whether a picture position lies on the picture."""
        return -0.5 <= x < self.cols - 0.5 and -0.5 <= y < self.rows - 0.5
