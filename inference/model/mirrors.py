"""Mirrored passes through the network, and how much they disagree.

Source: nnunetv2 2.8, `nnUNetPredictor._internal_maybe_mirror_and_predict`.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from inference.model.logits import log_odds, probability

Axes = tuple[int, ...]
"""The axes of (rows, cols) that are flipped."""
UNTURNED: Axes = ()


def ways(allowed: Axes) -> tuple[Axes, ...]:
    """All ways to mirror a tile, the unmirrored first, in nnU-Net's order (rounding depends on the order of its sum).

    Args:
        allowed: the axes along which training pictures were mirrored.
    """
    return tuple(axes for count in range(len(allowed) + 1) for axes in combinations(allowed, count))


def turned(planes: NDArray[np.float32], axes: Axes) -> NDArray[np.float32]:
    """Mirror (..., rows, cols) along `axes`; its own inverse."""
    if not axes:
        return planes
    return np.ascontiguousarray(np.flip(planes, tuple(axis - 2 for axis in axes)))


def mean(passes: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Mean of the logits of several passes, summed in their order like nnU-Net's."""
    if len(passes) == 1:
        return passes[0]
    total = passes[0].copy()
    for one in passes[1:]:
        total += one
    total /= np.float32(len(passes))
    return total


def between_folds(passes: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Variance of the tumour probability between folds, the mean over passes: (rows, cols) float32.

    Args:
        passes: logits (folds, labels, rows, cols) of each.
    """
    each = [np.var([probability(log_odds(fold)) for fold in one], axis=0, dtype=np.float32) for one in passes]
    return np.asarray(np.mean(each, axis=0), np.float32)


def disagreement(
    margins: Sequence[NDArray[np.float32]], within: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Standard deviation of the tumour probability between passes and folds: (rows, cols) float32, 0 to about 0.5.

    The total variance is that between passes, each the mean of its folds, plus the mean variance between folds.

    Args:
        margins: (rows, cols) log-odds minus the threshold's, one per pass.
        within: (rows, cols), the mean variance between folds; None if there is one fold.
    """
    variance = np.var([probability(one) for one in margins], axis=0, dtype=np.float32)
    if within is not None:
        variance += within
    spread: NDArray[np.float32] = np.sqrt(variance)
    return spread
