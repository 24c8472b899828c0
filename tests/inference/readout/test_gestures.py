"""What a hand does to a mask, and the laws that hold for every stroke."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.frame import Mask
from inference.readout.gestures import Stroke, add, cut, erase, push

ROWS, COLS = 60, 80
BRUSH = (6.0, 6.0)
STROKES = st.lists(st.tuples(st.floats(-20, 100), st.floats(-20, 80)), min_size=1, max_size=6)


def square() -> Mask:
    mask = np.zeros((ROWS, COLS), np.uint8)
    mask[20:40, 30:50] = 1
    return mask


def test_a_stroke_from_inside_pushes_the_edge_out_and_one_from_outside_pushes_it_in() -> None:
    out, back = push(square(), [(40, 30), (56, 30)], BRUSH), push(square(), [(60, 30), (48, 30)], BRUSH)
    assert (out[30, 60], out[30, 64]) == (1, 0), "as far as the brush reaches, and no farther"
    assert (back[30, 44], back[30, 41]) == (0, 1)
    assert (out[22, 55], back[21, 49]) == (0, 1), "only where the brush went"


def test_a_brush_is_round_in_the_body_where_pixels_are_not_square() -> None:
    swept = push(square(), [(40, 30)], (20.0, 13.0)) & ~square() & 1
    rows, cols = np.flatnonzero(swept.any(axis=1)), np.flatnonzero(swept.any(axis=0))
    assert (rows[0], rows[-1]) == (pytest.approx(17, abs=1), pytest.approx(43, abs=1))
    assert (cols[0], cols[-1]) == (pytest.approx(20, abs=1), pytest.approx(60, abs=1))


@pytest.mark.parametrize("line", [[(44, 10), (44, 50)], [(34, 10), (55, 31), (60, 45)]], ids=["straight", "bent"])
def test_a_cut_takes_the_smaller_part(line: Stroke) -> None:
    parted = cut(square(), line)
    assert parted[30, 32] == 1
    assert parted[21, 48] == 0
    assert 0 < parted.sum() < square().sum()


def test_a_line_that_parts_nothing_changes_nothing() -> None:
    assert np.array_equal(cut(square(), [(40, 10), (40, 30)]), square())
    assert np.array_equal(cut(square(), [(5, 5), (5, 55)]), square())


def test_a_cut_leaves_the_other_pieces_alone() -> None:
    two = square()
    two[5:10, 5:10] = 1
    assert cut(two, [(46, 10), (46, 50)])[5:10, 5:10].all()


def test_a_closed_stroke_fills_and_empties() -> None:
    ring = [(10, 5), (20, 5), (20, 15), (10, 15)]
    assert add(square(), ring)[10, 15] == 1
    assert erase(add(square(), ring), ring)[10, 15] == 0
    assert np.array_equal(erase(add(square(), ring), ring), square())


@given(stroke=STROKES, radius=st.floats(0.1, 30))
@settings(deadline=None, max_examples=40)
def test_no_gesture_leaves_the_picture_or_does_the_contrary(stroke: Stroke, radius: float) -> None:
    before = square()
    outward = add(before, stroke)
    inward = (erase(before, stroke), cut(before, stroke))
    assert (outward >= before).all(), "adding never removes"
    assert all((after <= before).all() for after in inward), "erasing and cutting never add"
    pushed = push(before, stroke, (radius, radius))
    assert (pushed >= before).all() or (pushed <= before).all(), "a push goes one way"
    for after in (outward, *inward, pushed):
        assert (after.shape, after.dtype, int(after.max()) <= 1) == ((ROWS, COLS), np.uint8, True)
    assert np.array_equal(before, square()), "what is corrected stays as it was"
