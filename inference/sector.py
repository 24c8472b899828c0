"""The part of the picture that the probe drew, found from the pictures themselves."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import Mask, Pixels

DARK = 12
"""Grey of 255 up to which a pixel may be noise of a lossy codec."""
SMALL = 0.05
"""A bright piece of less than this share of the largest one is a ruler, a text or a grey bar."""
BRIDGE = 9
"""Pixels over which speckle is taken as one piece."""
STROKES = (3, 7)
"""Pixels: the strokes of a text are thinner, in a small picture and in a large one."""
LARGE = 48
"""Rows for each pixel of a stroke."""
EVEN = 8
"""Grey of 255 by which an even picture varies after all: noise of a cable."""
CALM = 0.9
"""Share of the picture that is even in itself: all but a text; living speckle is not."""


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
    limit = DARK / 255 * (255.0 if brightest.dtype == np.uint8 else float(brightest.max()))
    bright = (brightest > limit).astype(np.uint8)
    # Closing fills dark specks and joins pieces, opening takes off ruler ticks and codec noise.
    pieces = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    pieces = cv2.morphologyEx(pieces, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    pieces = cv2.morphologyEx(pieces, cv2.MORPH_CLOSE, np.ones((BRIDGE, BRIDGE), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(pieces, connectivity=8)
    if count < 2:
        return np.ones(bright.shape, np.uint8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.concatenate(([False], areas >= SMALL * areas.max())).astype(np.uint8)
    return _hull(kept[labels])


def _hull(pieces: Mask) -> Mask:
    # The hull of the outlines is that of all pixels, without sorting a million of them while a live picture waits.
    outlines, _ = cv2.findContours(pieces, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(pieces.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(np.concatenate(outlines)), 1)
    # One pixel more, for what the opening took off the rim.
    return cv2.dilate(filled, np.ones((3, 3), np.uint8)).astype(np.uint8)


class GrowingSector:
    """The sector of a signal that cannot be looked at beforehand: it only grows, so that no tissue is ever cut off.

    A probe that is lifted while the stream is opened shows next to nothing; a sector found then for good would hide
    everything that comes later.
    """

    EVERY = 32

    def __init__(self) -> None:
        self._brightest: Pixels | None = None
        self._inside: Mask | None = None
        self._seen = self._outside = 0

    def apply(self, pixels: Pixels) -> Pixels:
        """The same picture, exactly 0 outside the sector seen so far."""
        if self._tells_nothing(pixels):
            return pixels if self._inside is None else self._masked(pixels, self._inside)
        brightest = pixels if self._brightest is None else np.maximum(self._brightest, pixels)
        self._brightest = brightest
        self._seen += 1
        # Often at first, then about once a second; and at once where a large piece appears, such as a second pane.
        due = self._seen % self.EVERY == 0 or self._seen & (self._seen - 1) == 0
        if self._inside is None or due or self._appeared(pixels, self._inside):
            found = sector_mask([brightest])
            self._inside = found if self._inside is None else cv2.bitwise_or(found, self._inside).astype(np.uint8)
            self._outside = _shining(brightest, self._inside)
        return self._masked(pixels, self._inside)

    def _tells_nothing(self, pixels: Pixels) -> bool:
        """Whether this is a grabber's blue, or a text on black, rather than a sector that begins or grows."""
        begins = self._inside is None or self._appeared(pixels, self._inside)
        return begins and pixels.dtype == np.uint8 and empty(pixels)

    @staticmethod
    def _masked(pixels: Pixels, inside: Mask) -> Pixels:
        masked: Pixels = np.where(inside > 0, pixels, pixels.dtype.type(0))
        return masked

    def _appeared(self, pixels: Pixels, inside: Mask) -> bool:
        """Whether much more shines outside the sector than ever did."""
        return _shining(pixels, inside) > self._outside + SMALL * cv2.countNonZero(inside)


def _shining(pixels: Pixels, inside: Mask) -> int:
    """Pixels that shine outside the sector."""
    limit = DARK / 255 * (255.0 if pixels.dtype == np.uint8 else float(pixels.max()))
    return int(np.count_nonzero((pixels > limit) & (inside == 0)))


def spread(count: int, wanted: int) -> list[int]:
    """At most `wanted` frame numbers, evenly over 0..count-1, both ends among them."""
    return sorted({int(index) for index in np.linspace(0, count - 1, min(count, wanted)).round()})


def empty(picture: NDArray[Any]) -> bool:
    """Whether nothing wider than a stroke stands out from the rest of what is inside the sector.

    Args:
        picture: (rows, cols) uint8, 0 outside the sector.
    """
    side = int(np.clip(picture.shape[0] // LARGE, *STROKES))
    patch = np.ones((side, side), np.uint8)
    least = cv2.erode(picture, patch)
    brightest = int(least.max())
    if brightest <= DARK:
        return True
    if brightest - cv2.mean(picture, least)[0] > EVEN:  # soon told of nearly every good picture
        return False
    most = cv2.dilate(picture, patch)
    inside = least > 0
    calm = (most - least)[inside] <= EVEN
    return bool(calm.mean() >= CALM and brightest - int(most[inside].min()) <= EVEN)
