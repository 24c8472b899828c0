"""Scores of one predicted mask against the true one; the conventions are in `training.evaluation.conventions`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """How one slice came out.

    Attributes:
        tp: pixels in both masks.
        fp: pixels in the predicted mask alone.
        fn: pixels in the true mask alone.
        pixel_mm2: area of a pixel.
        hd95_mm: Hausdorff distance, 95th percentile; None where a mask is empty, or where it was not asked for.
    """

    tp: int
    fp: int
    fn: int
    pixel_mm2: float
    hd95_mm: float | None = None

    @property
    def true_mm2(self) -> float:
        """Area of the true mask."""
        return (self.tp + self.fn) * self.pixel_mm2

    @property
    def predicted_mm2(self) -> float:
        """Area of the predicted mask."""
        return (self.tp + self.fp) * self.pixel_mm2

    @property
    def dice(self) -> float | None:
        """2 TP / (2 TP + FP + FN); None where both masks are empty."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def precision(self) -> float | None:
        """TP / (TP + FP); 0 where tumour was missed altogether, None on a tumour-free slice without a contour."""
        return 0.0 if self.has_tumour and not self.positive else _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """TP / (TP + FN), or None on a tumour-free slice."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def fnr(self) -> float | None:
        """False negative rate, 1 - recall."""
        return None if self.recall is None else 1 - self.recall

    @property
    def vs(self) -> float | None:
        """2 (P - T) / (P + T) of the areas, signed: 0 is perfect; None where both masks are empty."""
        return _ratio(2 * (self.fp - self.fn), 2 * self.tp + self.fp + self.fn)

    @property
    def area_error(self) -> float | None:
        """(segmented - true) / true area, or None on a tumour-free slice."""
        return _ratio(self.fp - self.fn, self.tp + self.fn)

    @property
    def overlaps(self) -> bool:
        """Whether the two masks share a pixel."""
        return self.tp > 0

    @property
    def has_tumour(self) -> bool:
        """Whether the slice holds tumour."""
        return self.tp + self.fn > 0

    @property
    def positive(self) -> bool:
        """Whether anything was segmented: TP or FP is not 0."""
        return self.tp + self.fp > 0


def score(predicted: Mask, true: Mask, pixel_mm2: float) -> Score:
    """Score one slice by its pixels, without HD95.

    Args:
        predicted: (rows, cols).
        true: (rows, cols).
        pixel_mm2: area of a pixel.
    """
    if predicted.shape != true.shape:
        raise ValueError(f"masks of one slice have one shape, not {predicted.shape} and {true.shape}")
    tp = int(np.count_nonzero(predicted & true))
    return Score(tp, int(np.count_nonzero(predicted)) - tp, int(np.count_nonzero(true)) - tp, pixel_mm2)


def hd95_mm(predicted: Mask, true: Mask, spacing: tuple[float, ...]) -> float | None:
    """The larger of the two directed 95th percentiles of the distances between the masks' edges.

    Args:
        predicted: of any number of axes.
        true: the same shape.
        spacing: mm along each axis.

    Returns:
        mm, or None where a mask is empty.
    """
    if not predicted.any() or not true.any():
        return None
    one, other = _edge(predicted) * np.array(spacing), _edge(true) * np.array(spacing)
    there, back = cKDTree(other).query(one)[0], cKDTree(one).query(other)[0]
    return float(max(np.percentile(there, 95), np.percentile(back, 95)))


def _edge(mask: Mask) -> NDArray[np.intp]:
    """Indices (n, axes) of the mask's pixels that have a direct neighbour outside it, or outside the picture."""
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    inside = mask[box]
    return np.asarray(np.argwhere(inside & ~ndimage.binary_erosion(inside)) + [side.start for side in box])


def _ratio(part: float, whole: float) -> float | None:
    """A ratio, or None where there is nothing to divide by."""
    return part / whole if whole else None
