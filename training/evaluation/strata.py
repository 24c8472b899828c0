"""Groups of slices and what is reported of each: bands of area, the mix of slices, patients."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluation.metrics import Score
from training.slices import SliceRow

BANDS: tuple[tuple[float, float], ...] = ((0.0, 35.0), (35.0, 200.0), (200.0, math.inf))
"""Area bands in mm², open below and closed above (Faanes et al.)."""
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
            **summary([one for one in slices if low < area(one) <= high]),
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


def paper_columns(slices: Sequence[Scored]) -> dict[str, Any]:
    """The columns of the paper's tables over slices with tumour, and detection apart from delineation."""
    tumour = [one for one in slices if one.score.has_tumour]
    found = [one.score.dice for one in tumour if one.score.overlaps and one.score.dice is not None]
    enough = n_patients(tumour) >= MIN_PATIENTS
    columns: dict[str, Any] = {"n_slices": len(tumour), "n_patients": n_patients(tumour)}
    for name in ("dice", "precision", "recall", "fnr"):
        values = [value for one in tumour if (value := getattr(one.score, name)) is not None]
        for suffix, statistic in (("mean", np.mean), ("sd", np.std), ("median", np.median)):
            columns[f"{name}_{suffix}"] = _figure(statistic, values, enough)
    return columns | {
        "positive_rate": share(tumour, lambda one: one.score.positive),
        "detection_rate": share(tumour, lambda one: one.score.overlaps),
        "dice_mean_where_detected": _figure(np.mean, found, enough),
    }


def share(slices: Sequence[Scored], holds: Callable[[Scored], bool]) -> float | None:
    """Share of the slices for which something holds; null over fewer than five patients."""
    return _figure(np.mean, [float(holds(one)) for one in slices], n_patients(slices) >= MIN_PATIENTS)


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
