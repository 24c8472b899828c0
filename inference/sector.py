"""Finds the sector, the part of the picture that the probe drew, from the pictures themselves."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import Mask, Pixels

DARK = 12
"""Grey level of 255 up to which a pixel may be noise of a lossy codec."""
SMALL = 0.05
"""A bright piece smaller than this share of the largest one is a ruler, text or a grey bar."""
BRIDGE = 9
"""Pixels: gaps up to this size between speckles are closed into one piece."""
STROKES = (3, 7)
"""Pixels: the strokes of text are thinner than this, in a small picture and in a large one."""
LARGE = 48
"""Rows of a picture for each pixel of stroke width."""
EVEN = 8
"""Grey levels of 255 by which even a blank picture varies, from noise of a cable."""
CALM = 0.9
"""Share of a blank picture that is even, which is all but its text; speckle is not even."""


def sector_mask(stack: Sequence[Pixels]) -> Mask:
    """The sector that the pictures of one clip have in common.

    It is the convex hull of every pixel that was ever bright, without thin lines and small pieces. A sector is convex
    except for the arc of the probe, so no dark part inside it and no tissue behind a shadow is ever cut off.

    (The exception is a piece under `SMALL` that a shadow separates in every frame: it cannot be told from text.)

    Args:
        stack: at least one (rows, cols) picture, taken from the whole clip.

    Returns:
        (rows, cols) uint8: 1 inside; all 1 where no sector stands out.
    """
    brightest = np.maximum.reduce([np.asarray(picture) for picture in stack])
    limit = DARK / 255 * (255.0 if brightest.dtype == np.uint8 else float(brightest.max()))
    bright = (brightest > limit).astype(np.uint8)
    # Closing fills dark specks and joins pieces; opening removes ruler ticks and codec noise.
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
    # The outlines have the same hull as all pixels, and a live picture need not wait for sorting a million of them.
    outlines, _ = cv2.findContours(pieces, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(pieces.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(np.concatenate(outlines)), 1)
    # Add one pixel, which the opening removed from the rim.
    return cv2.dilate(filled, np.ones((3, 3), np.uint8)).astype(np.uint8)


class GrowingSector:
    """The sector of a live signal, which cannot be examined beforehand. It only grows, so no tissue is ever cut off.

    If the probe is lifted when the stream is opened, next to nothing is visible. A sector fixed at that moment would
    hide everything that comes later.
    """

    EVERY = 32

    def __init__(self) -> None:
        self._brightest: Pixels | None = None
        self._inside: Mask | None = None
        self._around: Mask | None = None
        self._seen = 0
        self._most = 0.0

    def apply(self, pixels: Pixels) -> Pixels:
        """The same picture, exactly 0 outside the sector seen so far."""
        changed = self._around is None or _shining(pixels, self._around) > self._most
        # Whether this is a grabber's blue or text on black, rather than a sector that begins or grows.
        if changed and pixels.dtype == np.uint8 and empty(pixels):
            return pixels if self._inside is None else _masked(pixels, self._inside)
        brightest = pixels if self._brightest is None else np.maximum(self._brightest, pixels)
        self._brightest = brightest
        self._seen += 1
        # Search often at first, then about once a second, and at once if a large piece appears, such as a second pane.
        due = self._seen % self.EVERY == 0 or self._seen & (self._seen - 1) == 0
        if self._inside is None or changed or due:
            self._inside = self._grown(brightest)
        return _masked(pixels, self._inside)

    def _grown(self, brightest: Pixels) -> Mask:
        """The sector with all that has been bright so far."""
        found = sector_mask([brightest])
        inside: Mask = found if self._inside is None else cv2.bitwise_or(found, self._inside).astype(np.uint8)
        self._around = (inside == 0).view(np.uint8)
        # More bright pixels outside it than ever before: something large has appeared.
        self._most = _shining(brightest, self._around) + SMALL * cv2.countNonZero(inside)
        return inside


def _masked(pixels: Pixels, inside: Mask) -> Pixels:
    masked: Pixels = np.zeros_like(pixels)
    cv2.copyTo(pixels, inside, masked)
    return masked


def _shining(pixels: Pixels, around: Mask) -> int:
    """Number of bright pixels where `around` is 1."""
    if pixels.dtype == np.uint8:
        bright = cv2.threshold(pixels, DARK, 1, cv2.THRESH_BINARY)[1]
        return cv2.countNonZero(cv2.bitwise_and(bright, around))
    return int(np.count_nonzero((pixels > DARK / 255 * float(pixels.max())) & (around > 0)))


def spread(count: int, wanted: int) -> list[int]:
    """At most `wanted` frame numbers, spread evenly over 0..count-1 and including both ends."""
    return sorted({int(index) for index in np.linspace(0, count - 1, min(count, wanted)).round()})


def empty(picture: NDArray[Any]) -> bool:
    """Whether nothing wider than a text stroke stands out inside the sector.

    Args:
        picture: (rows, cols) uint8, 0 outside the sector.
    """
    side = int(np.clip(picture.shape[0] // LARGE, *STROKES))
    patch = np.ones((side, side), np.uint8)
    least = cv2.erode(picture, patch)
    brightest = int(least.max())
    if brightest <= DARK:
        return True
    # Two quick tests that settle nearly every good picture: the mean is at most the sum of all over those inside.
    if brightest - cv2.sumElems(picture)[0] / cv2.countNonZero(least) > EVEN:
        return False
    if brightest - cv2.mean(picture, least)[0] > EVEN:
        return False
    most = cv2.dilate(picture, patch)
    inside = least > 0
    calm = (most - least)[inside] <= EVEN
    return bool(calm.mean() >= CALM and brightest - int(most[inside].min()) <= EVEN)
