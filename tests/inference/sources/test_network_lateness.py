"""Which pictures of a stream come too late to be shown: stalls, slow decoders, clocks that drift or are set anew."""

import pytest

from inference.sources.lateness import LATE_S, Lateness

FPS = 25


def arrivals(offsets: list[float], begin: float = 0.0) -> list[tuple[float, float]]:
    """(stream, arrival) times of a 25 fps stream whose pictures arrive that much later."""
    return [(begin + number / FPS, 100.0 + number / FPS + offset) for number, offset in enumerate(offsets)]


def told(pictures: list[tuple[float, float]], *, clocked: bool = True) -> list[bool]:
    lateness = Lateness(clocked=clocked)
    return [lateness.late(stream, now) for stream, now in pictures]


def test_a_stall_that_is_caught_up_shows_no_old_picture() -> None:
    # One second without pictures, then all of them at once.
    offsets = [0.1] * 50 + [1.1 - number / FPS for number in range(25)] + [0.1] * 50
    late = told(arrivals(offsets))
    assert late == [number == 0 or offset > LATE_S + 0.1 for number, offset in enumerate(offsets)]


def test_a_decoder_that_falls_behind_is_noticed() -> None:
    late = told([(number / FPS, 100.0 + number * 1.05 / FPS) for number in range(60 * FPS)])
    assert not any(late[1 : 9 * FPS])
    assert all(late[11 * FPS :])


@pytest.mark.parametrize("drift", [-2e-4, 2e-4])
def test_clocks_that_drift_apart_for_hours_are_not_lateness(drift: float) -> None:
    pictures = [(number * 0.2, 100.0 + number * 0.2 * (1 + drift)) for number in range(4 * 3600 * 5)]
    assert not any(told(pictures)[1:])


def test_a_sender_that_sets_its_clock_anew_is_believed() -> None:
    before = arrivals([0.1] * 100)
    after = [(1000.0 + stream, now + 4.0) for stream, now in before]
    back = [(stream, now + 8.0) for stream, now in before]
    assert not any(told(before + after + back)[1:])


def test_a_replay_that_begins_anew_is_no_delay() -> None:
    lateness = Lateness(clocked=True, joined=False)
    passes = [(stream, now + 4.0 * again) for again in range(5) for stream, now in arrivals([0.1] * 100)]
    assert not any(lateness.late(stream, now) for stream, now in passes)


def test_whoever_joins_no_stream_under_way_sees_its_first_picture() -> None:
    lateness = Lateness(clocked=True, joined=False)
    assert [lateness.late(stream, now) for stream, now in arrivals([0.1] * 9 + [0.8])] == [False] * 9 + [True]


def test_an_invented_clock_is_not_trusted() -> None:
    # Plain MJPEG at 10 a second, which ffmpeg counts as 25.
    assert not any(told([(number * 0.04, number * 0.1) for number in range(1000)], clocked=False)[1:])
