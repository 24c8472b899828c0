"""Pictures larger than the patch: nnU-Net's overlapping tiles and their Gaussian weights.

Source: nnunetv2 2.8, `inference/sliding_window_prediction.py`.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Corner = tuple[int, int]
"""(row, col) of a tile's first pixel."""

_SIGMA = 1 / 8
"""Standard deviation of the weights, in patches."""
_PEAK = 10
"""Largest weight. It cancels out but for float16, in which nnU-Net keeps the weights."""


@lru_cache(maxsize=32)
def corners(shape: tuple[int, int], patch: tuple[int, int], step: float) -> tuple[Corner, ...]:
    """Where the tiles of a picture start, row by row.

    Args:
        shape: (rows, cols) of the picture, no smaller than `patch`.
        patch: (rows, cols) of a tile.
        step: largest distance between tiles, in patches.
    """
    return tuple(product(_starts(shape[0], patch[0], step), _starts(shape[1], patch[1], step)))


def blend(
    margins: Iterable[NDArray[np.float32]], places: tuple[Corner, ...], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Weighted mean of the tiles' margins on the whole picture.

    Args:
        margins: one (rows, cols) of the patch for each of `places`.
        places: where each tile starts; together they cover `shape`.
        shape: (rows, cols) of the picture.
    """
    total = np.zeros(shape, np.float32)
    weight = np.zeros(shape, np.float32)
    for margin, (row, col) in zip(margins, places, strict=True):
        if margin.shape == shape:
            return margin
        gaussian = _gaussian((margin.shape[0], margin.shape[1]))
        here = np.s_[row : row + margin.shape[0], col : col + margin.shape[1]]
        total[here] += margin * gaussian
        weight[here] += gaussian
    return total / weight


def _starts(size: int, tile: int, step: float) -> list[int]:
    """Starts along one axis: as few tiles as `step` allows, spread evenly."""
    count = int(np.ceil((size - tile) / (tile * step))) + 1
    if count == 1:
        return [0]
    pace = (size - tile) / (count - 1)
    return [int(np.round(pace * index)) for index in range(count)]


@lru_cache(maxsize=2)
def _gaussian(patch: tuple[int, int]) -> NDArray[np.float32]:
    """Weights of one tile, rounded to float16 as nnU-Net's are, never 0."""
    point = np.zeros(patch)
    point[patch[0] // 2, patch[1] // 2] = 1
    weights = gaussian_filter(point, [side * _SIGMA for side in patch], mode="constant")
    weights = (weights * (_PEAK / weights.max())).astype(np.float16)
    return np.asarray(np.maximum(weights, weights[weights > 0].min()), np.float32)
