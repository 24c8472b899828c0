"""How long a live source may be silent: times as arguments, so nothing sleeps."""

import pytest

from inference.sources.base import LOST_AFTER_S
from inference.sources.rhythm import LONGEST_S, Gap, Rhythm


def after(*intervals_s: float) -> float:
    """The patience with a source that has given pictures at these intervals."""
    rhythm, now = Rhythm(), 100.0
    rhythm.note(now)
    for interval in intervals_s:
        now += interval
        assert rhythm.note(now) == pytest.approx(interval)
    return rhythm.patience_s


def test_a_usual_source_is_lost_after_half_a_second() -> None:
    assert after() == LOST_AFTER_S
    assert after(*[0.04] * 50) == LOST_AFTER_S


def test_one_picture_a_second_is_no_lost_signal() -> None:
    assert after(*[1.0] * 10) == pytest.approx(2.0)
    assert after(*[0.4] * 10) == pytest.approx(0.8)


def test_nothing_is_known_of_the_rate_at_first() -> None:
    assert after(1.0, 1.0, 1.0) == LOST_AFTER_S


def test_one_stall_teaches_no_patience() -> None:
    assert after(*[0.04] * 6, 5.0, *[0.04] * 2) == LOST_AFTER_S
    assert after(*[0.04] * 5, 3.0, 3.0, 3.0, 3.0) == LOST_AFTER_S


def test_a_picture_of_long_ago_is_never_live() -> None:
    assert after(*[60.0] * 10) == LONGEST_S


def test_a_source_that_becomes_fast_is_judged_as_one() -> None:
    assert after(*[1.0] * 10, *[0.04] * 6) == LOST_AFTER_S


def judged(*intervals_s: float) -> str:
    """What each picture after the first is taken for: its initial."""
    rhythm, now = Rhythm(), 100.0
    assert rhythm.judge(now) is Gap.USUAL
    initials = ""
    for interval in intervals_s:
        now += interval
        initials += rhythm.judge(now).name[0]
    return initials


@pytest.mark.parametrize(
    ("intervals_s", "expected"),
    [
        ([1.0] * 6, "DDDUUU"),
        ([0.8, 1.2, 0.9, 1.0, 1.1], "DDDUU"),
        ([1.0] * 5 + [2.1], "DDDUUL"),
        ([0.04] * 6, "UUUUUU"),
        ([0.04, 1.5, 0.04], "ULU"),
        ([1.5, 0.04, 0.04], "DLU"),
        ([1.5, 1.5, 0.04, 0.04], "DDLU"),
        ([2.1, 0.04], "LU"),
        ([1.0, 1.0, 2.1], "DDL"),
        ([0.04] * 6 + [0.6, 0.04], "UUUUUULU"),
    ],
)
def test_a_slow_source_is_told_from_an_interruption_and_nothing_is_believed_before(
    intervals_s: list[float], expected: str
) -> None:
    assert judged(*intervals_s) == expected
