"""Groups of slices and what is reported of each: bands of area, the mix of slices, patients."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluation.metrics import Score
from training.slicing.size_bands import BANDS
from training.slicing.slices import SliceRow

MIN_PATIENTS = 5
"""A figure over fewer patients is null."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A slice and its score."""

    row: SliceRow
    score: Score


def true_area(one: Scored) -> float:
    """mm² of the true mask."""
    return one.score.true_mm2


def predicted_area(one: Scored) -> float:
    """mm² of the predicted mask: what a viewer knows."""
    return one.score.predicted_mm2


def by_band(slices: Sequence[Scored], area: Callable[[Scored], float]) -> list[dict[str, Any]]:
    """One line a band; the upper end of the last is null, as JSON has no infinity."""
    return [
        {
            "band": [low, None if math.isinf(high) else high],
            **summary(in_band(slices, area, (low, high))),
        }
        for low, high in BANDS
    ]


def summary(slices: Sequence[Scored]) -> dict[str, Any]:
    """Counts, Dice (mean, population SD, median) and the mean of (segmented - true) / true area.

    Tumour-free slices are in it if they hold a (false) contour: it has Dice 0, and the area error is then null.
    """
    dice = [one.score.dice for one in slices if one.score.dice is not None]
    errors = [one.score.area_error for one in slices]
    relative = [error for error in errors if error is not None]
    enough = n_patients(slices) >= MIN_PATIENTS
    return {
        "n_slices": len(slices),
        "n_patients": n_patients(slices),
        "dice_mean": _figure(np.mean, dice, enough),
        "dice_sd": _figure(np.std, dice, enough),
        "dice_median": _figure(np.median, dice, enough),
        "area_error_mean": _figure(np.mean, relative, enough and len(relative) == len(slices)),
    }


def spread(slices: Sequence[Scored], value: Callable[[Score], float | None]) -> tuple[float, float] | None:
    """Mean and population SD of what the slices have of a value; None over fewer than five patients or nothing."""
    having = [one for one in slices if value(one.score) is not None]
    values = [number for one in having if (number := value(one.score)) is not None]
    if n_patients(having) < MIN_PATIENTS:
        return None
    return float(np.mean(values)), float(np.std(values))


def median(slices: Sequence[Scored], value: Callable[[Score], float | None]) -> float | None:
    """Median of what the slices have of a value; None over fewer than five patients."""
    having = [one for one in slices if value(one.score) is not None]
    values = [number for one in having if (number := value(one.score)) is not None]
    return _figure(np.median, values, n_patients(having) >= MIN_PATIENTS)


def share(slices: Sequence[Scored], holds: Callable[[Scored], bool]) -> float | None:
    """Share of the slices for which something holds; null over fewer than five patients."""
    return _figure(np.mean, [float(holds(one)) for one in slices], n_patients(slices) >= MIN_PATIENTS)


def with_tumour(slices: Iterable[Scored]) -> list[Scored]:
    """Slices that hold tumour."""
    return [one for one in slices if one.score.has_tumour]


def without_tumour(slices: Iterable[Scored]) -> list[Scored]:
    """Slices that hold none."""
    return [one for one in slices if not one.score.has_tumour]


def in_band(slices: Iterable[Scored], area: Callable[[Scored], float], band: tuple[float, float]) -> list[Scored]:
    """Slices whose area lies in (low, high] mm²."""
    return [one for one in slices if band[0] < area(one) <= band[1]]


def by_column(slices: Iterable[Scored], facts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, list[Scored]]]:
    """Slices by direction, and by each column of the case table that tells two or more groups apart.

    Args:
        slices: of one model.
        facts: case -> column -> value; an absent value groups as "not known".
    """
    listed = list(slices)
    columns = dict.fromkeys(column for case in facts.values() for column in case)
    groups = {"direction": _grouped(listed, [one.row.axis for one in listed])}
    for name in columns:
        groups[name] = _grouped(listed, [facts.get(one.row.case, {}).get(name) or "not known" for one in listed])
    return {name: group for name, group in groups.items() if len(group) > 1}


def _grouped(slices: Sequence[Scored], words: Sequence[str]) -> dict[str, list[Scored]]:
    """Slices by a word each, in the words' order."""
    groups: dict[str, list[Scored]] = {}
    for one, word in zip(slices, words, strict=True):
        groups.setdefault(word, []).append(one)
    return dict(sorted(groups.items()))


def patients(slices: Iterable[Scored]) -> dict[str, list[Scored]]:
    """Slices of each patient, in the patients' order of appearance."""
    groups: dict[str, list[Scored]] = {}
    for one in slices:
        groups.setdefault(one.row.patient, []).append(one)
    return groups


def n_patients(slices: Iterable[Scored]) -> int:
    """How many patients they come from."""
    return len({one.row.patient for one in slices})


def _figure(statistic: Callable[[list[float]], Any], values: list[float], enough: bool) -> float | None:
    """A statistic, or None where it would not mean anything."""
    return float(statistic(values)) if enough and values else None
