"""Pictures larger than the patch: nnU-Net's overlapping tiles and their Gaussian weights.

Source: nnunetv2 2.8, `inference/sliding_window_prediction.py`.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int]
"""(row, col) of a tile's first pixel."""

_SIGMA = 1 / 8
"""Standard deviation of the weights, in patches."""
_PEAK = 10
"""Largest weight. It cancels out, except for the rounding to float16."""
_BESIDE = np.float32(0.75)
"""Beside it float32 has the steps of float16's smallest values."""


@lru_cache(maxsize=32)
def corners(shape: tuple[int, int], patch: tuple[int, int], step: float) -> tuple[Corner, ...]:
    """Where the tiles of a picture start, row by row.

    Args:
        shape: (rows, cols) of the picture, no smaller than `patch`.
        patch: (rows, cols) of a tile.
        step: largest distance between neighbouring tiles, as a fraction of the patch.
    """
    return tuple(product(_starts(shape[0], patch[0], step), _starts(shape[1], patch[1], step)))


def blend_folds(
    logits: Iterable[NDArray[np.float32]], places: tuple[Corner, ...], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Mean of the folds' blended logits: nnU-Net sums them in float16, and divides there too.

    Args:
        logits: (folds, labels, rows, cols) of each tile, or (labels, rows, cols) of one fold.
        places: where each tile starts.
        shape: (rows, cols) of the picture.

    Returns:
        (labels, rows, cols) float32.
    """
    folds = list(zip(*(tile if tile.ndim == 4 else tile[None] for tile in logits), strict=True))
    total = blend(folds[0], places, shape)
    for fold in folds[1:]:
        total = to_half(total + blend(fold, places, shape))
    return total if len(folds) == 1 else to_half(total / np.float32(len(folds)))


def blend(
    logits: Iterable[NDArray[np.float32]], places: tuple[Corner, ...], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Weighted mean of the tiles' logits over the whole picture, rounded like nnU-Net's float16 sums.

    Args:
        logits: (labels, rows, cols) of each tile.
        places: where each tile starts; together they cover `shape`.
        shape: (rows, cols) of the picture.

    Returns:
        (labels, rows, cols) float32.
    """
    if len(places) == 1:
        (tile,) = logits
        return np.stack([_weighted(plane) for plane in tile])
    whole = list(logits)
    total: NDArray[np.float32] = np.zeros((len(whole[0]), *shape), np.float32)
    weight: NDArray[np.float32] = np.zeros(shape, np.float32)
    for tile, (row, col) in zip(whole, places, strict=True):
        rows, cols = tile.shape[1:]
        gaussian = _gaussian((rows, cols))
        here = slice(row, row + rows), slice(col, col + cols)
        total[:, *here] = to_half(total[:, *here] + tile * gaussian)
        weight[here] = to_half(weight[here] + gaussian)
    return to_half(total / weight)


def _weighted(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """`blend` for a single tile: the weight cancels out, except for its rounding."""
    gaussian = _gaussian((plane.shape[0], plane.shape[1]))
    weighted = plane * gaussian
    spread = np.empty_like(weighted)
    _halve(weighted, spread)
    weighted /= gaussian
    _halve(weighted, spread)
    return weighted


def to_half(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to the values of float16, but keep float32.

    nnU-Net keeps its logits in float16, and where rounding makes two logits equal, background wins: without the same
    rounding a tenth of the masks differ by a pixel. Veltkamp's splitting; numpy's casts take ten times as long.

    Args:
        values: of less than 65520, beyond which float16 has no number: nnU-Net fails there.
    """
    rounded = values.copy()
    _halve(rounded, np.empty_like(values))
    return rounded


def _halve(values: NDArray[np.float32], spread: NDArray[np.float32]) -> None:
    """Round in place; `spread` is scratch memory of the same shape.

    11 significant bits stay where float16 is normal. Below 2**-14 its steps are 2**-24, those of float32 beside 0.75:
    a tile's corner, where weights are 1e-6, has two or three bits, and nnU-Net's masks are of those.
    """
    np.multiply(values, np.float32(2**13 + 1), out=spread)
    np.copyto(spread, _BESIDE, where=np.abs(spread) < _BESIDE)
    values -= spread
    values += spread


def _starts(size: int, tile: int, step: float) -> list[int]:
    """Where tiles start along one axis: as few as `step` allows, evenly spread."""
    count = int(np.ceil((size - tile) / (tile * step))) + 1
    if count == 1:
        return [0]
    pace = (size - tile) / (count - 1)
    return [int(np.round(pace * index)) for index in range(count)]


@lru_cache(maxsize=2)
def _gaussian(patch: tuple[int, int]) -> NDArray[np.float32]:
    """Weights of one tile, rounded to float16 like nnU-Net's, never 0."""
    weights = np.outer(*(_bell(side) for side in patch))
    weights = (weights * (_PEAK / weights.max())).astype(np.float16)
    return np.asarray(np.maximum(weights, weights[weights > 0].min()), np.float32)


def _bell(side: int) -> NDArray[np.float64]:
    """A row of one tile's weights: scipy's Gaussian filter of a point at `side // 2`, to the bit."""
    sigma = side * _SIGMA
    distance = np.arange(side) - side // 2
    reach = np.arange(-int(4 * sigma + 0.5), int(4 * sigma + 0.5) + 1)
    weights: NDArray[np.float64] = np.exp(-0.5 / sigma**2 * distance**2) / np.exp(-0.5 / sigma**2 * reach**2).sum()
    return weights
