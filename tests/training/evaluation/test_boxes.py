"""Boxes: when a box is found, and that the table of boxes knows nothing of outlines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.evaluation.box_table import detected_boxes
from training.evaluation.boxes import MIN_IOU, f1, find_boxes
from training.evaluation.metrics import score
from training.evaluation.strata import Scored
from training.evaluation.tables import Percent
from training.slicing.slices import SliceRow

SHAPE = (20, 30)
masks = hnp.arrays(bool, (7, 8), elements=st.booleans())


def drawn(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


@given(masks, masks)
@settings(max_examples=60)
def test_found_boxes_are_pairs(predicted, true):
    found, back = find_boxes(predicted, true, 0.5), find_boxes(true, predicted, 0.5)
    assert sum(found.true_mm2) == pytest.approx(0.5 * true.sum())
    assert sum(found.matched) == sum(back.matched) <= min(len(found.matched), found.predicted)
    assert f1([found]) == f1([back])
    assert find_boxes(true, true, 0.5).matched == (True,) * len(found.matched)


def test_a_box_is_found_at_half_and_not_below_and_by_a_box_of_its_own():
    true = drawn((2, 2, 12, 12))
    assert find_boxes(drawn((2, 2, 7, 12)), true, 1.0).matched == (True,), "5 of 10 rows: exactly half"
    below = find_boxes(drawn((2, 2, 6, 12)), true, 1.0)
    assert (below.matched, below.hit) == ((False,), (True,)), "too small, and yet in the right place"
    two = drawn((0, 0, 6, 10), (7, 0, 13, 10))
    assert sum(find_boxes(drawn((0, 0, 13, 10)), two, 1.0).matched) == 0
    assert find_boxes(drawn((0, 0, 6, 10)), two, 1.0).matched == (True, False)
    beside = find_boxes(drawn((2, 13, 12, 23)), true, 1.0)
    assert (beside.matched, beside.hit, beside.predicted) == ((False,), (False,), 1)
    assert f1([find_boxes(drawn(), drawn(), 1.0)]) is None


def scored(patient: int, predicted: np.ndarray, true: np.ndarray) -> Scored:
    row = SliceRow(f"s{patient}", f"P{patient}", f"P{patient}", "k", 0, float(true.sum()), *SHAPE, 1.0, 1.0)
    return Scored(row, score(predicted, true, 1.0), find_boxes(predicted, true, 1.0))


def test_boxes_do_not_see_the_outline_and_the_outline_not_the_boxes():
    """A frame and a full square have one box and a Dice far from 1."""
    frame, full = drawn((2, 2, 16, 16)), drawn((2, 2, 16, 16))
    frame[3:15, 3:15] = False
    slices = [scored(patient, frame, full) for patient in range(5)]
    (*bands, total) = detected_boxes({"m": slices}).rows
    assert [row[2] for row in bands] == [0, 5, 0]
    assert total[2:9] == (5, 5, Percent(1.0), Percent(1.0), 5, Percent(1.0), 1.0)
    assert slices[0].score.dice < 0.5


def test_few_patients_give_counts_only_and_a_false_box_lowers_precision():
    true, free = drawn((0, 0, 16, 16)), drawn()
    few = [scored(patient, true, true) for patient in range(4)]
    assert detected_boxes({"m": few}).rows[-1][2:] == (4, 4, None, None, 4, None, None, None, None)
    false = [*(scored(patient, true, true) for patient in range(5)), scored(0, true, free)]
    false += [scored(patient, free, free) for patient in range(1, 5)]
    total = detected_boxes({"m": false}).rows[-1]
    assert total[4:8] == (Percent(1.0), Percent(1.0), 6, Percent(5 / 6))
    assert total[8] == pytest.approx(2 * 5 / 11)
    assert total[10] == Percent(0.2)
    assert MIN_IOU == 0.5
