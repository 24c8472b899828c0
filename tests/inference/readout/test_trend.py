"""The area over time: no line where nothing was analysed, ticks that can be read, events where they happened."""

from dataclasses import replace

import numpy as np
import pytest
from answers import nothing, tumour
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.frame import Origin, View
from inference.live.health import Condition, Health
from inference.live.moment import Moment
from inference.live.playback import Playback
from inference.live.ring import Ring
from inference.outcome import Outcome
from inference.readout.trend import COLUMNS, Event, Trend, TrendState
from inference.source_info import SourceInfo
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Phase

PROBE = Origin("probe", View.NATIVE, live=True)
RUNNING = Condition(Health.RUNNING)


class Long(PhantomSource):
    """A phantom that passes for a recording of this many frames."""

    def __init__(self, count: int, fps: float | None = 30.0) -> None:
        super().__init__(count=1)
        self._long, self._pace = count, fps

    def __len__(self) -> int:
        return self._long

    @property
    def info(self) -> SourceInfo:
        return replace(super().info, fps=self._pace)


class Slices(PhantomSource):
    """A phantom that passes for the slices of a volume."""

    @property
    def info(self) -> SourceInfo:
        info = super().info
        return replace(info, origin=Origin("volume", View.SLICE), fps=None)


def at(outcome: Outcome, index: int, captured_at: float = 0.0, origin: Origin = PROBE) -> Outcome:
    return replace(outcome, frame=replace(outcome.frame, index=index, captured_at=captured_at, origin=origin))


def moment(shown: Outcome | None, live: Condition = RUNNING, view: Condition | None = None) -> Moment:
    return Moment(False, False, "", None, shown, shown, True, live, view or live, "")


def followed(*answers: Outcome) -> Trend:
    """A trend that has seen these answers of a recording."""
    trend = Trend()
    for answer in answers:
        trend.follow(moment(answer), PhantomSource(count=2).info, Phase.UNSET, 0.0)
    return trend


def pieces(state: TrendState) -> list[list[float]]:
    """Places of the points of each unbroken line."""
    found: list[list[float]] = [[]]
    for place, area in zip(state.at, state.areas, strict=True):
        if np.isnan(area):
            found.append([])
        else:
            found[-1].append(float(place))
    return [piece for piece in found if piece]


def test_no_line_passes_where_nothing_was_analysed() -> None:
    """Frame 3 had no contour, frames 6 to 60 have not been analysed: three pieces, and never a zero."""
    trend = followed(*(at(nothing() if index == 3 else tumour(300.0), index) for index in (0, 1, 2, 3, 4, 5, 61, 62)))
    with Playback(PhantomSource(count=100)) as playback:
        state = trend.of_recording(playback, None, 200.0)
    assert pieces(state) == [[0, 1, 2], [4, 5], [61, 62]]
    assert np.nanmin(state.areas) == pytest.approx(300.0)


def test_a_slice_that_was_left_out_breaks_the_line_and_slices_are_counted_not_timed() -> None:
    trend = followed(*(at(tumour(300.0), index) for index in (0, 1, 3, 4)))
    with Playback(Slices(count=60)) as playback:
        state = trend.of_recording(playback, at(tumour(300.0), 59), 200.0)
    assert pieces(state) == [[0, 1], [3, 4]]
    assert [tick.words for tick in state.ticks] == ["1", "10", "20", "30", "40", "50", "60"]
    assert [tick.at for tick in state.ticks] == [0, 9, 19, 29, 39, 49, 59]
    assert (state.by, state.cursor, state.last) == ("by slice", 59.0, 59.0)


@settings(deadline=None)  # on a busy machine one example may wait
@given(st.integers(1, 400_000), st.sampled_from([None, 5.0, 29.97, 60.0]))
def test_ticks_lie_on_the_axis_and_say_their_place(count: int, fps: float | None) -> None:
    with Playback(Long(count, fps)) as playback:
        state = Trend().of_recording(playback, None, None)
    assert 1 <= len(state.ticks) <= 8
    assert state.by == ("by picture" if fps is None else "")
    for tick in state.ticks:
        assert state.first <= tick.at <= state.last
        if fps is None:
            assert int(tick.words) == tick.at + 1
        elif tick.words.endswith(" s"):
            assert float(tick.words[:-2]) == pytest.approx(tick.at / fps, rel=1e-3)


def test_a_recording_breaks_where_no_picture_came_and_its_ticks_stand_at_the_pictures_of_their_time() -> None:
    """A record of ten seconds, twenty without a signal, and ten more: its frames have places, not times, in common."""
    times = np.concatenate([np.arange(250), np.arange(250) + 750]) / 25
    answers = [at(tumour(300.0), index) for index in range(500)]
    timed = (replace(a, frame=replace(a.frame, time_s=float(t))) for a, t in zip(answers, times, strict=True))
    trend = followed(*timed)
    with Playback(Long(500, 499 / float(times[-1]))) as playback:
        state = trend.of_recording(playback, None, 200.0)
    assert [(piece[0], piece[-1]) for piece in pieces(state)] == [(0, 249), (250, 499)]
    assert [tick.words for tick in state.ticks] == ["0 s", "5 s", "10 s", "35 s"]
    for tick in state.ticks:
        assert times[round(tick.at)] == pytest.approx(float(tick.words[:-2]), abs=0.05)


def test_a_stream_breaks_where_the_signal_was_lost_and_ends_now() -> None:
    ring, trend = Ring(), Trend()
    for index in range(40):
        ring.add(at(tumour(250.0), index, 100.0 + index * 0.04 + (3.0 if index >= 20 else 0.0)))
    state = trend.of_stream(ring.held(), 105.0, None, 200.0)
    assert [len(piece) for piece in pieces(state)] == [20, 20]
    assert (state.first, state.last, state.movable) == (75.0, 105.0, False)
    assert [tick.words for tick in state.ticks] == ["−30 s", "−20 s", "−10 s", "now"]


def test_a_slow_model_has_a_line_as_its_answers_follow_each_other() -> None:
    ring = Ring()
    for index in range(10):
        ring.add(at(tumour(250.0), index, 100.0 + 2.0 * index))
    assert [len(piece) for piece in pieces(Trend().of_stream(ring.held(), 120.0, None, None))] == [10]


def test_a_frozen_view_stands_at_its_own_half_minute_and_is_never_called_now() -> None:
    ring = Ring()
    for index in range(10):
        ring.add(at(tumour(250.0), index, 100.0 + index))
    state = Trend().of_frozen(ring.held(), at(tumour(250.0), 4, 104.0), 200.0)
    assert (state.last, state.cursor, state.movable) == (109.0, 104.0, True)
    assert state.ticks[-1].words == "0 s"


def test_events_are_marked_where_they_happened() -> None:
    trend, ring = Trend(), Ring()
    info = SourceInfo(PROBE, 8, 8, None, "", (0.0, 255.0))
    shown = at(tumour(250.0), 0, 100.0)
    ring.add(shown)
    trend.follow(moment(shown), info, Phase.UNSET, 100.0)
    trend.follow(moment(shown), info, Phase.DURA_OPEN, 101.0)
    trend.follow(moment(shown, Condition(Health.LOST, 0.5)), info, Phase.DURA_OPEN, 102.5)
    trend.follow(moment(shown, Condition(Health.LOST, 0.6)), info, Phase.DURA_OPEN, 102.6)
    trend.follow(moment(shown, Condition(Health.FROZEN, 1.0)), info, Phase.DURA_OPEN, 106.0)
    seen = at(tumour(250.0), 9, 106.5)
    trend.follow(moment(seen, RUNNING, Condition(Health.VIEW_FROZEN)), info, Phase.DURA_OPEN, 107.0)
    trend.mark_wrong(seen)
    marks = trend.of_stream(ring.held(), 110.0, None, None).marks
    assert [(mark.at, mark.event, mark.words) for mark in marks] == [
        (101.0, Event.PHASE, "Dura open"),
        (102.0, Event.LOST, "signal lost"),
        (105.0, Event.SCANNER, "scanner frozen"),
        (106.5, Event.FROZEN, "frozen"),
        (106.5, Event.WRONG, "wrong"),
    ]
    assert trend.of_stream(ring.held(), 134.0, None, None).marks[0].event is Event.SCANNER, "the old ones leave"
    trend.clear()
    assert trend.of_stream(ring.held(), 110.0, None, None).marks == ()


def test_a_recording_that_is_read_late_has_lost_no_signal() -> None:
    trend, info = Trend(), PhantomSource(count=2).info
    shown = at(tumour(250.0), 1)
    trend.follow(moment(shown), info, Phase.UNSET, 100.0)
    trend.follow(moment(shown, Condition(Health.STALE, 0.6)), info, Phase.UNSET, 101.0)
    trend.follow(moment(shown, Condition(Health.FROZEN, 1.0)), info, Phase.UNSET, 102.0)
    assert [mark.event for mark in trend._marks] == [Event.SCANNER]


def test_areas_of_another_scale_or_model_are_not_drawn_beside_new_ones() -> None:
    ring, trend = Ring(), Trend()
    for index in range(10):
        ring.add(at(tumour(250.0), index, 100.0 + 0.1 * index))
    trend.void(100.45)
    assert len(trend.of_stream(ring.held(), 101.0, None, None).at) == 5


def by_scale(outcome: Outcome, mm: float) -> Outcome:
    return replace(outcome, frame=replace(outcome.frame, spacing=PixelSpacing(mm, mm, Provenance.MATRIX)))


def test_no_line_joins_areas_by_two_scales_that_the_pictures_state_themselves() -> None:
    """A sender's matrix follows the scanner's depth, and a record keeps the own scale of each frame."""
    ring = Ring()
    answers = [
        by_scale(at(tumour(250.0), index, 100.0 + 0.04 * index), 0.2 if index < 6 else 0.3) for index in range(10)
    ]
    for answer in answers:
        ring.add(answer)
    stream = Trend().of_stream(ring.held(), 101.0, None, 200.0)
    assert [len(piece) for piece in pieces(stream)] == [6, 4]
    with Playback(Long(10)) as playback:
        recording = followed(*answers[::-1]).of_recording(playback, None, 200.0)
    assert pieces(recording) == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]


def test_a_scale_that_is_only_rounded_otherwise_breaks_no_line() -> None:
    """A tracked probe turns, and its matrix of single precision gives a scale that differs in the seventh digit."""
    ring = Ring()
    for index in range(10):
        turned = np.float32(0.2) * np.hypot(*np.float32([np.cos(0.1 * index), np.sin(0.1 * index)]))
        ring.add(by_scale(at(tumour(250.0), index, 100.0 + 0.04 * index), float(turned) + 1e-8 * index))
    assert [len(piece) for piece in pieces(Trend().of_stream(ring.held(), 101.0, None, 200.0))] == [10]


def test_an_answer_that_was_under_way_when_the_scale_changed_is_not_drawn_either() -> None:
    """Only the frame that is shown is analysed again; what was begun before would stand beside it by the old scale."""
    trend = Trend()
    trend.void(10.0)
    for index, captured_at in ((4, 9.9), (5, 10.1)):
        trend.follow(moment(at(tumour(250.0), index, captured_at)), PhantomSource(count=2).info, Phase.UNSET, 10.2)
    with Playback(PhantomSource(count=100)) as playback:
        assert pieces(trend.of_recording(playback, None, 200.0)) == [[5]]


def test_an_hours_recording_is_thinned_and_its_peak_and_gap_survive() -> None:
    count = 50_000
    trend = followed(at(tumour(900.0), count - 1))
    trend._answered[:count] = True
    trend._areas[: count - 1] = 300.0
    trend._areas[20_000:20_900] = np.nan
    trend._areas[7_777] = 2000.0
    with Playback(Long(count)) as playback:
        state = trend.of_recording(playback, None, 200.0)
    assert len(state.at) <= 3 * (COLUMNS + 1)
    assert np.nanmax(state.areas) == 2000.0
    inside = (state.at > 20_100) & (state.at < 20_800)
    assert inside.any()
    assert np.isnan(state.areas[inside]).all()
    assert state.top_mm2 == 2500.0
