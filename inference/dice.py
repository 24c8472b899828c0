"""The Dice coefficient, and what it is for two empty masks: the only place that says so."""

import numpy as np
from numpy.typing import NDArray

AnyMask = NDArray[np.bool_] | NDArray[np.uint8]


def dice_of_counts(tp: int, fp: int, fn: int) -> float | None:
    """2 TP / (2 TP + FP + FN); None where all are 0: two empty masks have no Dice."""
    whole = 2 * tp + fp + fn
    return 2 * tp / whole if whole else None


def dice(first: AnyMask, second: AnyMask) -> float | None:
    """2|A∩B| / (|A|+|B|) of two masks of one shape, tumour above 0; None where both are empty.

    An empty mask has nothing to overlap with: a mean over frames must leave such a pair out, not count it as perfect.
    """
    both = int(np.count_nonzero((first > 0) & (second > 0)))
    return dice_of_counts(both, int(np.count_nonzero(first)) - both, int(np.count_nonzero(second)) - both)


def agreement(first: AnyMask, second: AnyMask) -> float:
    """Dice of one model's two answers to one picture, where two empty masks do agree: 1."""
    found = dice(first, second)
    return 1.0 if found is None else found
