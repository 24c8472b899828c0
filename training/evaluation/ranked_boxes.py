"""Boxes that come with a score, ranked by it: average precision, and sensitivity at a rate of false boxes (FROC).

A predicted box finds a true one if it is the highest ranked that fits it by an intersection over union, each true box
once, as COCO and PASCAL VOC match them. Average precision is the area under precision against recall, where precision
is the best at that recall or a higher one (VOC from 2010 on: all points, no grid). The free-response curve (FROC)
allows so many false boxes for each slice, slices without tumour included.

By size, a box that found a tumour of another size is left out, and one that found nothing counts as false in each size.
Intervals resample patients, and rank what was drawn anew, since none of these figures is a mean over patients.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.statistics import RESAMPLES, SEED
from training.evaluation.strata import MIN_PATIENTS
from training.evaluation.tables import Estimate
from training.nnunet.boxes.table import Found
from training.slicing.boxes import Boxes, iou
from training.slicing.size_bands import all_within

RATES = (0.1, 0.2, 0.5, 1.0)
"""False boxes a slice at which the sensitivity is read off."""
NOTHING = -1


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """The boxes of one slice.

    Attributes:
        patient: whose it is.
        true: (m, 4) around the regions of tumour.
        true_mm2: (m,) area of each region.
        found: those that were predicted.
    """

    patient: str
    true: Boxes
    true_mm2: NDArray[np.float64]
    found: Found


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A figure over all patients, and over each resampling of them; NaN where it does not exist.

    Attributes:
        value: over all.
        resampled: (RESAMPLES,); those of two detectors on the same slices are of the same patients.
    """

    value: float
    resampled: NDArray[np.float64]

    def estimate(self) -> Estimate | None:
        """With its 95 % interval; None if there is nothing to find."""
        known = self.resampled[np.isfinite(self.resampled)]
        if not np.isfinite(self.value) or not known.size:
            return None
        low, high = np.percentile(known, [2.5, 97.5])
        return Estimate(self.value, float(low), float(high))

    def minus(self, other: "Figure") -> "Figure":
        """The difference, patient by patient."""
        return Figure(self.value - other.value, self.resampled - other.resampled)


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Of one detector for tumours of one range of size.

    Attributes:
        precision: average precision.
        sensitivity: at each of `RATES`.
    """

    precision: Figure
    sensitivity: tuple[Figure, ...]

    def minus(self, other: "Figures") -> "Figures":
        """The differences, patient by patient."""
        pairs = zip(self.sensitivity, other.sensitivity, strict=True)
        return Figures(self.precision.minus(other.precision), tuple(one.minus(two) for one, two in pairs))


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """All boxes of one detector, the highest score first, matched at one intersection over union.

    Attributes:
        owner: (n,) number of the patient of each predicted box.
        found_mm2: (n,) area of the true region that it found; `NOTHING` if none.
        true_owner: (m,) number of the patient of each true box.
        true_mm2: (m,) area of its region.
        slices: (patients,) how many slices each patient has.
    """

    owner: NDArray[np.int64]
    found_mm2: NDArray[np.float64]
    true_owner: NDArray[np.int64]
    true_mm2: NDArray[np.float64]
    slices: NDArray[np.int64]

    def figures(self, band: tuple[float, float] = (0.0, np.inf)) -> Figures | None:
        """The figures for regions with an area in (low, high] mm²; None if fewer than five patients have one."""
        wanted = all_within(self.true_mm2, band)
        if len(np.unique(self.true_owner[wanted])) < MIN_PATIENTS:
            return None
        hit = all_within(self.found_mm2, band)
        kept = hit | (self.found_mm2 == NOTHING)
        times = _draws(len(self.slices))
        hits, misses = _curve(times, self.owner[kept], hit[kept])
        total = times @ np.bincount(self.true_owner[wanted], minlength=len(self.slices))
        total = np.where(total > 0, total, np.nan)
        allowed = [misses <= rate * (times @ self.slices)[:, None] for rate in RATES]
        sensitivity = (np.where(within, hits, 0).max(axis=1, initial=0) / total for within in allowed)
        precision, *rest = (
            Figure(float(one[0]), one[1:]) for one in (average_precision(hits, misses) / total, *sensitivity)
        )
        return Figures(precision, tuple(rest))


def _draws(patients: int) -> NDArray[np.int64]:
    """How often each patient counts: once, and in each resampling of them (1 + RESAMPLES, patients)."""
    drawn = np.random.default_rng(SEED).integers(0, patients, (RESAMPLES, patients))
    return np.stack([np.ones(patients, int), *(np.bincount(one, minlength=patients) for one in drawn)])


def _curve(
    times: NDArray[np.int64], owner: NDArray[np.int64], hit: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Boxes found, and false ones, down to each box that found one: (draws, hits) both.

    Args:
        times: how often each patient counts (draws, patients).
        owner: of each predicted box, the highest score first (n,).
        hit: whether it found one (n,).
    """
    whose = np.eye(times.shape[1], dtype=np.int64)[owner]
    hits, misses = (np.cumsum(whose * one[:, None], axis=0)[hit] for one in (hit, ~hit))
    return times @ hits.T, times @ misses.T


def average_precision(hits: NDArray[np.int64], misses: NDArray[np.int64]) -> NDArray[np.float64]:
    """The area under precision against the number of boxes that were found; divide by how many there are.

    Args:
        hits: (k, n) boxes found down to each one that found one, in each of k rankings.
        misses: (k, n) false ones before it.
    """
    precision = hits / np.maximum(hits + misses, 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((best * np.diff(hits, axis=1, prepend=0)).sum(axis=1), np.float64)


def ranked(slices: Sequence[Slice], least: float) -> Ranking:
    """Match every slice's boxes, and rank them all.

    Args:
        slices: of all patients, in the same order for every detector.
        least: intersection over union from which on a box fits.
    """
    numbers = {patient: at for at, patient in enumerate(dict.fromkeys(one.patient for one in slices))}
    owners = np.array([numbers[one.patient] for one in slices], np.int64)
    scores = np.concatenate([one.found.scores for one in slices])
    order = np.argsort(-scores, kind="stable")
    found = np.concatenate([_areas_found(one, least) for one in slices])
    return Ranking(
        owner=np.repeat(owners, [len(one.found.scores) for one in slices])[order],
        found_mm2=found[order],
        true_owner=np.repeat(owners, [len(one.true) for one in slices]),
        true_mm2=np.concatenate([one.true_mm2 for one in slices]),
        slices=np.bincount(owners, minlength=len(numbers)),
    )


def partners(found: Found, true: Boxes, least: float) -> NDArray[np.int64]:
    """Which true box each predicted one finds, (n,); `NOTHING` if none: the highest score chooses first."""
    fits, free = iou(found.boxes, true), np.ones(len(true), bool)
    chosen = np.full(len(found.scores), NOTHING, np.int64)
    for at in np.argsort(-found.scores, kind="stable") if len(true) else ():
        best = int(np.argmax(np.where(free, fits[at], NOTHING)))
        if free[best] and fits[at, best] >= least:
            chosen[at], free[best] = best, False
    return chosen


def _areas_found(one: Slice, least: float) -> NDArray[np.float64]:
    """The area of the region that each predicted box of a slice found; `NOTHING` if none."""
    chosen = partners(one.found, one.true, least)
    return np.array([one.true_mm2[at] if at != NOTHING else NOTHING for at in chosen], np.float64)
