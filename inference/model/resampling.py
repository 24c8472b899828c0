"""The two resizes of nnU-Net: order 3 towards the network, order 1 back.

Both equal `skimage.transform.resize(..., mode="edge", anti_aliasing=False)`, which nnU-Net calls, to rounding. A resize
is linear and a sample reaches ten pixels far, so order 3 is small products of matrices, built once per size.
Source: M. Unser, Splines: a perfect fit for signal and image processing, IEEE Signal Process Mag 16(6), 1999: the
cardinal cubic spline, whose poles are sqrt(3) - 2 and its inverse.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import Pixels

_NEGLIGIBLE = 1e-6
"""Smaller weights are dropped: a sample's weight never ends, and decays by a factor of 0.27 per pixel."""
_POLE = math.sqrt(3) - 2
_REACH = 12
"""Number of pixels beyond which every weight is negligible."""
_STRIP = 100_000
"""Number of pixels whose float32 values fit into a core's cache."""
_ALONE = 2**18
"""Number of multiplications up to which OpenBLAS stays in one thread, and takes no cores of the network."""


class _Band(NamedTuple):
    """Neighbouring rows of a result: `made` = `weights` @ rows `needed`."""

    made: slice
    needed: slice
    weights: NDArray[np.float32]


class _Strip(NamedTuple):
    """Bands that share rows; theirs count from the first of `needed`."""

    needed: slice
    bands: list[_Band]


def _as_it_is(image: Pixels) -> NDArray[np.float32]:
    return np.asarray(image, np.float32)


def spline_resize(
    image: Pixels, rows: int, cols: int, value: Callable[[Pixels], NDArray[np.float32]] = _as_it_is
) -> NDArray[np.float32]:
    """Cubic spline resize, clipped to the range of the image as skimage does.

    Args:
        image: (r, c).
        rows: rows of the result.
        cols: columns of the result.
        value: converts rows of the image to float32, pixel by pixel.

    Returns:
        (rows, cols) float32, C order.
    """
    if image.shape == (rows, cols):
        return value(image)
    resized, low, high = _rows_resized(image, rows, value)
    if image.shape[1] != cols:
        # OpenCV transposes in a tenth of numpy's time.
        turned = np.empty((cols, rows), np.float32)
        _resize_rows(np.asarray(cv2.transpose(resized), np.float32), turned, _bands(image.shape[1], cols, rows))
        resized = np.asarray(cv2.transpose(turned), np.float32)
    clipped: NDArray[np.float32] = np.clip(resized, np.float32(low), np.float32(high))
    return clipped


def _rows_resized(
    image: Pixels, rows: int, value: Callable[[Pixels], NDArray[np.float32]]
) -> tuple[NDArray[np.float32], float, float]:
    """The image resized along its rows, and the range of its values; in strips that fit into the cache."""
    if image.shape[0] == rows:
        values = value(image)
        return values, *cv2.minMaxLoc(values)[:2]
    resized = np.empty((rows, image.shape[1]), np.float32)
    ranges: list[float] = []
    for needed, bands in _strips(image.shape[0], rows, image.shape[1]):
        values = value(image[needed])
        ranges += cv2.minMaxLoc(values)[:2]
        _resize_rows(values, resized, bands)
    return resized, min(ranges), max(ranges)


def linear_resize(image: NDArray[np.float32], rows: int, cols: int) -> NDArray[np.float32]:
    """Bilinear resize with pixel areas aligned: OpenCV's equals skimage's order 1 to rounding."""
    if image.shape == (rows, cols):
        return image
    return np.asarray(cv2.resize(image, (cols, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def _resize_rows(values: NDArray[np.float32], resized: NDArray[np.float32], bands: list[_Band]) -> None:
    """Write the rows that `bands` make of `values` into `resized`."""
    for made, needed, weights in bands:
        np.matmul(weights, values[needed], out=resized[made])


@lru_cache(maxsize=32)
def _strips(size: int, new_size: int, across: int) -> list[_Strip]:
    """The resize cut into strips of about `_STRIP` pixels.

    Args:
        size: rows of the image; each is needed by at least one strip.
        new_size: rows of the result.
        across: columns of both.
    """
    bands = _bands(size, new_size, across)
    count = min(len(bands), max(1, round(size * across / _STRIP)))
    cuts = [round(len(bands) * cut / count) for cut in range(count + 1)]
    strips, seen = [], 0
    for first, last in pairwise(cuts):
        part = bands[first:last]
        start = min(seen, *(band.needed.start for band in part))
        seen = size if last == len(bands) else max(band.needed.stop for band in part)
        inside = [_Band(made, slice(rows.start - start, rows.stop - start), weights) for made, rows, weights in part]
        strips.append(_Strip(slice(start, seen), inside))
    return strips


@lru_cache(maxsize=32)
def _bands(size: int, new_size: int, across: int) -> list[_Band]:
    """The resize of `size` rows to `new_size`, in bands each small enough for one thread."""
    rows = next((rows for rows in (16, 8, 4, 2) if rows * (rows * size / new_size + 2 * _REACH) * across <= _ALONE), 1)
    return [_band(size, new_size, slice(row, min(row + rows, new_size))) for row in range(0, new_size, rows)]


def _band(size: int, new_size: int, made: slice) -> _Band:
    """Rows of a resize of samples that go on for ever beyond the border as they are there."""
    at = (np.arange(made.start, made.stop) + 0.5)[:, None] * size / new_size - 0.5
    reached = np.floor(at).astype(int) + np.arange(-_REACH, _REACH + 2)
    rows = np.clip(reached, 0, size - 1)
    weights = np.zeros((len(at), int(rows.max()) + 1))
    np.add.at(weights, (np.arange(len(at))[:, None], rows), _spline(at - reached))
    weights[np.abs(weights) < _NEGLIGIBLE] = 0
    used = np.flatnonzero(weights.any(axis=0))
    needed = slice(int(used[0]), int(used[-1]) + 1)
    return _Band(made, needed, np.ascontiguousarray(weights[:, needed], np.float32))


def _spline(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cardinal cubic spline: 1 at 0, 0 at every other whole number, in pixels."""
    whole = np.floor(distance)
    near = [math.sqrt(3) * _POLE ** np.abs(whole + step) * _b_spline(distance - whole - step) for step in (-1, 0, 1, 2)]
    total: NDArray[np.float64] = np.sum(near, axis=0)
    return total


def _b_spline(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cubic B-spline."""
    far = np.abs(distance)
    return np.where(far < 1, 2 / 3 - far**2 * (1 - far / 2), np.maximum(2 - far, 0) ** 3 / 6)
