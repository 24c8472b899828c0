"""Freshness and the held warning: time as an argument, so nothing sleeps."""

from hypothesis import given
from hypothesis import strategies as st

from inference.live.health import Freshness, Health, judge
from inference.outcome import SizeState
from inference.readout.readout_state import HOLD_S, HeldWarning


def test_a_live_source_is_lost_after_half_a_second() -> None:
    assert judge(Freshness(live=True, source_s=0.4, shown_s=0.4)).health is Health.RUNNING
    lost = judge(Freshness(live=True, source_s=0.6, shown_s=0.6))
    assert (lost.health, lost.seconds) == (Health.LOST, 0.6)


def test_a_file_that_stops_delivering_is_stale() -> None:
    assert judge(Freshness(live=False, source_s=0.6, shown_s=0.6, patience_s=0.1)).health is Health.STALE


def test_a_slow_recording_is_not_stale_between_its_frames() -> None:
    assert judge(Freshness(live=False, source_s=0.9, shown_s=0.9, patience_s=3.0)).health is Health.RUNNING
    assert judge(Freshness(live=False, source_s=0.9, shown_s=2.5, patience_s=3.0)).health is Health.RUNNING


def test_an_old_analysis_of_a_fresh_source_is_another_state() -> None:
    old = judge(Freshness(live=True, source_s=0.1, shown_s=2.1))
    assert (old.health, old.seconds) == (Health.OLD, 2.1)


def test_before_the_first_frame_nothing_is_stale() -> None:
    assert judge(Freshness(live=True, source_s=None, shown_s=None)).health is Health.RUNNING


def test_a_warning_comes_at_once_and_goes_after_half_a_second() -> None:
    hold = HeldWarning()
    assert hold.update(SizeState.ABOVE_200, 0.0) is SizeState.ABOVE_200
    assert hold.update(SizeState.AT_MOST_200, 0.033) is SizeState.AT_MOST_200
    assert hold.update(SizeState.ABOVE_200, 0.066) is SizeState.AT_MOST_200
    assert hold.update(SizeState.ABOVE_200, 0.53) is SizeState.AT_MOST_200
    assert hold.update(SizeState.ABOVE_200, 0.54) is SizeState.ABOVE_200


def test_a_warning_outlasts_frames_without_a_contour_but_not_a_reset() -> None:
    hold = HeldWarning()
    hold.update(SizeState.AT_MOST_35, 0.0)
    assert hold.update(None, 0.1) is SizeState.AT_MOST_35
    hold.reset()
    assert hold.update(None, 0.2) is None


GRAVITY = {SizeState.ABOVE_200: 0, SizeState.AT_MOST_200: 1, SizeState.AT_MOST_35: 2}


@given(st.lists(st.tuples(st.floats(0.001, 0.3), st.sampled_from(list(SizeState))), min_size=1, max_size=40))
def test_what_is_held_is_the_gravest_of_the_last_half_second(steps: list[tuple[float, SizeState]]) -> None:
    hold, now, history = HeldWarning(), 0.0, []
    for wait, state in steps:
        now += wait
        history.append((now, state))
        recent = [GRAVITY[s] for t, s in history if now - t < HOLD_S]
        held = hold.update(state, now)
        assert held is not None
        assert GRAVITY[held] == max(recent)
