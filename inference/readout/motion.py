"""How the tissue around a contour moved from one picture to another. Pure functions.

Registration by the enhanced correlation coefficient (Evangelidis and Psarakis, IEEE TPAMI 2008), on smoothed pictures,
since speckle changes with every movement and the borders of tissue do not. A motion is affine: one that is rigid in the
body is affine in pixels that are not square.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import Mask, Pixels

Matrix = NDArray[np.float32]
"""(2, 3): leads from (x, y, 1) of a picture to (x, y) of the reference, pixels."""
STILL: Matrix = np.eye(2, 3, dtype=np.float32)
LEAST_REACH = 24
"""Pixels around a contour that are compared at least; otherwise half its own extent."""
ROOM = 1.5
"""The part of the picture that is registered reaches this much further, so that tissue may move in."""
SMOOTH = 1.5
"""Standard deviation of the smoothing at half the size, pixels: what is finer is speckle."""
COARSE, FINE = 4, 2
"""The pictures are made this many times smaller to find a motion, and to make it exact."""
STRETCH = 1.2
"""A motion that stretches or squeezes by more than this is none that tissue makes between two frames."""
LEAST_SEEN = 0.9
"""Share of the surroundings that must still lie in the picture and its sector."""
STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture with the surroundings of a contour, prepared to be found again in others.

    Attributes:
        top: first row of the part that is registered.
        left: its first column.
        pixels: (rows, cols) float32 of that part.
        around: (rows, cols) 0/1: the contour's surroundings in it, within the sector.
    """

    top: int
    left: int
    pixels: NDArray[np.float32]
    around: Mask


def reference_of(pixels: Pixels, mask: Mask) -> Reference | None:
    """Prepare a picture; None if next to nothing of the contour's surroundings is tissue.

    Args:
        pixels: (rows, cols), exactly 0 outside the sector.
        mask: (rows, cols) 0/1, not empty.
    """
    x, y, cols, rows = cv2.boundingRect(mask)
    reach = max(LEAST_REACH, max(rows, cols) // 2)
    room = round(ROOM * reach)
    top, left = max(0, y - room), max(0, x - room)
    where = _whole(top, y + rows + room, mask.shape[0]), _whole(left, x + cols + room, mask.shape[1])
    near = cv2.dilate(
        np.ascontiguousarray(mask[where]), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    )
    around = np.asarray(near, np.uint8) & _tissue(pixels[where])
    if cv2.countNonZero(around) < LEAST_SEEN / 2 * cv2.countNonZero(near):
        return None
    return Reference(top, left, np.ascontiguousarray(pixels[where], np.float32), around)


def moved(reference: Reference, pixels: Pixels, start: Matrix = STILL) -> Matrix | None:
    """The motion from `pixels` to the reference; None if none can be found that tissue could make.

    Args:
        reference: the prepared picture.
        pixels: (rows, cols) of another picture of the same size as its whole.
        start: a motion near the one sought: that of the picture before.
    """
    rows, cols = reference.pixels.shape
    part = np.ascontiguousarray(
        pixels[reference.top : reference.top + rows, reference.left : reference.left + cols], np.float32
    )
    corner = reference.left, reference.top
    found = _seen_from(start, corner)
    for factor, kind in ((COARSE, cv2.MOTION_TRANSLATION), (COARSE, cv2.MOTION_AFFINE), (FINE, cv2.MOTION_AFFINE)):
        try:
            _, small = cv2.findTransformECC(
                _small(part, factor),
                _small(reference.pixels, factor),
                _scaled(found, 1 / factor),
                kind,
                STEPS,
                _small_mask(reference.around, factor),
                1,
            )
        except cv2.error:  # it did not converge: the pictures have nothing in common
            return None
        found = _scaled(np.asarray(small, np.float32), factor)
    stretch = np.linalg.svd(found[:, :2], compute_uv=False)
    if stretch[0] > STRETCH or stretch[-1] < 1 / STRETCH:
        return None
    return _seen_from(found, (-corner[0], -corner[1]))


def likeness(reference: Reference, pixels: Pixels, motion: Matrix) -> float:
    """Correlation of the surroundings with those in another picture after this motion, -1 to 1; 0 if they left it."""
    rows, cols = reference.pixels.shape
    # The other picture is brought to the reference, where the surroundings lie.
    onto = motion - np.array([[0, 0, reference.left], [0, 0, reference.top]], np.float32)
    brought = np.asarray(cv2.warpAffine(np.asarray(pixels, np.float32), onto, (cols, rows)), np.float32)
    tissue = np.asarray(cv2.warpAffine(_tissue(pixels), onto, (cols, rows), flags=cv2.INTER_NEAREST), np.uint8)
    seen = reference.around & tissue
    if cv2.countNonZero(seen) < LEAST_SEEN * cv2.countNonZero(reference.around):
        return 0.0
    inside = _small_mask(seen, FINE) > 0
    one, other = _small(reference.pixels, FINE)[inside], _small(brought, FINE)[inside]
    if one.size < 2 or not one.std() or not other.std():
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def carry(mask: Mask, motion: Matrix) -> Mask:
    """The (rows, cols) 0/1 mask of the reference, where this motion finds it in the other picture."""
    rows, cols = mask.shape
    back = cv2.invertAffineTransform(motion)
    there = cv2.warpAffine(mask.astype(np.float32), back, (cols, rows), flags=cv2.INTER_LINEAR)
    return (there >= 0.5).astype(np.uint8)


def _tissue(pixels: Pixels) -> Mask:
    """Where the sector is, without its rim: dark specks in it belong to it."""
    lit = (pixels > 0).astype(np.uint8)
    closed = cv2.morphologyEx(lit, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    return cv2.erode(closed, np.ones((5, 5), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1).astype(np.uint8)


def _small(pixels: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    size = (max(1, pixels.shape[1] // factor), max(1, pixels.shape[0] // factor))
    less = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(less, (0, 0), SMOOTH * FINE / factor + 0.5), np.float32)


def _small_mask(mask: Mask, factor: int) -> Mask:
    size = (max(1, mask.shape[1] // factor), max(1, mask.shape[0] // factor))
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _whole(start: int, end: int, side: int) -> slice:
    """A stretch that every size of the picture divides."""
    return slice(start, start + (min(end, side) - start) // COARSE * COARSE)


def _seen_from(motion: Matrix, corner: tuple[int, int]) -> Matrix:
    """The same motion in coordinates that begin at (x, y)."""
    begin = np.array(corner, np.float32)
    return np.column_stack([motion[:, :2], motion[:, 2] + motion[:, :2] @ begin - begin]).astype(np.float32)


def _scaled(motion: Matrix, factor: float) -> Matrix:
    """The same motion in pixels of which `factor` make one of these; whole numbers are their centres."""
    centre = np.full(2, (1 / factor - 1) / 2, np.float32)
    shift = (motion[:, 2] + motion[:, :2] @ centre - centre) * factor
    return np.column_stack([motion[:, :2], shift]).astype(np.float32)
