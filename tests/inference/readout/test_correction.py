"""A corrected contour: what is said of it, how it is undone, and that it belongs to one frame."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcomes import ANALYSIS, PROBE, SPACING

from inference.frame import Frame
from inference.outcome import Failed, NothingFound
from inference.readout.correction import Correction, Corrections, Gesture, begun
from inference.recording.judgements import KeptCorrection
from inference.recording.schema import Corrector

FRAME = Frame(3, np.full((60, 80), 90, np.uint8), SPACING, 7.0, PROBE)
RING = [(20.0, 15.0), (50.0, 15.0), (50.0, 40.0), (20.0, 40.0)]
GESTURES = st.tuples(
    st.sampled_from(Gesture), st.lists(st.tuples(st.floats(0, 79), st.floats(0, 59)), min_size=1, max_size=4)
)


def correction(frame: Frame = FRAME) -> Correction:
    started = begun(NothingFound(frame, ANALYSIS))
    assert started is not None
    return started.made(Gesture.ADD, RING, 3.0)


def test_its_area_is_its_pixels_times_the_scale_and_it_says_whose_it_is() -> None:
    made = correction()
    assert made.area_mm2 == pytest.approx(31 * 26 * SPACING.row_mm * SPACING.col_mm)
    assert made.words == "CORRECTED BY USER: 48 mm²"
    assert replace(made, frame=replace(FRAME, spacing=None)).words == "CORRECTED BY USER: scale unknown"
    assert made.made(Gesture.ERASE, RING, 3.0).words == "CORRECTED BY USER: nothing there"


def test_where_the_picture_ends_its_area_is_a_lower_bound() -> None:
    assert correction().made(Gesture.PUSH, [(40, 30), (79, 30)], 3.0).words.startswith("CORRECTED BY USER: ≥ ")


def test_its_outline_runs_between_its_pixels_and_the_others() -> None:
    (outline,) = correction().outlines
    assert outline.min(axis=0) == pytest.approx((19.5, 14.5), abs=0.1)
    assert outline.max(axis=0) == pytest.approx((50.5, 40.5), abs=0.1)


@given(st.lists(GESTURES, max_size=5))
@settings(deadline=None, max_examples=20)
def test_undoing_everything_restores_the_mask(gestures: list[tuple[Gesture, list[tuple[float, float]]]]) -> None:
    first = made = correction()
    for gesture, stroke in gestures:
        made = made.made(gesture, stroke, 2.0)
    while len(made.masks) > len(first.masks):
        made = made.undone()
    assert np.array_equal(made.mask, first.mask)
    assert made.words == first.words


def test_a_frame_that_was_not_analysed_is_not_corrected() -> None:
    assert begun(Failed(FRAME, "It broke.")) is None


def test_a_correction_is_kept_for_its_own_frame_alone() -> None:
    kept, made = Corrections(), correction()
    kept.keep(made)
    assert kept.of(FRAME) is made
    assert kept.of(replace(FRAME, index=4)) is None
    assert kept.of(replace(FRAME, captured_at=8.0)) is None, "live frames never come again"
    assert kept.of(replace(FRAME, pixels=FRAME.pixels[:50])) is None
    kept.keep(made.undone())
    assert kept.of(FRAME) is None, "nothing is corrected any more"


def test_one_of_the_record_that_is_taken_back_is_none_whatever_answers_by_then() -> None:
    read, empty = replace(FRAME, origin=replace(PROBE, live=False)), np.zeros(FRAME.pixels.shape, np.uint8)
    kept = Corrections()
    kept.recall({3: KeptCorrection(np.eye(60, 80, dtype=np.uint8), correction(read).mask, Corrector.USER)})
    recalled = kept.of(read)
    assert recalled is not None
    undone = recalled.upon(NothingFound(read, ANALYSIS)).undone()
    assert np.array_equal(undone.mask, empty), "undoing leads to the answer on the screen"
    kept.keep(undone)
    assert kept.by_number == {3: (None, Corrector.USER)}


def test_a_recording_shows_the_same_frame_again_at_the_scale_it_has_then() -> None:
    read = replace(FRAME, origin=replace(PROBE, live=False))
    kept = Corrections()
    kept.keep(correction(read))
    again = kept.of(replace(read, captured_at=9.0, spacing=None))
    assert again is not None
    assert again.words == "CORRECTED BY USER: scale unknown"
