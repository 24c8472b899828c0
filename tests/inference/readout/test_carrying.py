"""A contour carried to other frames goes where the tissue went, stops where the picture is another; it is no answer."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from outcomes import ANALYSIS, PROBE, SPACING

from inference.alarms import Alarm, Finding
from inference.dice import dice
from inference.frame import Frame, Mask
from inference.outcome import NothingFound
from inference.readout.carrying import MOST, Carried, Proposals, carried_on
from inference.readout.correction import Correction, begun
from inference.readout.motion import Matrix, carry, moved, reference_of
from inference.recording.schema import Corrector

ROWS, COLS, MIDDLE = 240, 320, (150.0, 120.0)


def tissue(seed: int) -> NDArray[np.float32]:
    """Borders of tissue without speckle, grey levels."""
    noise = np.random.default_rng(seed).normal(size=(ROWS, COLS)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 7)
    return np.asarray(90 + 45 * smooth / smooth.std(), np.float32)


def speckled(borders: NDArray[np.float32], seed: int) -> NDArray[np.uint8]:
    """The picture of one moment: its speckle comes never again."""
    speckle = np.random.default_rng(seed).rayleigh(0.8, borders.shape)
    return np.clip(borders * speckle, 1, 255).astype(np.uint8)


def rigid(degrees: float, x: float, y: float) -> Matrix:
    """A turn about the contour's middle and a shift, from the first picture to the other."""
    turn = cv2.getRotationMatrix2D(MIDDLE, degrees, 1.0)
    turn[:, 2] += (x, y)
    return np.asarray(turn, np.float32)


def warped(picture: NDArray[np.float32], motion: Matrix) -> NDArray[np.float32]:
    return np.asarray(cv2.warpAffine(picture, motion, (COLS, ROWS), borderMode=cv2.BORDER_REFLECT), np.float32)


BORDERS = tissue(1)
MASK: Mask = np.zeros((ROWS, COLS), np.uint8)
cv2.ellipse(MASK, (150, 120), (42, 26), 20, 0, 360, 1, cv2.FILLED)
FRAME = Frame(100, speckled(BORDERS, 100), SPACING, 10.0, PROBE)


def corrected(frame: Frame = FRAME) -> Correction:
    empty = begun(NothingFound(frame, ANALYSIS))
    assert empty is not None
    return empty.taken(MASK, Corrector.USER)


def frame_of(place: int, borders: NDArray[np.float32]) -> Frame:
    return replace(
        FRAME, index=FRAME.index + place, captured_at=10 + place / 25, pixels=speckled(borders, 1000 + place)
    )


@given(st.floats(-6, 6), st.floats(-9, 9), st.floats(-9, 9))
@settings(deadline=None, max_examples=12)
def test_a_rigid_motion_moves_the_contour_by_it_to_less_than_a_pixel(degrees: float, x: float, y: float) -> None:
    motion = rigid(degrees, x, y)
    reference = reference_of(FRAME.pixels, MASK)
    assert reference is not None
    back = moved(reference, speckled(warped(BORDERS, motion), 7))
    assert back is not None
    edge = cv2.findContours(MASK, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0].astype(np.float32)
    there_and_back = cv2.transform(cv2.transform(edge, motion), back)
    assert np.linalg.norm(there_and_back - edge, axis=-1).max() < 1
    assert dice(carry(MASK, back), (warped(MASK.astype(np.float32), motion) >= 0.5).astype(np.uint8)) > 0.97


def test_over_many_frames_nothing_adds_up() -> None:
    ways = [rigid(0.8 * place, 1.7 * place, -place) for place in range(1, 13)]
    frames = [frame_of(place, warped(BORDERS, way)) for place, way in enumerate(ways, 1)]
    found = list(carried_on(corrected(), frames, 1))
    assert [one.places for one in found] == list(range(1, 13))
    for one, frame, way in zip(found, frames, ways, strict=True):
        assert one.frame is frame
        assert dice(one.mask, (warped(MASK.astype(np.float32), way) >= 0.5).astype(np.uint8)) > 0.96


def test_an_unrelated_picture_ends_it_even_if_the_first_one_comes_back() -> None:
    same, other = frame_of(1, BORDERS), frame_of(2, tissue(2))
    assert [one.places for one in carried_on(corrected(), [same, other, frame_of(3, BORDERS)], 1)] == [1]
    assert list(carried_on(corrected(), [frame_of(1, tissue(3))], 1)) == []


def test_a_picture_in_which_the_place_is_found_but_looks_otherwise_ends_it() -> None:
    """Half of its tissue is another's: registration finds a motion all the same."""
    half = frame_of(1, (BORDERS + tissue(2)) / 2)
    reference = reference_of(FRAME.pixels, MASK)
    assert reference is not None
    assert moved(reference, half.pixels) is not None
    assert list(carried_on(corrected(), [half], 1)) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"spacing": None},
        {"pixels": FRAME.pixels[:200]},
        {"findings": (Finding(Alarm.GRAPHICS, "Graphics in the sector.", 10.0),)},
    ],
    ids=["another scale", "another size", "a guard forbids it"],
)
def test_a_frame_of_another_kind_ends_it(changed: dict[str, object]) -> None:
    assert list(carried_on(corrected(), [replace(frame_of(1, BORDERS), **changed)], 1)) == []  # type: ignore[arg-type]


def test_it_is_carried_no_further_than_a_person_can_confirm() -> None:
    read = 0

    def endless() -> Iterator[Frame]:
        nonlocal read
        for frame in repeat(frame_of(1, BORDERS)):
            read += 1
            yield frame

    assert len(list(carried_on(corrected(), endless(), -1))) == MOST == read


def proposal(place: int) -> Carried:
    (one,) = carried_on(corrected(), [frame_of(place, BORDERS)], int(math.copysign(1, place)))
    return replace(one, places=place)


def test_it_says_from_where_it_comes_and_no_area() -> None:
    assert proposal(1).words == "CARRIED from 1 frame before: not confirmed"
    assert proposal(-3).words == "CARRIED from 3 frames later: not confirmed"


def test_a_proposal_is_for_its_very_frame_and_goes_with_what_it_came_from() -> None:
    open_still, one, other = Proposals(), proposal(1), proposal(2)
    open_still.offer(chain([one], [other]))
    assert open_still.of(one.frame) is one
    assert open_still.of(FRAME) is None
    assert open_still.of(replace(one.frame, captured_at=99.0)) is None, "live frames never come again"
    assert open_still.of(replace(one.frame, spacing=None)) is None
    open_still.settle(one.frame)
    assert open_still.of(one.frame) is None
    assert open_still.of(other.frame) is other
    open_still.settle(FRAME)
    assert open_still.of(other.frame) is None, "what it was carried from is another contour now"


def test_confirmed_it_stays_marked_as_carried_until_all_is_taken_back() -> None:
    made = begun(NothingFound(proposal(1).frame, ANALYSIS))
    assert made is not None
    confirmed = made.taken(proposal(1).mask, Corrector.CARRIED)
    assert confirmed.who == "carried, confirmed by user"
    assert confirmed.words.startswith("CORRECTED BY USER: ")
    assert confirmed.undone().who == "user"
    assert not confirmed.undone().changed
