"""Scores of one predicted mask against the true one, in the paper's conventions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """How one slice came out.

    On a slice with tumour, an empty prediction has Dice, precision and recall 0 and FNR 1, and counts in every
    mean. On a tumour-free slice an empty prediction has no Dice (None), and a false contour has Dice 0.

    Attributes:
        true_mm2: area of the true mask.
        predicted_mm2: area of the predicted mask.
        dice: 2 TP / (2 TP + FP + FN), or None where both masks are empty.
        precision: TP / (TP + FP), or None on a tumour-free slice without a contour.
        recall: TP / (TP + FN), or None on a tumour-free slice.
        overlaps: whether the two masks share a pixel.
    """

    true_mm2: float
    predicted_mm2: float
    dice: float | None
    precision: float | None
    recall: float | None
    overlaps: bool

    @property
    def fnr(self) -> float | None:
        """False negative rate, 1 - recall."""
        return None if self.recall is None else 1 - self.recall

    @property
    def area_error(self) -> float | None:
        """(segmented - true) / true area, or None on a tumour-free slice."""
        return (self.predicted_mm2 - self.true_mm2) / self.true_mm2 if self.true_mm2 else None

    @property
    def has_tumour(self) -> bool:
        """Whether the slice holds tumour."""
        return self.true_mm2 > 0

    @property
    def positive(self) -> bool:
        """Whether anything was segmented: TP or FP is not 0."""
        return self.predicted_mm2 > 0


def score(predicted: Mask, true: Mask, pixel_mm2: float) -> Score:
    """Score one slice.

    Args:
        predicted: (rows, cols).
        true: (rows, cols).
        pixel_mm2: area of a pixel.
    """
    if predicted.shape != true.shape:
        raise ValueError(f"masks of one slice have one shape, not {predicted.shape} and {true.shape}")
    tp = int(np.count_nonzero(predicted & true))
    n_predicted, n_true = int(np.count_nonzero(predicted)), int(np.count_nonzero(true))
    return Score(
        true_mm2=n_true * pixel_mm2,
        predicted_mm2=n_predicted * pixel_mm2,
        dice=2 * tp / (n_predicted + n_true) if n_predicted + n_true else None,
        precision=tp / n_predicted if n_predicted else (0.0 if n_true else None),
        recall=tp / n_true if n_true else None,
        overlaps=tp > 0,
    )
