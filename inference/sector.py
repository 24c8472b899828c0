"""Finds the sector, the part of the picture that the probe drew, from the pictures themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
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
BAR = 8
"""Rows that a line across the whole picture has at most; it ends a header or a footer, and no tissue is that thin."""
ACROSS = 0.95
"""Share of a row that such a line fills."""
BESIDE = 0.5
"""Share of a row beside it that is bright at most, on the darker side."""
TEXT = 0.05
"""Share of a piece that is wider than a stroke, below which it is text; of tissue it is at least a third."""
FLAT = 2
"""Grey levels of 255 by which the fill of a menu varies from pixel to pixel."""
MENU = 0.5
"""Share of a piece that is flat, above which it is a menu; of tissue it is at most a quarter."""
EVEN = 8
"""Grey levels of 255 by which even a blank picture varies, from noise of a cable."""
UPRIGHT, LEVEL = 0.25, 0.5
"""Shares of the height and of the width along which a linear probe's sector runs straight at least."""
FACE, NEAR = 0.8, 0.02
"""Share of a linear probe's face that is bright within this share of the height. A curved probe's face lies deeper in
its middle, also where the screen cuts off the sides of its sector and all four run straight."""
CALM = 0.9
"""Share of a blank picture that is even, which is all but its text; speckle is not even."""


def sector_mask(stack: Sequence[Pixels]) -> Mask:
    """The sector that the pictures of one clip have in common.

    It is the convex hull of every pixel that was ever bright, without thin lines, small pieces, text and menus. A
    sector is convex except for the arc of the probe, so no dark part inside it and no tissue behind a shadow is ever
    cut off. Of a linear probe it is the whole rectangle, whose corners may be too dark to be found.

    (The exception is a piece under `SMALL` that a shadow separates in every frame: it cannot be told from text.)

    Args:
        stack: at least one (rows, cols) picture, taken from the whole clip.

    Returns:
        (rows, cols) uint8: 1 inside; all 1 where no sector stands out.
    """
    brightest = np.maximum.reduce([np.asarray(picture) for picture in stack])
    limit = DARK / 255 * (255.0 if brightest.dtype == np.uint8 else float(brightest.max()))
    bright = _without_bars((brightest > limit).astype(np.uint8))
    # Closing fills dark specks and joins pieces; opening removes ruler ticks and codec noise.
    pieces = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    pieces = cv2.morphologyEx(pieces, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    pieces = cv2.morphologyEx(pieces, cv2.MORPH_CLOSE, np.ones((BRIDGE, BRIDGE), np.uint8))
    found = _largest(pieces.view(np.uint8))
    if not found:
        return np.ones(bright.shape, np.uint8)
    stroke = _stroke(bright.shape[0])
    kept = [one for one in found if not _of_the_screen(brightest[one.where], one.shape & bright[one.where], stroke)]
    # Of a test picture, whose largest piece is nothing but even fill, all is kept.
    return _hull(_drawn(kept if found[0] in kept else found, bright.shape))


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Bright pixels that touch: the box around them, and which pixels of the box they are (uint8 0/1)."""

    where: tuple[slice, slice]
    shape: Mask
    area: int


def _largest(pieces: Mask) -> list[_Piece]:
    """The largest piece of touching pixels and all that are at least `SMALL` of it, the largest first.

    Outlines take a fortieth of the time of labelling every pixel, which a live picture need not wait for.
    """
    outlines, tree = cv2.findContours(pieces, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    boxes = {at: cv2.boundingRect(outlines[at]) for at in range(len(outlines)) if tree[0][at][3] < 0}
    found, most = list[_Piece](), 0
    for at, (x, y, cols, rows) in sorted(boxes.items(), key=lambda one: -one[1][2] * one[1][3]):
        if rows * cols < SMALL * most:  # so are all that follow, whatever of their boxes they fill
            break
        shape = np.zeros((rows, cols), np.uint8)
        cv2.drawContours(shape, outlines, at, 1, cv2.FILLED, cv2.LINE_8, tree, 1, (-x, -y))
        found.append(_Piece((slice(y, y + rows), slice(x, x + cols)), shape, cv2.countNonZero(shape)))
        most = max(most, found[-1].area)
    return sorted((one for one in found if one.area >= SMALL * most), key=lambda one: -one.area)


def _drawn(pieces: Sequence[_Piece], shape: tuple[int, ...]) -> Mask:
    """These pieces in a picture of this shape."""
    whole = np.zeros(shape, np.uint8)
    for one in pieces:
        whole[one.where] |= one.shape
    return whole


def _without_bars(bright: Mask) -> Mask:
    """The bright pixels without thin lines across the whole picture, which would join a header to the sector.

    A line stands out on one side at least; the widest rows of a sector as wide as the picture do not.
    """
    lit = cv2.reduce(bright, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0]
    share = np.concatenate(([0.0], lit / bright.shape[1], [0.0]))
    edges = np.flatnonzero(np.diff((share > ACROSS).astype(np.int8)))
    kept = bright.copy()
    for before, last in zip(edges[::2], edges[1::2], strict=True):  # in `share`, the row before it and its last row
        if last - before <= BAR and min(share[before], share[last + 1]) < BESIDE:
            kept[before:last] = 0
    return kept if kept.any() else bright


def _of_the_screen(picture: Pixels, piece: Mask, stroke: int) -> bool:
    """Whether a piece beside the sector is text or a menu: nothing in it is wider than a stroke, or most is flat.

    Args:
        picture: (rows, cols) grey values of its box.
        piece: (rows, cols) uint8 0/1, its bright pixels.
        stroke: how wide the strokes of text are at most, pixels.
    """
    patch = np.ones((stroke, stroke), np.uint8)
    count = cv2.countNonZero(piece)
    if cv2.countNonZero(cv2.morphologyEx(piece, cv2.MORPH_OPEN, patch)) < TEXT * count:
        return True
    eight = picture.dtype == np.uint8
    white = 255.0 if eight else float(picture.max())
    grey = np.ascontiguousarray(picture, None if eight else np.float32)
    around = np.ones((3, 3), np.uint8)
    flat = cv2.dilate(grey, around) - cv2.erode(grey, around) <= FLAT / 255 * white
    return bool(np.count_nonzero(flat & (grey < white) & (piece > 0)) > MENU * count)


def _hull(pieces: Mask) -> Mask:
    # The outlines have the same hull as all pixels, and a live picture need not wait for sorting a million of them.
    outlines, _ = cv2.findContours(pieces, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(pieces.shape, np.uint8)
    cv2.fillConvexPoly(filled, _squared(cv2.convexHull(np.concatenate(outlines)).astype(np.int32), pieces), 1)
    # Add one pixel, which the opening removed from the rim.
    return cv2.dilate(filled, np.ones((3, 3), np.uint8)).astype(np.uint8)


def _squared(hull: NDArray[np.int32], pieces: Mask) -> NDArray[np.int32]:
    """The box around a linear probe's hull; any other hull as it is.

    Args:
        hull: (n, 1, 2), corners (x, y).
        pieces: (rows, cols), what was ever bright.
    """
    corners = hull[:, 0]
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    for axis, least in ((0, UPRIGHT), (1, LEVEL)):
        along = corners[:, 1 - axis]
        for end in (corners[:, axis] <= corners[:, axis].min() + 1, corners[:, axis] >= corners[:, axis].max() - 1):
            if np.ptp(along[end]) < least * np.ptp(along):
                return hull
    face = corners[corners[:, 1] <= top + 1, 0]
    near = pieces[top : top + 2 + round(NEAR * (bottom - top)), face.min() : face.max() + 1]
    if near.any(axis=0).mean() < FACE:
        return hull
    return np.array([[[left, top]], [[right, top]], [[right, bottom]], [[left, bottom]]], np.int32)


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

    def mask(self, pixels: Pixels) -> Pixels:
        """The same picture, exactly 0 outside the sector seen so far, of which nothing is learnt; all 0 before that."""
        return np.zeros_like(pixels) if self._inside is None else _masked(pixels, self._inside)

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


def _stroke(rows: int) -> int:
    """How wide the strokes of text are at most in a picture of this height, pixels."""
    return int(np.clip(rows // LARGE, *STROKES))


def empty(picture: NDArray[Any]) -> bool:
    """Whether nothing wider than a text stroke stands out inside the sector.

    Args:
        picture: (rows, cols) uint8, 0 outside the sector.
    """
    patch = np.ones((_stroke(picture.shape[0]),) * 2, np.uint8)
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
