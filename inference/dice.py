"""The Dice coefficient, and the only place that decides its value for two empty masks."""

import numpy as np
from numpy.typing import NDArray

AnyMask = NDArray[np.bool_] | NDArray[np.uint8]


def dice_of_counts(tp: int, fp: int, fn: int) -> float | None:
    """2 TP / (2 TP + FP + FN); None if all are 0, since two empty masks have no Dice."""
    whole = 2 * tp + fp + fn
    return 2 * tp / whole if whole else None


def dice(first: AnyMask, second: AnyMask) -> float | None:
    """2|A∩B| / (|A|+|B|) of two masks of the same shape, tumour above 0; None if both are empty.

    An empty mask has nothing to overlap with: a mean over frames must leave such a pair out, not count it as perfect.
    """
    both = int(np.count_nonzero((first > 0) & (second > 0)))
    return dice_of_counts(both, int(np.count_nonzero(first)) - both, int(np.count_nonzero(second)) - both)


def agreement(first: AnyMask, second: AnyMask) -> float:
    """Dice of two answers to the same picture. Here two empty masks do agree, and give 1."""
    found = dice(first, second)
    return 1.0 if found is None else found
