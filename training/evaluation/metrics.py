"""Scores of a predicted mask against the true one, and the table of metrics that every report is made from.

The conventions are in `training.evaluation.conventions`. To add a metric, add its value to `Score` and its line to
`METRICS`; tables, box plots, slices.csv and the words of a report follow.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from inference.dice import dice_of_counts

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """The counts and distances of one slice.

    Attributes:
        tp: pixels in both masks.
        fp: pixels in the predicted mask only.
        fn: pixels in the true mask only.
        pixel_mm2: area of a pixel.
        hd95_mm: Hausdorff distance, the larger of the directed 95th percentiles; None if a mask is empty, or if it was
            not asked for.
        hd95_pooled_mm: the 95th percentile of both directions together, as in the paper's script; None likewise.
    """

    tp: int
    fp: int
    fn: int
    pixel_mm2: float
    hd95_mm: float | None = None
    hd95_pooled_mm: float | None = None

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
        """2 TP / (2 TP + FP + FN); None if both masks are empty."""
        return dice_of_counts(self.tp, self.fp, self.fn)

    @property
    def precision(self) -> float | None:
        """TP / (TP + FP); 0 if a tumour got no contour at all, None on a tumour-free slice without a contour."""
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
        """2 (P - T) / (P + T) of the areas, signed: 0 is perfect; None if both masks are empty."""
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


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a slice.

    Attributes:
        name: the title of its column in tables and of its box plot.
        of: computes the slice's value; a slice with None stays out of the mean.
        words: how it is counted, for readers of a report.
        boxed: whether the box plots show it, the paper's Figures 5 and 7; a share, as their axis goes from 0 to 1.
        column: its column in slices.csv, a field or property of `Score`; None leaves it out there.
    """

    name: str
    of: Callable[[Score], float | None]
    words: str
    boxed: bool = False
    column: str | None = None


def _vs_of_positive(one: Score) -> float | None:
    """|vs| of a slice with a prediction; None without one."""
    return abs(one.vs) if one.positive and one.vs is not None else None


METRICS = (
    Metric("Dice", lambda one: one.dice, "Dice = 2 TP / (2 TP + FP + FN).", boxed=True, column="dice"),
    Metric("precision", lambda one: one.precision, "Precision = TP / (TP + FP).", boxed=True, column="precision"),
    Metric("recall", lambda one: one.recall, "Recall = TP / (TP + FN).", boxed=True, column="recall"),
    Metric("FNR", lambda one: one.fnr, "FNR = 1 − recall.", boxed=True),
    Metric(
        "HD95 mm",
        lambda one: one.hd95_mm,
        "HD95: the larger of the two directed 95th percentiles of the distances between the masks' edge pixels, in mm; "
        "over tumour slices with a prediction.",
        column="hd95_mm",
    ),
    Metric(
        "HD95 pooled mm",
        lambda one: one.hd95_pooled_mm,
        "HD95 pooled, as in the paper's script: the 95th percentile of both directions' distances together; an edge "
        "pixel has a neighbour outside the mask, diagonal ones too.",
        column="hd95_pooled_mm",
    ),
    Metric(
        "|vs|",
        _vs_of_positive,
        "|vs| = 2 |P − T| / (P + T) of the areas, 0 is perfect; over tumour slices with a prediction.",
        column="vs",
    ),
    Metric("area error", lambda one: one.area_error, "Area error = (P − T) / T, signed.", column="area_error"),
)
"""Every metric, in the order of the tables' columns."""


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


def score_with_distances(predicted: Mask, true: Mask, spacing: tuple[float, float]) -> Score:
    """Score one slice, with HD95.

    Args:
        predicted: (rows, cols).
        true: (rows, cols).
        spacing: (row, col) mm.
    """
    counted = score(predicted, true, spacing[0] * spacing[1])
    pooled = hd95_pooled_mm(predicted, true, spacing)
    return replace(counted, hd95_mm=hd95_mm(predicted, true, spacing), hd95_pooled_mm=pooled)


def hd95_mm(predicted: Mask, true: Mask, spacing: tuple[float, ...]) -> float | None:
    """The larger of the two directed 95th percentiles of the distances between the masks' edges.

    Args:
        predicted: a mask with any number of axes.
        true: a mask of the same shape.
        spacing: mm along each axis.

    Returns:
        mm, or None if a mask is empty.
    """
    if not predicted.any() or not true.any():
        return None
    one, other = _edge(predicted) * np.array(spacing), _edge(true) * np.array(spacing)
    there, back = cKDTree(other).query(one)[0], cKDTree(one).query(other)[0]
    return float(max(np.percentile(there, 95), np.percentile(back, 95)))


def hd95_pooled_mm(predicted: Mask, true: Mask, spacing: tuple[float, ...]) -> float | None:
    """The 95th percentile of the distances between the masks' edges, both directions in one list.

    This is what seg-metrics computes, which the paper's authors used: an edge pixel has a neighbour outside the mask,
    diagonal neighbours included, and the picture's border is not an edge.

    Args:
        predicted: a mask with any number of axes.
        true: a mask of the same shape.
        spacing: mm along each axis.

    Returns:
        mm, or None if a mask is empty or fills the picture.
    """
    one, other = (_inner_edge(mask) * np.array(spacing) for mask in (predicted, true))
    if not len(one) or not len(other):
        return None
    both = np.concatenate([cKDTree(other).query(one)[0], cKDTree(one).query(other)[0]])
    return float(np.percentile(both, 95))


def _inner_edge(mask: Mask) -> NDArray[np.intp]:
    """Indices (n, axes) of the mask's pixels with a neighbour (diagonal ones too) outside it but in the picture."""
    around = np.ones((3,) * mask.ndim, bool)
    return np.asarray(np.argwhere(mask & ~ndimage.binary_erosion(mask, around, border_value=1)))


def _edge(mask: Mask) -> NDArray[np.intp]:
    """Indices (n, axes) of the mask's pixels with a direct neighbour outside the mask or outside the picture."""
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    inside = mask[box]
    return np.asarray(np.argwhere(inside & ~ndimage.binary_erosion(inside)) + [side.start for side in box])


def _ratio(part: float, whole: float) -> float | None:
    """The ratio, or None if the whole is 0."""
    return part / whole if whole else None
