"""summary.json: what `export` writes into the model's contract, for one model in one mode."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from training.evaluation.baseline import TUNING_AREA_MM2, Threshold
from training.evaluation.slice_tables import SMALL_MM2
from training.evaluation.strata import (
    Scored,
    by_band,
    n_patients,
    predicted_area,
    share,
    summary,
    true_area,
    with_tumour,
    without_tumour,
)
from training.slicing.slices import BY_EYE, NATIVE

ANNOTATOR = "by eye, no expert"

Mode = Literal["fast", "thorough"]
"""One pass, or folds and mirrors: the two differ, so that a figure without its mode says nothing."""


def summarise(scored: Sequence[Scored], data: str, simulated: bool, mode: Mode = "fast") -> dict[str, Any]:
    """The content of summary.json, without a baseline.

    `positive_rate`: share of tumour slices with a contour; `miss_rate`: share without. `specificity`: share of
    tumour-free slices without a contour; `specificity_35mm2`: with none above 35 mm². `tumour_where_silent` in `data`:
    share of the slices without a contour that do hold tumour, which depends on the mix. `by_predicted_area` holds
    tumour-free slices with a false contour, at Dice 0.
    """
    tumour, free = with_tumour(scored), without_tumour(scored)
    silent = [one for one in scored if not one.score.positive]
    return {
        "data": {
            **({"annotator": ANNOTATOR} if any(one.row.origin == BY_EYE for one in scored) else {}),
            "name": data,
            "simulated": simulated,
            "n_slices": len(scored),
            "n_patients": n_patients(scored),
            "n_tumour_slices": len(tumour),
            "n_tumour_free_slices": len(free),
            "n_native_frames": sum(one.row.axis == NATIVE for one in scored),
            "tumour_where_silent": share(silent, lambda one: one.score.has_tumour),
        },
        "mode": mode,
        "by_predicted_area": by_band(scored, predicted_area),
        "by_true_area": by_band(tumour, true_area),
        "miss_rate": share(tumour, lambda one: not one.score.positive),
        "positive_rate": share(tumour, lambda one: one.score.positive),
        "specificity": share(free, lambda one: not one.score.positive),
        "specificity_35mm2": share(free, lambda one: one.score.predicted_mm2 <= SMALL_MM2),
        "baseline": None,
    }


def summarise_baseline(threshold: Threshold, scored: Sequence[Scored]) -> dict[str, Any]:
    """A tuned threshold, and its scores on the same slices."""
    large = [one for one in scored if one.score.true_mm2 > TUNING_AREA_MM2]
    return {
        "method": "threshold on the smoothed frame, tuned on the training patients",
        **asdict(threshold),
        "by_true_area": by_band(with_tumour(scored), true_area),
        "dice_mean_above_200mm2": summary(large)["dice_mean"],
        "specificity": share(without_tumour(scored), lambda one: not one.score.positive),
    }
