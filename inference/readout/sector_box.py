"""The part of the pictures that holds tissue: the view is fitted to it, and to nothing that is always black."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.alarms import forbidding
from inference.crop import Rect
from inference.frame import Frame, View

STEP = 8
"""Pixels to which the box is rounded outwards: a rim that shimmers must not move the view."""
LEAST = 0.25
"""Share of the picture's sides that the box has at least: a lifted probe draws next to nothing."""


class SectorBox:
    """The box around everything that was ever bright. It only grows, so that the view does not jump."""

    def __init__(self) -> None:
        self._of: tuple[int, int, Rect | None] | None = None
        self._frame: Frame | None = None
        self._edges: tuple[int, int, int, int] | None = None

    @property
    def top(self) -> int | None:
        """Row of the probe face, from which depth is counted; None for a slice, and before the first good picture."""
        return None if self._edges is None else self._edges[0]

    def forget(self) -> None:
        """Begin anew, for another source."""
        self._of = self._frame = self._edges = None

    def grow(self, frame: Frame, crop: Rect | None = None) -> Rect | None:
        """The box after this frame; None for the whole picture.

        Pixels outside the sector are exactly 0. A slice of a volume is shown whole: its tissue begins with a point.

        Args:
            frame: what is shown.
            crop: the part of the picture that is used; another part begins anew.
        """
        if frame.origin.view is View.SLICE:
            return None
        if (frame.rows, frame.cols, crop) != self._of:
            self.forget()
            self._of = (frame.rows, frame.cols, crop)
        if frame is not self._frame and forbidding(frame.findings) is None:
            self._frame = frame
            self._add(frame.pixels, crop or Rect(0, 0, frame.rows, frame.cols))
        return self._rect(frame.rows, frame.cols)

    def _add(self, pixels: NDArray[Any], used: Rect) -> None:
        """Take in what is bright in the part that is used: a picture from before it was chosen may still be shown."""
        part = pixels[used.where]
        rows, cols = np.flatnonzero(part.any(axis=1)) + used.top, np.flatnonzero(part.any(axis=0)) + used.left
        if not rows.size:
            return
        found = (int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)
        if self._edges is None:
            self._edges = found
        else:
            top, left, bottom, right = self._edges
            self._edges = (
                min(top, found[0]),
                min(left, found[1]),
                max(bottom, found[2]),
                max(right, found[3]),
            )

    def _rect(self, rows: int, cols: int) -> Rect | None:
        if self._edges is None:
            return None
        top, bottom = _widened(self._edges[0], self._edges[2], rows)
        left, right = _widened(self._edges[1], self._edges[3], cols)
        return Rect(top, left, bottom - top, right - left)


def _widened(start: int, end: int, side: int) -> tuple[int, int]:
    """The stretch in whole steps, and at least `LEAST` of the side long."""
    length = max(end - start, round(LEAST * side))
    start = min(max((start + end - length) // 2, 0), side - length)
    end = start + length
    return start // STEP * STEP, min(side, -(-end // STEP) * STEP)
