"""What a model's own probabilities are worth: a temperature for them, and a score that foretells contours that fail.

One temperature divides the logits (Guo et al. 2017, "On calibration of modern neural networks"). It is fitted by the
likelihood of the true label of pixels drawn from the sector, the same number from each slice, with tumour as rare as it
is: balanced classes would teach that a pixel is tumour half of the time.

Every figure is cross-fitted: each half of the patients is measured with what was fitted on the other half. What is
stored is fitted on all of them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from inference.contract import Calibration, Certainty, DiagramBin, FailurePrediction, Mode, QualityScore
from inference.dice import dice
from inference.errors import IusError
from inference.model.engine import Engine
from inference.model.quality import probability, score_of
from inference.model.segmentation import mask_of
from training.evaluation.statistics import RESAMPLES, SEED
from training.evaluation.strata import MIN_PATIENTS
from training.io.progress import Bar
from training.slicing.slices import SliceRow, read_slice, read_slices, read_tumour

BINS = 10
PIXELS = 2000
"""Pixels drawn from each slice's sector."""
WITHHELD = 0.2
"""The share of contours that the threshold withholds."""
FEWEST = 20
"""Contours on tumour slices in each half of the patients; of fewer, a fifth is a handful."""
COVERAGES = tuple(round(1 - 0.05 * step, 2) for step in range(11))
_LOG_TEMPERATURES = (math.log(0.1), math.log(10))
_DIGITS = 4


class CertaintyError(IusError):
    """The slices are too few to measure what probabilities are worth."""


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A model's answer to one slice.

    Attributes:
        patient: whose slice it is.
        tumour: whether it holds tumour.
        dice: of its mask with the truth; None if both are empty.
        found: whether anything was segmented.
        margin: (rows, cols) at the network's spacing, over 0 in the contour.
        logits: (n,) of pixels drawn from the sector.
        truth: (n,) whether each of them is tumour.
    """

    patient: str
    tumour: bool
    dice: float | None
    found: bool
    margin: NDArray[np.float32]
    logits: NDArray[np.float32]
    truth: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """Answers to one half of the patients, and the temperature fitted on the other half."""

    answers: Sequence[Answered]
    temperature: float


@dataclass(frozen=True, slots=True, eq=False)
class Contours:
    """Contours with their scores.

    Attributes:
        dice: (n,), 0 on tumour-free slices.
        tumour: (n,) whether the slice holds tumour.
        scores: (n,) of each score.
    """

    dice: NDArray[np.float64]
    tumour: NDArray[np.bool_]
    scores: Mapping[QualityScore, NDArray[np.float64]]

    def kept(self, kind: QualityScore) -> NDArray[np.float64]:
        """Mean Dice of the 1, 2, ... n contours of the highest score, on tumour slices."""
        order = np.argsort(-self.scores[kind][self.tumour], kind="stable")
        dices = self.dice[self.tumour][order]
        means: NDArray[np.float64] = np.cumsum(dices) / np.arange(1, len(dices) + 1)
        return means

    def aurc(self, kind: QualityScore) -> float:
        """Area under the curve of risk (1 - Dice) against coverage."""
        return float(1 - self.kept(kind).mean())

    def at(self, kind: QualityScore, coverage: float) -> float:
        """Mean Dice of this share of them."""
        means = self.kept(kind)
        return float(means[max(1, round(coverage * len(means))) - 1])

    def threshold(self, kind: QualityScore) -> float:
        """The score below which a fifth of the contours on tumour slices lies."""
        return float(np.quantile(self.scores[kind][self.tumour], WITHHELD))


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """All that a report says of one mode.

    Attributes:
        certainty: as the contract holds it.
        before: the reliability diagram at temperature 1.
        contours: of all patients, each half with the other's temperature.
    """

    certainty: Certainty
    before: tuple[DiagramBin, ...]
    contours: Contours


def answer_all(engine: Engine, stores: Sequence[Path], mode: Mode) -> list[Answered]:
    """The engine's answer to every slice, with pixels drawn at random: the same ones each time."""
    rng = np.random.default_rng(SEED)
    homes = [(row, store) for store in stores for row in read_slices(store)]
    return [_answer(engine, row, store, mode, rng) for row, store in Bar(homes, desc=f"{mode}", unit="slice")]


def _answer(engine: Engine, row: SliceRow, store: Path, mode: Mode, rng: np.random.Generator) -> Answered:
    pixels, true = read_slice(row.image(store)), read_tumour(row.label(store))
    output = engine.contract.output
    margin = engine.segment(pixels, (row.row_mm, row.col_mm), mode).margin
    mask = mask_of(margin, keep_largest=output.keep_largest) > 0
    sector = np.flatnonzero(pixels > 0)
    drawn = rng.choice(sector, PIXELS) if sector.size else sector
    cutoff = np.float32(math.log(output.threshold / (1 - output.threshold)))
    return Answered(
        patient=row.patient,
        tumour=bool(true.any()),
        dice=dice(mask, true),
        found=bool(mask.any()),
        margin=margin.coarse,
        logits=margin.whole().ravel()[drawn] + cutoff,
        truth=true.ravel()[drawn],
    )


def measure(
    answers: Sequence[Answered], mode: Mode, *, data: str, simulated: bool, threshold: float = 0.5
) -> Measurement:
    """Fit the temperature and the score's threshold, and measure both on patients they were not fitted on.

    Args:
        answers: to slices of patients that the model was not trained on.
        mode: the mode they were made in.
        data: which slices, in words.
        simulated: whether the patients are simulated.
        threshold: the contract's probability above which a pixel is tumour.

    Raises:
        CertaintyError: if there are too few patients or contours.
    """
    patients = sorted({one.patient for one in answers})
    parts = [[one for one in answers if one.patient in patients[first::2]] for first in (0, 1)]
    _demand(parts)
    halves = [Half(part, temperature_of(other)) for part, other in zip(parts, reversed(parts), strict=True)]
    temperature = temperature_of(answers)
    calibration, before = _calibration(halves, temperature, len(patients))
    measured = [contours_of(half.answers, half.temperature, threshold) for half in halves]
    fitted = [
        contours_of(half.answers, half.temperature, threshold) for half in map(_swapped, halves, reversed(halves))
    ]
    together = joined(measured)
    best = min(QualityScore, key=together.aurc)
    final = contours_of(answers, temperature, threshold).threshold(best)
    above = np.concatenate(
        [one.scores[best] >= other.threshold(best) for one, other in zip(measured, fitted, strict=True)]
    )
    certainty = Certainty(
        mode=mode,
        data=data,
        simulated=simulated,
        n_patients=len(patients),
        n_slices=len(answers),
        calibration=calibration,
        failure=_failure(together, best, final, above),
    )
    return Measurement(certainty, before, together)


def _swapped(half: Half, other: Half) -> Half:
    """The other half's answers at this half's temperature, which was fitted on them."""
    return Half(other.answers, half.temperature)


def _demand(parts: Sequence[Sequence[Answered]]) -> None:
    """Refuse slices that are too few.

    Raises:
        CertaintyError: saying how many there are.
    """
    fewest = min(sum(one.tumour and one.found for one in part) for part in parts)
    if fewest < FEWEST:
        raise CertaintyError(
            f"Only {fewest} contours on tumour slices in one half of the patients, wanted {FEWEST}: give more slices."
        )
    patients = {one.patient for part in parts for one in part if one.tumour and one.found}
    if len(patients) < MIN_PATIENTS:
        raise CertaintyError(
            f"Only {len(patients)} patients have a contour on a slice with tumour, and a figure over fewer than "
            f"{MIN_PATIENTS} says nothing about others: give slices of more patients."
        )


def temperature_of(answers: Sequence[Answered]) -> float:
    """The temperature at which the true labels of the drawn pixels are most likely."""
    logits = np.concatenate([one.logits for one in answers]).astype(np.float64)
    signed = np.where(np.concatenate([one.truth for one in answers]), -logits, logits)

    def surprise(log_temperature: float) -> float:
        return float(np.logaddexp(0, signed / math.exp(log_temperature)).mean())

    found = minimize_scalar(surprise, bounds=_LOG_TEMPERATURES, method="bounded", options={"xatol": 1e-4})
    return round(math.exp(found.x), _DIGITS)


def contours_of(answers: Sequence[Answered], temperature: float, threshold: float) -> Contours:
    """The contours among the answers, with every score at this temperature."""
    found = [one for one in answers if one.found]
    scores = {
        kind: np.array([score_of(kind, one.margin, temperature, threshold) for one in found]) for kind in QualityScore
    }
    return Contours(np.array([one.dice or 0.0 for one in found]), np.array([one.tumour for one in found]), scores)


def joined(parts: Sequence[Contours]) -> Contours:
    """All of them, one after the other."""
    scores = {kind: np.concatenate([part.scores[kind] for part in parts]) for kind in QualityScore}
    return Contours(np.concatenate([p.dice for p in parts]), np.concatenate([p.tumour for p in parts]), scores)


def _failure(contours: Contours, best: QualityScore, threshold: float, above: NDArray[np.bool_]) -> FailurePrediction:
    """The figures of the best score, on contours above and below the other half's threshold."""
    tumour = contours.tumour
    return FailurePrediction(
        score=best,
        threshold=round(threshold, _DIGITS),
        n_contours=int(tumour.sum()),
        coverage=round(float(above[tumour].mean()), _DIGITS),
        dice=round(float(contours.dice[tumour].mean()), _DIGITS),
        dice_above=_mean(contours.dice[tumour & above]),
        dice_below=_mean(contours.dice[tumour & ~above]),
        aurc=round(contours.aurc(best), _DIGITS),
        false_below=_mean(~above[~tumour]),
        curve=tuple((coverage, round(contours.at(best, coverage), _DIGITS)) for coverage in COVERAGES),
    )


def _mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> float | None:
    return round(float(values.mean()), _DIGITS) if len(values) else None


def _calibration(
    halves: Sequence[Half], temperature: float, n_patients: int
) -> tuple[Calibration, tuple[DiagramBin, ...]]:
    """The errors before and after, each half of the patients at the other half's temperature."""
    before = _binned([Half(half.answers, 1.0) for half in halves])
    after = _binned(halves)
    drawn = np.random.default_rng(SEED).multinomial(n_patients, np.full(n_patients, 1 / n_patients), RESAMPLES)
    resampled = np.einsum("rp,psb->rsb", drawn, after, optimize=True)
    low, high = np.percentile(expected_error(resampled), [2.5, 97.5])
    calibration = Calibration(
        temperature=temperature,
        n_pixels=int(after[:, 0].sum()),
        ece_before=_rounded(expected_error(before.sum(axis=0))),
        ece=_rounded(expected_error(after.sum(axis=0))),
        ece_interval=None if n_patients < MIN_PATIENTS else (_rounded(low), _rounded(high)),
        ace_before=_rounded(average_error(before.sum(axis=0))),
        ace=_rounded(average_error(after.sum(axis=0))),
        diagram=_diagram(after.sum(axis=0)),
    )
    return calibration, _diagram(before.sum(axis=0))


def _binned(halves: Sequence[Half]) -> NDArray[np.float64]:
    """(patients, 3, bins): pixels, sum of their probabilities, and how many are tumour."""
    patients: dict[str, NDArray[np.float64]] = {}
    for half in halves:
        for one in half.answers:
            found = probability(one.logits, half.temperature)
            which = np.minimum((found * BINS).astype(int), BINS - 1)
            sums = [np.bincount(which, weights, BINS) for weights in (None, found, one.truth)]
            patients.setdefault(one.patient, np.zeros((3, BINS)))
            patients[one.patient] += np.stack(sums)
    return np.stack([patients[name] for name in sorted(patients)])


def expected_error(bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean distance of probability and share over pixels (Naeini et al. 2015).

    Args:
        bins: (..., 3, bins) as from `_binned`.
    """
    pixels = bins[..., 0, :]
    gap: NDArray[np.float64] = np.abs(bins[..., 1, :] - bins[..., 2, :]).sum(axis=-1) / pixels.sum(axis=-1)
    return gap


def average_error(bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same mean over bins that hold pixels."""
    pixels = bins[..., 0, :]
    gap = np.abs(bins[..., 1, :] - bins[..., 2, :]) / np.maximum(pixels, 1)
    mean: NDArray[np.float64] = gap.sum(axis=-1) / (pixels > 0).sum(axis=-1)
    return mean


def _diagram(bins: NDArray[np.float64]) -> tuple[DiagramBin, ...]:
    pixels, summed, tumour = bins
    return tuple(
        DiagramBin(
            pixels=_rounded(count / pixels.sum(), 6),
            probability=_rounded(total / count) if count else None,
            tumour=_rounded(true / count) if count else None,
        )
        for count, total, true in zip(pixels, summed, tumour, strict=True)
    )


def _rounded(value: float | NDArray[np.float64], digits: int = _DIGITS) -> float:
    return round(float(value), digits)
