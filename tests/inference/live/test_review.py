"""The half minute of a frozen view: it plays at the pace at which it came, stands at its end, and never goes live."""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

import pytest
from answers import tumour
from hypothesis import given
from hypothesis import strategies as st

from inference.live import review
from inference.live.review import Review
from inference.live.ring import Ring


def reviewed(*times: float) -> Review:
    """A view of pictures captured at these times, seconds; their areas tell them apart."""
    ring = Ring(seconds=1e9)
    for index, at in enumerate(times):
        outcome = tumour(100.0 + index)
        ring.add(replace(outcome, frame=replace(outcome.frame, index=index, captured_at=at)))
    return Review(ring.held())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time, seconds."""
    now = [1000.0]
    monkeypatch.setattr(review, "monotonic", lambda: now[0])

    def set_to(seconds: float) -> None:
        now[0] = 1000.0 + seconds

    return set_to


def test_it_plays_at_its_own_pace_with_its_pauses_and_stands_at_the_end(clock: Callable[[float], None]) -> None:
    shown = reviewed(10.0, 10.5, 14.0, 14.1)
    assert not shown.playing
    assert shown.position == 3
    shown.play()  # from the oldest, since the newest is shown
    for seconds, place in ((0.0, 0), (0.4, 0), (0.5, 1), (3.9, 1), (4.0, 2), (4.05, 2)):
        clock(seconds)
        assert (shown.position, shown.playing) == (place, True)
    clock(4.2)
    assert (shown.position, shown.playing) == (3, False)
    clock(60.0)
    assert shown.position == 3


def test_each_picture_is_given_once_with_its_own_outcome(clock: Callable[[float], None]) -> None:
    shown = reviewed(10.0, 10.5, 11.0)
    shown.play()
    given_out = []
    for tenth in range(15):
        clock(tenth / 10)
        if (outcome := shown.take()) is not None:
            given_out.append(outcome.frame.index)
    assert given_out == [0, 1, 2]


def test_it_is_paused_stepped_and_moved_while_it_plays(clock: Callable[[float], None]) -> None:
    shown = reviewed(*(10.0 + index for index in range(10)))
    shown.seek(2)
    shown.play()
    clock(1.5)
    assert shown.position == 3
    shown.seek(7)
    clock(2.6)
    assert (shown.position, shown.playing) == (8, True)
    shown.step(-2)
    clock(9.0)
    assert (shown.position, shown.playing) == (6, False)
    shown.play()
    shown.pause()
    clock(20.0)
    assert shown.position == 6


def test_one_picture_cannot_play() -> None:
    shown = reviewed(10.0)
    shown.play()
    assert not shown.playing


def test_its_age_is_told_at_every_moment() -> None:
    now = monotonic()
    shown = reviewed(now - 20.0, now - 10.0)
    assert shown.behind_s == pytest.approx(10.0, abs=0.5)
    shown.seek(0)
    assert shown.behind_s == pytest.approx(20.0, abs=0.5)


@given(st.lists(st.floats(0.01, 5.0), min_size=1, max_size=20), st.floats(-5, 60))
def test_a_time_finds_the_nearest_picture(steps: list[float], wanted: float) -> None:
    times = [sum(steps[: index + 1]) for index in range(len(steps))]
    shown = reviewed(*times)
    shown.seek_time(wanted)
    assert abs(times[shown.position] - wanted) == min(abs(time - wanted) for time in times)
