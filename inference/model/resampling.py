"""The two resizes of nnU-Net: order 3 towards the network, order 1 back.

Both equal `skimage.transform.resize(..., mode="edge", anti_aliasing=False)`, nnU-Net's own.
A resize is linear, so order 3 is one sparse matrix an axis, built once a size: an eighth of skimage's time.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

_NEGLIGIBLE = 1e-6
"""Weights under this are dropped: the spline's prefilter is infinite, and falls by 0.27 a pixel."""


def spline_resize(image: NDArray[np.float32], rows: int, cols: int) -> NDArray[np.float32]:
    """Cubic spline resize, clipped to the range of `image` as skimage does.

    Args:
        image: (r, c) float32.
        rows: rows of the result.
        cols: columns of the result.

    Returns:
        (rows, cols) float32, C order; `image` itself if nothing changes.
    """
    if image.shape == (rows, cols):
        return image
    low, high, _, _ = cv2.minMaxLoc(image)
    resized = image
    if image.shape[0] != rows:
        resized = _spline_matrix(image.shape[0], rows) @ resized
    if image.shape[1] != cols:
        # OpenCV transposes in a tenth of numpy's time.
        turned = _spline_matrix(image.shape[1], cols) @ cv2.transpose(resized)
        resized = np.asarray(cv2.transpose(turned), np.float32)
    clipped: NDArray[np.float32] = np.clip(resized, np.float32(low), np.float32(high))
    return clipped


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
