"""summary.json: one model's scores in one mode, which `export` writes into the model's contract."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from inference.outcome import above
from training.evaluation.baseline import Threshold
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
from training.slicing.size_bands import MIN_RELIABLE_MM2, VERY_SMALL_MM2
from training.slicing.slices import BY_EYE, NATIVE

ANNOTATOR = "by eye, no expert"

Mode = Literal["fast", "thorough"]
"""`fast` is one pass, `thorough` all folds and mirrors. Their scores differ, so every figure names its mode."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where predictions come from.

    Attributes:
        checkpoints: sha256 of the checkpoints of the model's folds; empty if unknown.
        seen: scored patients that the model was trained on.
        largest_only: whether only the largest region of each mask was kept; None if unknown.
        unsure: whether others may be, since no receipt tells all patients of the training; an export names none.
    """

    checkpoints: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    unsure: bool = False
    largest_only: bool | None = None

    def warned(self, data: str) -> str:
        """The description of the data, with a warning if the model was trained on some of the patients."""
        return f"{data} (NO TEST: trained on {len(self.seen)} of these patients)" if self.seen else data

    def told(self, data: str) -> str:
        """The same for a report's head, where it also says that nothing is known of the training's patients."""
        unknown = " (no receipt tells whether a model was trained on any of these patients)"
        return self.warned(data) + (unknown if self.unsure and not self.seen else "")


UNKNOWN = Origin()
"""The origin of predictions without a receipt."""


def summarise(
    scored: Sequence[Scored], data: str, simulated: bool, mode: Mode = "fast", origin: Origin = UNKNOWN
) -> dict[str, Any]:
    """The content of summary.json, without a baseline.

    `data.patients`, `data.checkpoints` and `data.largest_only` let `export` refuse figures of another model, of another
    post-processing, or on patients of its training; none is stored in an export.

    `positive_rate`: share of tumour slices with a contour; `miss_rate`: share without. `specificity`: share of
    tumour-free slices without a contour; `specificity_35mm2`: with none above 35 mm². `tumour_where_silent` in `data`:
    share of the slices without a contour that do hold tumour, which depends on the mix. `by_predicted_area` includes
    tumour-free slices with a false contour, at Dice 0.
    """
    tumour, free = with_tumour(scored), without_tumour(scored)
    silent = [one for one in scored if not one.score.positive]
    return {
        "data": {
            **({"annotator": ANNOTATOR} if any(one.row.origin == BY_EYE for one in scored) else {}),
            "name": origin.warned(data),
            "simulated": simulated,
            "n_slices": len(scored),
            "n_patients": n_patients(scored),
            "n_tumour_slices": len(tumour),
            "n_tumour_free_slices": len(free),
            "n_native_frames": sum(one.row.axis == NATIVE for one in scored),
            "tumour_where_silent": share(silent, lambda one: one.score.has_tumour),
            "patients": sorted({one.row.patient for one in scored}),
            "seen_in_training": list(origin.seen),
            "checkpoints": list(origin.checkpoints),
            "largest_only": origin.largest_only,
        },
        "mode": mode,
        "by_predicted_area": by_band(scored, predicted_area),
        "by_true_area": by_band(tumour, true_area),
        "miss_rate": share(tumour, lambda one: not one.score.positive),
        "positive_rate": share(tumour, lambda one: one.score.positive),
        "specificity": share(free, lambda one: not one.score.positive),
        "specificity_35mm2": share(free, lambda one: not above(one.score.predicted_mm2, VERY_SMALL_MM2)),
        "baseline": None,
    }


def summarise_baseline(threshold: Threshold, scored: Sequence[Scored]) -> dict[str, Any]:
    """The tuned threshold and its scores on the same slices."""
    large = [one for one in scored if above(one.score.true_mm2, MIN_RELIABLE_MM2)]
    return {
        "method": "threshold on the smoothed frame, tuned on the training patients",
        **asdict(threshold),
        "by_true_area": by_band(with_tumour(scored), true_area),
        "dice_mean_above_200mm2": summary(large)["dice_mean"],
        "specificity": share(without_tumour(scored), lambda one: not one.score.positive),
    }
