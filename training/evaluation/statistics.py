"""Intervals and paired tests with patients as the unit, since slices of one patient are not independent."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.strata import MIN_PATIENTS

SEED = 0
RESAMPLES = 10_000
_MOST_EXACT = 14
"""Up to this many patients, the test tries every combination of signs."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The lower and upper end of a bootstrap interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How two models differ over the same patients.

    Attributes:
        n_patients: number of patients with a value for both models.
        mean: mean of the patients' differences, first minus second; None for fewer than five patients, as all below.
        interval: 95 % bootstrap interval of the mean.
        narrow: 90 % interval, for two one-sided tests of 5 % against a margin.
        p: two-sided p of the sign-flip test of the mean.
    """

    n_patients: int
    mean: float | None = None
    interval: Interval | None = None
    narrow: Interval | None = None
    p: float | None = None

    def within(self, margin: float) -> bool | None:
        """Whether the 90 % interval lies inside ±margin, so that the models count as equivalent; None if unknown."""
        return None if self.narrow is None else -margin < self.narrow.low and self.narrow.high < margin


def interval(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """Percentile bootstrap interval of the mean over patients; None for fewer than five.

    Args:
        values: one value per patient.
        level: confidence level.
    """
    if len(values) < MIN_PATIENTS:
        return None
    array = np.array(values)
    drawn = np.random.default_rng(SEED).integers(0, len(array), (RESAMPLES, len(array)))
    low, high = np.percentile(array[drawn].mean(axis=1), [50 * (1 - level), 50 * (1 + level)])
    return Interval(float(low), float(high))


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Compare two models patient by patient.

    Args:
        first: one value per patient.
        second: the values of the same patients in the same order.
    """
    each = np.array(first) - np.array(second)
    if len(each) < MIN_PATIENTS:
        return Difference(len(each))
    values = each.tolist()
    return Difference(len(each), float(each.mean()), interval(values), interval(values, 0.90), sign_flip_p(each))


def sign_flip_p(each: NDArray[np.float64]) -> float:
    """Two-sided p of the mean difference under sign flips (Fisher's randomisation test for pairs).

    The test is exact up to 14 patients, with 2 / 2ⁿ as its smallest p; above that it takes 10,000 seeded draws.
    """
    n = len(each)
    if n <= _MOST_EXACT:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    else:
        signs = np.random.default_rng(SEED).choice((1.0, -1.0), (RESAMPLES, n))
        signs = np.vstack([np.ones(n), signs])
    sums = np.abs(signs @ each)
    # Sums that differ only by rounding count as equal.
    return float(np.mean(sums >= sums[0] - 1e-12 * max(1.0, float(np.abs(each).sum()))))


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """The p values of several tests after Holm's correction, in the same order; None stays None."""
    known = sorted((p, at) for at, p in enumerate(ps) if p is not None)
    corrected: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, (p, at) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        corrected[at] = highest
    return corrected
