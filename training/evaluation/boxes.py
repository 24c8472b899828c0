"""Boxes around the regions of a mask, and how well they find tumours: detection alone, with metrics of its own.

A box says that there is a tumour, and where; it says nothing of its outline. So nothing here enters a Dice, and no Dice
enters here.

Average precision (AP) ranks boxes by a confidence. A mask gives its boxes none, so they have one recall and one
precision: F1 is given in AP's place, and needs no ranking made up for it. Boxes that were predicted with a score of
their own are ranked in `ranked_boxes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from training.evaluation.metrics import Mask
from training.slicing.boxes import boxes_of, iou

MIN_IOU = 0.5
"""From this intersection over union on, two boxes count as one (PASCAL VOC's and COCO's AP50)."""


@dataclass(frozen=True, slots=True)
class FoundBoxes:
    """The boxes of one slice, with one entry per true box.

    Attributes:
        true_mm2: area of the region in each true box.
        matched: whether it has a predicted box of its own that fits it by `MIN_IOU`.
        hit: whether the centre of any predicted box lies in it.
        predicted: how many boxes were predicted.
    """

    true_mm2: tuple[float, ...]
    matched: tuple[bool, ...]
    hit: tuple[bool, ...]
    predicted: int


def find_boxes(predicted: Mask, true: Mask, pixel_mm2: float) -> FoundBoxes:
    """Compare the boxes of two masks of one slice.

    Args:
        predicted: (rows, cols).
        true: (rows, cols).
        pixel_mm2: area of a pixel.
    """
    (wanted, pixels), (made, _) = boxes_of(true), boxes_of(predicted)
    centres = made.reshape(-1, 2, 2).mean(axis=1)[None]
    inside = (wanted[:, None, :2] <= centres) & (centres < wanted[:, None, 2:])
    return FoundBoxes(
        true_mm2=tuple(float(count) * pixel_mm2 for count in pixels),
        matched=tuple(map(bool, _matched(iou(wanted, made)))),
        hit=tuple(map(bool, inside.all(axis=2).any(axis=1))),
        predicted=len(made),
    )


def _matched(fits: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which true boxes have a partner, if as many as possible are paired one to one."""
    rows, cols = linear_sum_assignment(fits >= MIN_IOU, maximize=True)
    matched = np.zeros(len(fits), bool)
    matched[rows] = fits[rows, cols] >= MIN_IOU
    return matched


def f1(found: Sequence[FoundBoxes]) -> float | None:
    """2 pairs / (true + predicted boxes), over some slices together; None if there is no box at all."""
    boxes = sum(len(one.matched) + one.predicted for one in found)
    return 2 * sum(sum(one.matched) for one in found) / boxes if boxes else None
