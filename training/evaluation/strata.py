"""Groups of slices (bands of area, columns of the case table, patients) and the figures reported for each."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluation.boxes import FoundBoxes
from training.evaluation.metrics import Score
from training.slicing.size_bands import BANDS, within
from training.slicing.slices import SliceRow

MIN_PATIENTS = 5
"""A figure over fewer patients than this is null."""


Facts = Mapping[str, Mapping[str, str]]
"""Case -> column of the case table -> value."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A slice, the score of its outline, and its boxes, which are another matter."""

    row: SliceRow
    score: Score
    boxes: FoundBoxes


def true_area(one: Scored) -> float:
    """Area of the true mask, mm²."""
    return one.score.true_mm2


def predicted_area(one: Scored) -> float:
    """Area of the predicted mask, mm²: the only area that a viewer knows."""
    return one.score.predicted_mm2


def by_band(slices: Sequence[Scored], area: Callable[[Scored], float]) -> list[dict[str, Any]]:
    """The summary of each band; the upper end of the last is null, as JSON has no infinity."""
    return [
        {
            "band": [low, None if math.isinf(high) else high],
            **summary(in_band(slices, area, (low, high))),
        }
        for low, high in BANDS
    ]


def summary(slices: Sequence[Scored]) -> dict[str, Any]:
    """Counts, Dice (mean, population SD, median) and the mean of (segmented - true) / true area.

    Tumour-free slices with a (false) contour count, with Dice 0; the area error is then null.
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
    """Mean and population SD of a value, over slices that have it; None for fewer than five patients or no value."""
    having = [one for one in slices if value(one.score) is not None]
    values = [number for one in having if (number := value(one.score)) is not None]
    if n_patients(having) < MIN_PATIENTS:
        return None
    return float(np.mean(values)), float(np.std(values))


def median(slices: Sequence[Scored], value: Callable[[Score], float | None]) -> float | None:
    """Median of a value, over slices that have it; None for fewer than five patients."""
    having = [one for one in slices if value(one.score) is not None]
    values = [number for one in having if (number := value(one.score)) is not None]
    return _figure(np.median, values, n_patients(having) >= MIN_PATIENTS)


def share(slices: Sequence[Scored], holds: Callable[[Scored], bool]) -> float | None:
    """Share of the slices for which a condition holds; None for fewer than five patients."""
    return _figure(np.mean, [float(holds(one)) for one in slices], n_patients(slices) >= MIN_PATIENTS)


def with_tumour(slices: Iterable[Scored]) -> list[Scored]:
    """Slices that hold tumour."""
    return [one for one in slices if one.score.has_tumour]


def without_tumour(slices: Iterable[Scored]) -> list[Scored]:
    """Slices that hold no tumour."""
    return [one for one in slices if not one.score.has_tumour]


def in_band(slices: Iterable[Scored], area: Callable[[Scored], float], band: tuple[float, float]) -> list[Scored]:
    """Slices whose area lies in (low, high] mm²."""
    return [one for one in slices if within(area(one), band)]


def by_column(slices: Iterable[Scored], facts: Facts) -> dict[str, dict[str, list[Scored]]]:
    """Slices grouped by direction, by what their masks were drawn on, and by each column of the case table.

    Only those with two or more groups.

    Args:
        slices: one model's slices.
        facts: case -> column -> value; a missing value goes into the group "not known".
    """
    listed = list(slices)
    columns = dict.fromkeys(column for case in facts.values() for column in case)
    groups = {"direction": _grouped(listed, [one.row.axis for one in listed])}
    groups["truth drawn on"] = _grouped(listed, [one.row.origin for one in listed])
    for name in columns:
        groups[name] = _grouped(listed, [facts.get(one.row.case, {}).get(name) or "not known" for one in listed])
    return {name: group for name, group in groups.items() if len(group) > 1}


def _grouped(slices: Sequence[Scored], words: Sequence[str]) -> dict[str, list[Scored]]:
    """Slices grouped by one word each, in the order of the words."""
    groups: dict[str, list[Scored]] = {}
    for one, word in zip(slices, words, strict=True):
        groups.setdefault(word, []).append(one)
    return dict(sorted(groups.items()))


def patients(slices: Iterable[Scored]) -> dict[str, list[Scored]]:
    """The slices of each patient, in the order in which patients first appear."""
    groups: dict[str, list[Scored]] = {}
    for one in slices:
        groups.setdefault(one.row.patient, []).append(one)
    return groups


def n_patients(slices: Iterable[Scored]) -> int:
    """How many patients the slices come from."""
    return len({one.row.patient for one in slices})


def _figure(statistic: Callable[[list[float]], Any], values: list[float], enough: bool) -> float | None:
    """A statistic, or None if there are too few values or patients for it to mean anything."""
    return float(statistic(values)) if enough and values else None
