"""The two resizes of nnU-Net: order 3 towards the network, order 1 back.

Both equal `skimage.transform.resize(..., mode="edge", anti_aliasing=False)`, which nnU-Net calls.
A resize is linear, so order 3 is one sparse matrix per axis, built once per size; it takes an eighth of skimage's time.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from inference.frame import Pixels

_NEGLIGIBLE = 1e-6
"""Smaller weights are dropped: the spline's prefilter is infinite and decays by a factor of 0.27 per pixel."""
_STRIP = 100_000
"""Number of pixels whose float32 values fit into a core's cache."""


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
        turned = _spline_matrix(image.shape[1], cols) @ cv2.transpose(resized)
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
    for made, needed, weights in _strips(image.shape[0], rows, max(1, _STRIP // image.shape[1])):
        values = value(image[needed])
        ranges += cv2.minMaxLoc(values)[:2]
        resized[made] = weights @ values
    return resized, min(ranges), max(ranges)


def linear_resize(image: NDArray[np.float32], rows: int, cols: int) -> NDArray[np.float32]:
    """Bilinear resize with pixel areas aligned: OpenCV's equals skimage's order 1 to rounding."""
    if image.shape == (rows, cols):
        return image
    return np.asarray(cv2.resize(image, (cols, rows), interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=32)
def _spline_matrix(size: int, new_size: int) -> "sparse.csr_array[np.float32]":
    """(new_size, size) matrix whose columns are the resized unit vectors."""
    unit = np.eye(size)
    zoomed = ndimage.zoom(unit, (new_size / size, 1), order=3, mode="nearest", grid_mode=True)
    zoomed[np.abs(zoomed) < _NEGLIGIBLE] = 0
    return sparse.csr_array(zoomed.astype(np.float32))


@lru_cache(maxsize=32)
def _strips(size: int, new_size: int, height: int) -> list[tuple[slice, slice, "sparse.csr_array[np.float32]"]]:
    """The resize matrix cut into strips: the rows each makes, the rows it needs, and its weights.

    Args:
        size: rows of the image; each is needed by at least one strip.
        new_size: rows of the result.
        height: rows of the image per strip, to which come those that the spline reaches into; the last strip takes
            what is left.
    """
    matrix = _spline_matrix(size, new_size)
    made = np.linspace(0, new_size, max(1, round(size / height)) + 1).round().astype(int)
    strips, seen = [], 0
    for first, last in pairwise(map(int, made)):
        if first == last:
            continue
        columns = matrix[first:last].indices
        needed = slice(min(seen, int(columns.min())), size if last == new_size else int(columns.max()) + 1)
        strips.append((slice(first, last), needed, sparse.csr_array(matrix[first:last, needed])))
        seen = needed.stop
    return strips
