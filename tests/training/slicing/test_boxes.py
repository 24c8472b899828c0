"""Boxes around regions: what a region is, and how much two boxes share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.slicing.boxes import boxes_of, iou

masks = hnp.arrays(bool, (7, 8), elements=st.booleans())


def painted(box: np.ndarray) -> np.ndarray:
    mask = np.zeros((7, 8), bool)
    top, left, bottom, right = box
    mask[top:bottom, left:right] = True
    return mask


@given(masks, masks)
@settings(max_examples=60)
def test_intersection_over_union_is_that_of_painted_boxes(one, other):
    (first, _), (second, _) = boxes_of(one), boxes_of(other)
    fits = iou(first, second)
    for at, box in enumerate(first):
        for to, against in enumerate(second):
            p, t = painted(box), painted(against)
            assert fits[at, to] == pytest.approx((p & t).sum() / (p | t).sum())


def test_corners_touch_and_a_gap_parts():
    stairs = np.eye(4, dtype=bool)
    assert boxes_of(stairs)[0].tolist() == [[0, 0, 4, 4]]
    stairs[2] = False
    assert boxes_of(stairs)[0].tolist() == [[0, 0, 2, 2], [3, 3, 4, 4]]
