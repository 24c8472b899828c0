"""The crop: a rectangle in picture pixels, and the frame blacked out outside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inference.frame import Frame, Pixels


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of whole pixels.

    Attributes:
        top: first row.
        left: first column.
        rows: height, pixels.
        cols: width, pixels.

    Raises:
        ValueError: if it is empty or begins outside the picture.
    """

    top: int
    left: int
    rows: int
    cols: int

    def __post_init__(self) -> None:
        """Refuse an empty rectangle, or one that begins outside the picture."""
        if self.top < 0 or self.left < 0 or self.rows < 1 or self.cols < 1:
            raise ValueError(f"{self} holds no pixels of a picture")

    @property
    def where(self) -> tuple[slice, slice]:
        """The slices that index its pixels."""
        return slice(self.top, self.top + self.rows), slice(self.left, self.left + self.cols)

    def fits(self, rows: int, cols: int) -> bool:
        """Whether it lies inside a picture of this size."""
        return self.top + self.rows <= rows and self.left + self.cols <= cols


def propose_crop(stack: Sequence[Pixels]) -> Rect:
    """The box around the sector, as a proposal for the user to adjust; the whole picture if no sector stands out.

    Args:
        stack: at least one (rows, cols) picture; several from a moving probe are better.
    """
    from inference.sector import sector_mask  # loads OpenCV: only once the window is open

    rows, cols = np.nonzero(sector_mask(stack))
    top, left = int(rows.min()), int(cols.min())
    return Rect(top, left, int(rows.max()) - top + 1, int(cols.max()) - left + 1)


def crop(frame: Frame, rect: Rect | None) -> Frame:
    """The same frame, exactly 0 outside `rect`; its size and thus all coordinates stay the same. None keeps all.

    Raises:
        ValueError: if the rectangle does not fit into the picture.
    """
    if rect is None:
        return frame
    if not rect.fits(frame.rows, frame.cols):
        raise ValueError(f"{rect} does not lie in a picture of {frame.rows} × {frame.cols}")
    kept: Pixels = np.zeros_like(frame.pixels)
    kept[rect.where] = frame.pixels[rect.where]
    face_row = _face_above(frame.pixels, rect) if frame.face_row is None else frame.face_row
    return replace(frame, pixels=kept, face_row=face_row)


def _face_above(pixels: Pixels, rect: Rect) -> int | None:
    """The first row that is not black, if the rectangle's upper edge cuts through the picture; else None.

    An edge that cuts through nothing leaves text out, or nothing at all.
    """
    lit = np.asarray(pixels[: rect.top + 1, rect.where[1]].any(axis=1))
    return int(lit.argmax()) if rect.top > 0 and lit[-2:].all() else None


class Cropping:
    """A stage between source and analysis. `rect` may be set from another thread; it applies from the next frame on."""

    def __init__(self, rect: Rect | None = None) -> None:
        self.rect = rect

    def __call__(self, frame: Frame) -> Frame:
        """The cropped frame; a rectangle that does not fit into this picture is ignored."""
        rect = self.rect
        return crop(frame, rect) if rect is not None and rect.fits(frame.rows, frame.cols) else frame
