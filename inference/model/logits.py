"""What several labels' logits say of one of them. nnU-Net's label is the greatest; of equal ones the lowest."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from inference.model import tiles

TUMOUR, CAVITY = 1, 2
"""Places of the planes after the background's."""
Planes = NDArray[np.float32] | Sequence[NDArray[np.float32]]
"""One plane a label: background, tumour and, of a model that tells it apart, cavity."""
_LOWERED, _LEAST = np.float32(2.0**-13), np.float32(1e-30)
"""Less than what lies between two values of float16, relative; and something for a value of 0."""


def over_others(planes: Planes, label: int) -> NDArray[np.float32]:
    """A label's logit minus the greatest other one."""
    over: NDArray[np.float32] = planes[label] - reduce(np.maximum, _others(planes, label))
    return over


def over_others_rounded(planes: Planes, label: int) -> NDArray[np.float32]:
    """The same of logits as nnU-Net rounds them: over 0 exactly where its argmax is the label.

    Where rounding makes two logits equal, the lower label wins: a higher one is set back by less than a rounding step.
    """
    halves = [tiles.to_half(plane) for plane in planes]
    for at in range(label + 1, len(halves)):
        halves[at] = halves[at] - np.maximum(np.abs(halves[at]) * _LOWERED, _LEAST)
    return over_others(halves, label)


def log_odds(planes: Planes, label: int = TUMOUR) -> NDArray[np.float32]:
    """The logit of a label's softmax probability: its own minus that of all others together."""
    odds: NDArray[np.float32] = planes[label] - reduce(np.logaddexp, _others(planes, label))
    return odds


def probability(odds: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probability that log-odds mean: 1 / (1 + exp(-odds)), which overflows; this is within 2e-7 of it."""
    half = np.float32(0.5)
    share: NDArray[np.float32] = half * np.tanh(half * odds) + half
    return share


def _others(planes: Planes, label: int) -> list[NDArray[np.float32]]:
    return [plane for at, plane in enumerate(planes) if at != label]
