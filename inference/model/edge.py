"""The edge of the sector, examined only where a region comes near it."""

from functools import cached_property

import cv2
import numpy as np

from inference.frame import Mask, Pixels
from inference.model.margin import Part

NEAR_EDGE_PX = 2
"""A region this close to the sector's edge, in pixels, counts as cut by it: the drawn line covers the gap."""
LINE = 1 / 220
"""Width of the drawn line relative to the rows of a picture that fills the smallest screen."""


class Edge:
    """The edge of the sector: the sector is the filled outline of everything non-zero, so dark cysts lie inside.

    Args:
        pixels: (rows, cols), 0 outside the sector.
        crop: a part that contains all non-zero pixels.
    """

    def __init__(self, pixels: Pixels, crop: Part) -> None:
        self._pixels, self._crop = pixels, crop

    def outside(self, part: Part) -> Mask:
        """(rows, cols) uint8 of a part of the picture: 1 outside the sector, 0 inside."""
        (rows, cols), (seen_rows, seen_cols) = part, self._crop
        outside = np.ones((rows.stop - rows.start, cols.stop - cols.start), np.uint8)
        top, bottom = max(rows.start, seen_rows.start), min(rows.stop, seen_rows.stop)
        left, right = max(cols.start, seen_cols.start), min(cols.stop, seen_cols.stop)
        if top < bottom and left < right:
            seen = self._outside[
                top - seen_rows.start : bottom - seen_rows.start, left - seen_cols.start : right - seen_cols.start
            ]
            outside[top - rows.start : bottom - rows.start, left - cols.start : right - cols.start] = seen
        return outside

    @cached_property
    def _outside(self) -> Mask:
        """1 outside the sector, for the whole crop, since OpenCV draws lines that leave a picture differently."""
        crop = self._pixels[self._crop]
        shown = np.asarray(crop if crop.dtype == np.uint8 else crop > 0, np.uint8, order="C")
        outside = np.ones(shown.shape, np.uint8)
        outlines, _ = cv2.findContours(shown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(outside, outlines, -1, 0, cv2.FILLED)
        return outside

    def touched(self, one: Mask, corner: tuple[int, int]) -> bool:
        """Whether a region comes within the drawn line's width of the edge of the sector or of the picture.

        Args:
            one: 0/1 in the bounding box of the region.
            corner: (x, y) of that box.
        """
        x0, y0 = corner
        height, width = one.shape
        rows, cols = self._pixels.shape
        near = max(NEAR_EDGE_PX, int(rows * LINE))
        reach = near + 1  # the first pixel outside
        if x0 <= near or y0 <= near or x0 + width + near >= cols or y0 + height + near >= rows:
            return True
        part = slice(y0 - reach, y0 + height + reach), slice(x0 - reach, x0 + width + reach)
        framed = cv2.copyMakeBorder(one, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
        grown = cv2.dilate(framed, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
        dark = grown & (self._pixels[part] <= 0)
        # Usually nothing near the region is black: then there is no need to tell a cyst from the outside.
        return bool(dark.any() and np.any(self.outside(part)[dark]))
