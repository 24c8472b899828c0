"""The part of the picture that the probe drew, found from the pictures themselves."""

from collections.abc import Sequence

import cv2
import numpy as np

from inference.frame import Pixels
from inference.sources.base import Mask

DARK = 12 / 255
"""Grey level, as a share of the brightest, up to which a pixel may be noise of a lossy codec."""
SMALL = 0.05
"""A bright piece of less than this share of the largest one is a ruler, a text or a grey bar."""
BRIDGE = 9
"""Pixels over which speckle is taken as one piece."""


def sector_mask(stack: Sequence[Pixels]) -> Mask:
    """The sector common to pictures of one clip.

    The convex hull of what was ever bright, without thin lines and small pieces: a sector is convex but for the arc of
    the probe, so that nothing dark inside it and no tissue behind a shadow is ever cut off.

    (Save a piece under `SMALL` that a shadow parts from the rest in every frame: it can't be told from a text.)

    Args:
        stack: at least one (rows, cols) picture, taken from the whole clip.

    Returns:
        (rows, cols) uint8: 1 inside; all 1 where no sector stands out.
    """
    brightest = np.maximum.reduce([np.asarray(picture) for picture in stack])
    limit = DARK * (255.0 if brightest.dtype == np.uint8 else float(brightest.max()))
    bright = (brightest > limit).astype(np.uint8)
    # Closing fills dark specks and joins pieces, opening takes off ruler ticks and codec noise.
    pieces = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    pieces = cv2.morphologyEx(pieces, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    pieces = cv2.morphologyEx(pieces, cv2.MORPH_CLOSE, np.ones((BRIDGE, BRIDGE), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(pieces, connectivity=8)
    if count < 2:
        return np.ones(bright.shape, np.uint8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(areas >= SMALL * areas.max())
    return _hull(np.isin(labels, kept))


def _hull(pieces: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Mask:
    rows, cols = np.nonzero(pieces)
    points = np.column_stack((cols, rows)).astype(np.int32)
    filled = np.zeros(pieces.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(points), 1)
    # One pixel more, for what the opening took off the rim.
    return cv2.dilate(filled, np.ones((3, 3), np.uint8)).astype(np.uint8)


def spread(count: int, wanted: int) -> list[int]:
    """At most `wanted` frame numbers, evenly over 0..count-1, both ends among them."""
    return sorted({int(index) for index in np.linspace(0, count - 1, min(count, wanted)).round()})
