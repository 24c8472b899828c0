"""Intervals and paired tests with patients as the unit: slices of one patient are not independent."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.strata import MIN_PATIENTS

SEED = 0
RESAMPLES = 10_000
_MOST_EXACT = 14
"""With so many patients or fewer every change of signs is tried."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper end of a bootstrap interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How two models differ over the same patients.

    Attributes:
        n_patients: patients that both have a value for.
        mean: of the patients' differences, first minus second; None under five patients, as all below.
        interval: 95 % bootstrap interval of the mean.
        narrow: 90 % interval: two one-sided tests of 5 % against a margin.
        p: of the sign-flip test of the mean, two-sided.
    """

    n_patients: int
    mean: float | None = None
    interval: Interval | None = None
    narrow: Interval | None = None
    p: float | None = None

    def within(self, margin: float) -> bool | None:
        """Whether the 90 % interval lies inside ±margin, so that the two count as equivalent; None if unknown."""
        return None if self.narrow is None else -margin < self.narrow.low and self.narrow.high < margin


def interval(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """Percentile bootstrap interval of the mean over patients; None under five of them.

    Args:
        values: one a patient.
        level: of confidence.
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
        first: one value a patient.
        second: the same patients in the same order.
    """
    each = np.array(first) - np.array(second)
    if len(each) < MIN_PATIENTS:
        return Difference(len(each))
    values = each.tolist()
    return Difference(len(each), float(each.mean()), interval(values), interval(values, 0.90), sign_flip_p(each))


def sign_flip_p(each: NDArray[np.float64]) -> float:
    """Two-sided p of the mean difference under changes of sign (Fisher's randomisation test for pairs).

    Exact up to 14 patients, where the smallest p that can come out is 2 / 2ⁿ; above, 10,000 seeded draws.
    """
    n = len(each)
    if n <= _MOST_EXACT:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    else:
        signs = np.random.default_rng(SEED).choice((1.0, -1.0), (RESAMPLES, n))
        signs = np.vstack([np.ones(n), signs])
    sums = np.abs(signs @ each)
    # Sums that differ by rounding only are equal.
    return float(np.mean(sums >= sums[0] - 1e-12 * max(1.0, float(np.abs(each).sum()))))


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's correction of several tests, in their order; None stays None."""
    known = sorted((p, at) for at, p in enumerate(ps) if p is not None)
    corrected: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, (p, at) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        corrected[at] = highest
    return corrected
