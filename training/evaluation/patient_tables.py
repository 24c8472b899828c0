"""Tables with the patient as the unit: single patients, means with intervals, differences between models."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from inference.dice import dice_of_counts
from inference.outcome import above
from training.evaluation.scoring import Scores
from training.evaluation.statistics import Difference, difference, holm, interval
from training.evaluation.strata import (
    Scored,
    patients,
    true_area,
    with_tumour,
    without_tumour,
)
from training.evaluation.tables import Cell, Chance, Estimate, Percent, Table
from training.slicing.size_bands import VERY_SMALL_MM2
from training.slicing.slices import NATIVE

Value = Callable[[Sequence[Scored]], float | None]
"""Computes one figure from a patient's slices; None if they have none."""


def mean_dice(slices: Sequence[Scored]) -> float | None:
    """Mean Dice over the patient's tumour slices."""
    values = [one.score.dice for one in with_tumour(slices) if one.score.dice is not None]
    return float(np.mean(values)) if values else None


def largest_dice(slices: Sequence[Scored]) -> float | None:
    """Dice of the slice with the patient's largest true area (the first, if several are equal)."""
    tumour = with_tumour(slices)
    return max(tumour, key=true_area).score.dice if tumour else None


def volume_dice(slices: Sequence[Scored]) -> float | None:
    """Dice from TP, FP and FN added over one direction of a volume; then the mean of directions, then of volumes."""
    volumes: dict[str, dict[str, list[Scored]]] = {}
    for one in slices:
        if one.row.axis != NATIVE:
            volumes.setdefault(one.row.case, {}).setdefault(one.row.axis, []).append(one)
    means = [_mean([_pooled(stack) for stack in axes.values()]) for axes in volumes.values()]
    return _mean(means)


def detection_rate(slices: Sequence[Scored]) -> float | None:
    """Share of the patient's tumour slices whose contour shares a pixel with the truth."""
    return _mean([float(one.score.overlaps) for one in with_tumour(slices)])


def specificity(slices: Sequence[Scored]) -> float | None:
    """Share of the patient's tumour-free slices without a contour."""
    return _mean([float(not one.score.positive) for one in without_tumour(slices)])


def specificity_35mm2(slices: Sequence[Scored]) -> float | None:
    """Share of the patient's tumour-free slices without a contour above 35 mm²."""
    return _mean([float(not above(one.score.predicted_mm2, VERY_SMALL_MM2)) for one in without_tumour(slices)])


PROTOCOLS: dict[str, Value] = {
    "mean Dice": mean_dice,
    "largest slice": largest_dice,
    "volume Dice": volume_dice,
    "detected": detection_rate,
    "no contour": specificity,
    "none above 35 mm²": specificity_35mm2,
}
_MOST_SHOWN = 24
"""The most rows of a table of pairs that the page shows at once; a longer one is shown on demand."""
_RATES = ("detected", "no contour", "none above 35 mm²")


def values(slices: Sequence[Scored], value: Value) -> dict[str, float]:
    """Patient -> figure, for the patients that have one."""
    found = {patient: value(own) for patient, own in patients(slices).items()}
    return {patient: number for patient, number in found.items() if number is not None}


def each_patient(scores: Scores) -> Table:
    """A table with one row per patient and model."""
    rows: list[tuple[Cell, ...]] = []
    for patient in patients(next(iter(scores.values()))):
        for model, slices in scores.items():
            own = patients(slices)[patient]
            figures = [_cell(name, value(own)) for name, value in PROTOCOLS.items()]
            rows.append((patient, model, len(with_tumour(own)), len(without_tumour(own)), *figures))
    head = ("patient", "model", "tumour slices", "tumour-free", *PROTOCOLS)
    note = (
        "Mean Dice and detected are over the patient's tumour slices, the last two columns over the tumour-free ones."
    )
    return Table("patients", "Each patient, every figure", head, tuple(rows), note, long=True)


def dice_of_patients(scores: Scores) -> Table:
    """Mean Dice of each patient under each model."""
    of = {model: values(slices, mean_dice) for model, slices in scores.items()}
    own = patients(next(iter(scores.values())))
    rows = [(name, len(with_tumour(own[name])), *(each.get(name) for each in of.values())) for name in own]
    note = "Mean Dice over the patient's slices with tumour."
    return Table("patient_dice", "Each patient", ("patient", "tumour slices", *scores), tuple(rows), note)


def protocols(scores: Scores) -> Table:
    """Means over patients with a bootstrap interval: all slices, largest slice, volume, detection, specificity."""
    rows: list[tuple[Cell, ...]] = []
    others: dict[str, None] = {}
    for model, slices in scores.items():
        of = {name: list(values(slices, value).values()) for name, value in PROTOCOLS.items()}
        counted = len(of["mean Dice"])
        rows.append((model, counted, *map(estimate, of.values())))
        others |= {f"{name} ({len(own)})": None for name, own in of.items() if len(own) not in (0, counted)}
    note = (
        "Mean over patients [95 % interval], each patient counting once: Dice over all of a patient's tumour slices, "
        "of the one with the largest true area, and of the volume; the share of tumour slices detected; specificity. "
        "Intervals: percentile bootstrap over patients, 10,000 draws."
    )
    if others:
        note += f" Over the patients who have such slices, and not over as many as the others: {', '.join(others)}."
    return Table("per_patient", "Per patient", ("model", "patients", *PROTOCOLS), tuple(rows), note)


def differences(scores: Scores, margin: float | None) -> Table | None:
    """Compare each pair of models patient by patient, in Dice and detection; None for a single model.

    Args:
        scores: the scores of two or more models.
        margin: difference of mean Dice within which two models count as equal; None if none was stated beforehand.
    """
    pairs = list(itertools.combinations(scores, 2))
    rows: list[tuple[Cell, ...]] = []
    for name in ("mean Dice", "detected"):
        found = [_paired(scores[one], scores[other], PROTOCOLS[name]) for one, other in pairs]
        corrected = holm([result.p for result in found])
        for (one, other), result, p in zip(pairs, found, corrected, strict=True):
            equal = _verdict(result, margin) if name == "mean Dice" else None
            rows.append((name, one, other, result.n_patients, _difference(result), _p(result.p), _p(p), equal))
    head = (
        "figure of a patient",
        "first",
        "second",
        "patients",
        "mean difference",
        "p",
        "p (Holm)",
        "equal within margin",
    )
    stated = "no margin was stated, so that equality can't be shown" if margin is None else f"±{margin:g}"
    note = (
        "First minus second of the patients' mean Dice, and of the share of their tumour slices that were detected "
        "[95 % interval]. p: sign-flip test over patients, two-sided, exact up to 14; with n patients it can't fall "
        "below 2/2ⁿ. Holm: corrected for all pairs. Equal: the 90 % interval of the Dice lies inside the margin "
        f"({stated}). A large p alone is no proof of equality."
    )
    long = len(rows) > _MOST_SHOWN
    return Table("differences", "Differences between models", head, tuple(rows), note, long) if rows else None


def estimate(figures: Sequence[float]) -> Estimate | None:
    """The mean of the patients' figures with its interval; None for fewer than five patients."""
    found = interval(figures)
    return None if found is None else Estimate(float(np.mean(figures)), found.low, found.high)


def _paired(one: Sequence[Scored], other: Sequence[Scored], value: Value) -> Difference:
    """The difference of a figure over the patients that have it under both models."""
    first, second = values(one, value), values(other, value)
    both = [patient for patient in first if patient in second]
    return difference([first[patient] for patient in both], [second[patient] for patient in both])


def _difference(result: Difference) -> Estimate | None:
    """The mean difference with its interval."""
    if result.mean is None or result.interval is None:
        return None
    return Estimate(result.mean, result.interval.low, result.interval.high)


def _verdict(result: Difference, margin: float | None) -> str | None:
    """The words on whether the two models were shown to be equal."""
    within = None if margin is None else result.within(margin)
    return None if within is None else "shown" if within else "not shown"


def _p(value: float | None) -> Cell:
    """A p value as a cell."""
    return None if value is None else Chance(value)


def _cell(name: str, value: float | None) -> Cell:
    """A figure as a cell: rates in percent, Dice as it is."""
    return Percent(value) if value is not None and name in _RATES else value


def _pooled(slices: Sequence[Scored]) -> float | None:
    """Dice of the pixels of all slices together."""
    tp, fp, fn = (sum(getattr(one.score, name) for one in slices) for name in ("tp", "fp", "fn"))
    return dice_of_counts(tp, fp, fn)


def _mean(figures: Sequence[float | None]) -> float | None:
    """The mean of the known figures."""
    known = [figure for figure in figures if figure is not None]
    return float(np.mean(known)) if known else None
