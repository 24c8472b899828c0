"""The one Dice: what it is, what two empty masks are, and that scores of every package are it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.dice import agreement, dice, dice_of_counts
from training.evaluation.metrics import score

masks = st.integers(0, 2**16 - 1).map(lambda bits: np.array([bits >> k & 1 for k in range(16)], np.uint8).reshape(4, 4))


@given(masks, masks)
def test_dice_is_jaccard_said_otherwise(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> None:
    found = dice(first, second)
    if not first.any() and not second.any():
        assert found is None
        return
    assert found is not None
    jaccard = np.sum(first & second) / np.sum(first | second)
    assert found == pytest.approx(2 * jaccard / (1 + jaccard))
    assert found == dice(second, first)


@given(masks, masks)
def test_reports_count_the_same_dice(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> None:
    scored = score(first > 0, second > 0, 1.0)
    assert scored.dice == dice(first, second) == dice_of_counts(scored.tp, scored.fp, scored.fn)


@given(masks, masks)
def test_only_where_both_are_empty_do_two_answers_agree_without_a_dice(first: NDArray[np.uint8], second) -> None:
    found = dice(first, second)
    assert agreement(first, second) == (1.0 if found is None else found)


def test_any_value_above_zero_is_tumour() -> None:
    assert dice(np.array([[0, 255]], np.uint8), np.array([[False, True]])) == 1.0
