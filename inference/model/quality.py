"""How well a contour is likely to fit, foretold by the network's own probabilities at its own spacing.

Each score is a share from 0 to 1. None is a promise: what was measured is how well its order tells the contours that
fail. An empty answer has no score, since none told missed tumours from tumour-free slices.

Source: Zenk et al. 2025, "Comparative benchmarking of failure detection methods in medical image segmentation".
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inference.contract import Certainty, QualityScore
from inference.outcome import PredictedQuality

Logits = NDArray[np.float32]
"""Tumour logit minus background logit."""
_QUARTER = math.log(3)
"""Logit of a probability of 75 %."""


def predicted_quality(margin: Logits, certainty: Certainty, threshold: float) -> PredictedQuality:
    """The quality to expect of a frame's contour.

    Args:
        margin: (rows, cols) at the network's spacing, over 0 where the contour is.
        certainty: the contract's, for the mode in which the network ran.
        threshold: the probability at which the margin is 0.
    """
    score = score_of(certainty.failure.score, margin, certainty.calibration.temperature, threshold)
    return PredictedQuality(score, likely_to_fail=score < certainty.failure.threshold)


def score_of(kind: QualityScore, margin: Logits, temperature: float, threshold: float) -> float:
    """One score of a contour; 0 if it is too small to hold a pixel of the network's spacing."""
    logits = margin + np.float32(math.log(threshold / (1 - threshold)))
    inside = logits[margin > 0]
    return _SCORES[kind](logits, inside, temperature) if inside.size else 0.0


def probability(logits: Logits, temperature: float) -> NDArray[np.float32]:
    """The calibrated probability of tumour."""
    scaled = np.clip(logits / np.float32(temperature), -50, 50)
    return np.asarray(1 / (1 + np.exp(-scaled)), np.float32)


def _mean_probability(_: Logits, inside: Logits, temperature: float) -> float:
    """Mean probability inside the contour."""
    return float(probability(inside, temperature).mean(dtype=np.float64))


def _expected_dice(logits: Logits, inside: Logits, temperature: float) -> float:
    """Dice of contour and probabilities: twice their sum inside, over the contour's pixels and their whole sum."""
    within, everywhere = (float(probability(part, temperature).sum(dtype=np.float64)) for part in (inside, logits))
    return 2 * within / (inside.size + everywhere)


def _sharpness(logits: Logits, _: Logits, temperature: float) -> float:
    """Area above a probability of 75 % over that above 25 %: near 1 where the border is certain."""
    level = temperature * _QUARTER
    certain, possible = (int(np.count_nonzero(logits > one)) for one in (level, -level))
    return certain / max(1, possible)


_SCORES: dict[QualityScore, Callable[[Logits, Logits, float], float]] = {
    QualityScore.MEAN_PROBABILITY: _mean_probability,
    QualityScore.EXPECTED_DICE: _expected_dice,
    QualityScore.SHARPNESS: _sharpness,
}
