"""The area in the plane shown over time: one point an answer, marks of events, and the place of the frame shown.

Along the axis a stream counts in `time.monotonic()` seconds, a recording in frames. Both are labelled with what the
user reads: seconds, or slices, which have no time between them.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.frame import View
from inference.live.health import STALE_AFTER_S, Health
from inference.live.moment import Moment
from inference.live.review import HELD_S
from inference.outcome import Outcome, Tumour
from inference.readout.formatting import time_words
from inference.source_info import SourceInfo
from inference.view_notes import Phase

if TYPE_CHECKING:
    from inference.live.playback import Playback
    from inference.live.ring import Held

MOST_TICKS = 6
MOST_STEPS = 1000
"""Steps of a time axis that are looked at: those of an interruption are on none of its places."""
MOST_MARKS = 200
COLUMNS = 800
"""A longer recording is thinned to its lowest and highest area in so many columns: peaks survive."""
TOPS = (100, 250, 500, 750, 1000, 1500, 2500, 4000, 6000, 10_000, 15_000, 25_000)
"""Possible tops of the area axis, mm²."""
STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400)
"""Possible distances between two ticks of a time axis, seconds."""
SAME_SCALE = 1e-3
"""Share by which the area of a pixel may differ within one scale: a tracked probe's matrix is rounded as it turns."""
LONG_S = 120
"""A recording longer than this is labelled in minutes and seconds."""


class Event(StrEnum):
    """What is marked on the trend; the value is the word beside the mark."""

    FROZEN = "frozen"
    SCANNER = "scanner frozen"
    LOST = "signal lost"
    PHASE = "phase"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class TrendMark:
    """An event.

    Attributes:
        at: its place along the axis.
        event: what happened.
        words: what stands beside the mark where there is room.
    """

    at: float
    event: Event
    words: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place along the axis."""

    at: float
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class TrendState:
    """Everything that the trend draws.

    Attributes:
        at: place of each point along the axis, ascending.
        areas: its area, mm²; nan where a line must not pass: an answer without an area, no answer for a while, or
            another scale.
        first: left end of the axis.
        last: right end of the axis.
        ticks: labelled places along the axis.
        by: what the axis counts, if not time; else empty.
        marks: events inside the axis, in order.
        cursor: place of the frame shown; None if it is not on the axis.
        limit_mm2: the area at or below which the contract calls a contour unreliable; None without a model.
        movable: whether a click goes there.
    """

    at: NDArray[np.float64]
    areas: NDArray[np.float64]
    first: float
    last: float
    ticks: tuple[Tick, ...]
    by: str
    marks: tuple[TrendMark, ...]
    cursor: float | None
    limit_mm2: float | None
    movable: bool

    @property
    def top_mm2(self) -> float:
        """Top of the area axis: the smallest step that holds every point and twice the limit."""
        known = self.areas[~np.isnan(self.areas)]
        highest = max(float(known.max()) if len(known) else 0.0, 2 * (self.limit_mm2 or 0.0))
        return next((float(top) for top in TOPS if top >= highest), float(math.ceil(highest)))


@dataclass(slots=True, eq=False)
class Trend:
    """Collects answers of a recording and events of any source, until another source is opened.

    The points of a stream are those of its last half minute, which the session holds already.
    """

    _areas: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Area of each frame of a recording; nan where there is none."""
    _pixels_mm2: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Area of a pixel of each of them, which tells scales apart; nan where its scale is unknown."""
    _times_s: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Place of each of them on the recording's own clock; nan where it has none."""
    _answered: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    _marks: deque[TrendMark] = field(default_factory=lambda: deque(maxlen=MOST_MARKS))
    _since: float = -math.inf
    _phase: Phase | None = None
    _before: tuple[Health, Health] = (Health.EMPTY, Health.EMPTY)

    def clear(self) -> None:
        """Forget everything, for another source."""
        self.void(-math.inf)
        self._marks.clear()
        self._phase, self._before = None, (Health.EMPTY, Health.EMPTY)

    def void(self, now: float) -> None:
        """Forget the areas, after a change of scale or model; what happened stays.

        Args:
            now: `time.monotonic()` seconds: areas of pictures from before are not shown, though answered later.
        """
        self._areas, self._pixels_mm2, self._times_s = np.empty(0), np.empty(0), np.empty(0)
        self._answered, self._since = np.empty(0, bool), now

    def follow(self, moment: Moment, info: SourceInfo | None, phase: Phase, now: float) -> None:
        """Note what is new in this moment."""
        if info is None:
            return
        live, shown = info.origin.live, moment.shown
        if moment.answer is not None and not live and moment.answer.frame.captured_at >= self._since:
            self._take(moment.answer)
        at = now if live or shown is None else float(shown.frame.index)
        if self._phase is not None and phase is not self._phase:
            self._mark(at, Event.PHASE, phase.words)
        self._phase = phase
        view, source = moment.condition.health, moment.live.health
        view_before, source_before = self._before
        self._before = view, source
        if view is Health.VIEW_FROZEN and view is not view_before and shown is not None:
            self._mark(shown.frame.captured_at, Event.FROZEN)
        event = _OF_SOURCE.get(source) if source is not source_before else None
        if event is Event.LOST and not live:
            return  # a file has no signal: a busy computer reads it late
        if event is not None:
            self._mark(at - moment.live.seconds if live else at, event)

    def mark_wrong(self, outcome: Outcome) -> None:
        """Note that the user marked this contour as wrong."""
        frame = outcome.frame
        self._mark(frame.captured_at if frame.origin.live else float(frame.index), Event.WRONG)

    def recall_wrong(self, numbers: Iterable[int]) -> None:
        """Take over the frames of the open record whose contour was marked as wrong."""
        for number in sorted(numbers):
            self._mark(float(number), Event.WRONG)

    def of_stream(self, held: "Held | None", now: float, shown: Outcome | None, limit: float | None) -> TrendState:
        """The trend of a running stream: its last half minute up to now."""
        return self._state(
            *self._points(held),
            (now - HELD_S, now),
            _ticks_before(now, "now"),
            cursor=None if shown is None else shown.frame.captured_at,
            limit=limit,
            movable=False,
        )

    def of_frozen(self, held: "Held", shown: Outcome | None, limit: float | None) -> TrendState:
        """The trend of a frozen view: the half minute that it holds; it stands."""
        last = held.captured_at(len(held) - 1)
        return self._state(
            *self._points(held),
            (last - HELD_S, last),
            _ticks_before(last, "0 s"),
            cursor=None if shown is None else shown.frame.captured_at,
            limit=limit,
            movable=True,
        )

    def of_recording(self, playback: "Playback", shown: Outcome | None, limit: float | None) -> TrendState:
        """The trend of a whole recording, as far as it has been analysed."""
        info, count = playback.info, len(playback)
        self._make_room(count)
        at = np.flatnonzero(self._answered).astype(np.float64)
        areas, pixels_mm2 = self._areas[self._answered], self._pixels_mm2[self._answered]
        times_s = self._times_s[self._answered]
        gap = 1.0 if info.fps is None else max(1.0, STALE_AFTER_S * info.fps)
        clockless = "by slice" if info.origin.view is View.SLICE else "by picture"
        return self._state(
            *_parted(at, areas, pixels_mm2, times_s),
            gap,
            (0.0, float(max(1, count - 1))),
            _ticks_of_places(count) if info.fps is None else _ticks_of_seconds(count, info.fps, at, times_s),
            by=clockless if info.fps is None else "",
            cursor=None if shown is None else float(shown.frame.index),
            limit=limit,
            movable=count > 1,
        )

    def _state(
        self,
        at: NDArray[np.float64],
        areas: NDArray[np.float64],
        pixels_mm2: NDArray[np.float64],
        gap: float,
        ends: tuple[float, float],
        ticks: tuple[Tick, ...],
        *,
        cursor: float | None,
        limit: float | None,
        movable: bool,
        by: str = "",
    ) -> TrendState:
        first, last = ends
        at, areas = _thinned(*_broken(at, areas, pixels_mm2, gap), ends)
        marks = tuple(sorted((m for m in self._marks if first <= m.at <= last), key=lambda mark: mark.at))
        inside = cursor if cursor is not None and first <= cursor <= last else None
        return TrendState(at, areas, first, last, ticks, by, marks, inside, limit, movable)

    def _points(
        self, held: "Held | None"
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
        """Times, areas and scales of the held answers, and the time without an answer that breaks the line."""
        if held is None:
            return np.empty(0), np.empty(0), np.empty(0), STALE_AFTER_S
        at = held.times
        new = at >= self._since
        at, areas, pixels_mm2 = at[new], held.areas_mm2[new], held.pixels_mm2[new]
        usual = float(np.median(np.diff(at))) if len(at) > 1 else 0.0
        return at, areas, pixels_mm2, max(STALE_AFTER_S, 3 * usual)

    def _take(self, answer: Outcome) -> None:
        index = answer.frame.index
        self._make_room(index + 1)
        area = answer.area_mm2 if isinstance(answer, Tumour) else None
        self._areas[index] = math.nan if area is None else area
        scale = answer.frame.spacing
        self._pixels_mm2[index] = math.nan if scale is None else scale.pixel_mm2
        self._times_s[index] = math.nan if answer.frame.time_s is None else answer.frame.time_s
        self._answered[index] = True

    def _make_room(self, count: int) -> None:
        missing = count - len(self._areas)
        if missing > 0:
            missing = max(missing, len(self._areas))
            self._areas = np.concatenate([self._areas, np.full(missing, math.nan)])
            self._pixels_mm2 = np.concatenate([self._pixels_mm2, np.full(missing, math.nan)])
            self._times_s = np.concatenate([self._times_s, np.full(missing, math.nan)])
            self._answered = np.concatenate([self._answered, np.zeros(missing, bool)])

    def _mark(self, at: float, event: Event, words: str = "") -> None:
        self._marks.append(TrendMark(at, event, words or event.value))


_OF_SOURCE = {
    Health.FROZEN: Event.SCANNER,
    Health.LOST: Event.LOST,
    Health.STALE: Event.LOST,
    Health.BROKEN: Event.LOST,
}


def _parted(
    at: NDArray[np.float64], areas: NDArray[np.float64], pixels_mm2: NDArray[np.float64], times_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Put a nan between two frames that follow each other after a pause in which nobody knows the area."""
    apart = np.nan_to_num(np.diff(times_s))
    usual = float(np.median(apart)) if len(apart) else 0.0
    pauses = np.flatnonzero(apart > max(STALE_AFTER_S, 3 * usual)) + 1
    return (
        np.insert(at, pauses, at[pauses]),
        np.insert(areas, pauses, math.nan),
        np.insert(pixels_mm2, pauses, math.nan),
    )


def _broken(
    at: NDArray[np.float64], areas: NDArray[np.float64], pixels_mm2: NDArray[np.float64], gap: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put a nan between two points that are further apart than `gap`, or by two scales."""
    rescaled = np.abs(np.diff(pixels_mm2)) > SAME_SCALE * pixels_mm2[1:]
    breaks = np.flatnonzero((np.diff(at) > gap) | rescaled) + 1
    return np.insert(at, breaks, at[breaks]), np.insert(areas, breaks, math.nan)


def _thinned(
    at: NDArray[np.float64], areas: NDArray[np.float64], ends: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest, highest and gap of each column, where there are more points than columns."""
    if len(at) <= 3 * COLUMNS:
        return at, areas
    column = np.floor((at - ends[0]) / (ends[1] - ends[0]) * COLUMNS)
    starts = np.flatnonzero(np.diff(column, prepend=-1.0))
    low, high = np.fmin.reduceat(areas, starts), np.fmax.reduceat(areas, starts)
    gap = np.where(np.logical_or.reduceat(np.isnan(areas), starts), math.nan, high)
    return np.repeat(at[starts], 3), np.column_stack([low, high, gap]).ravel()


def _ticks_before(last: float, newest: str) -> tuple[Tick, ...]:
    """Every ten seconds of the last half minute."""
    before = (Tick(last - back, f"\u2212{back} s") for back in range(int(HELD_S), 0, -10))
    return (*before, Tick(last, newest))


def _ticks_of_seconds(
    count: int, fps: float, at: NDArray[np.float64], times_s: NDArray[np.float64]
) -> tuple[Tick, ...]:
    """Ticks at whole steps of the recording's own clock.

    Its pictures need not be equally far apart: a tick stands where the times `times_s` of the frames `at` say, and by
    the mean rate only where none has been analysed. Of those that an interruption brings together, the first stays.
    """
    known, last = np.isfinite(times_s), float(count - 1)
    at, times_s, seconds = at[known], times_s[known], last / fps
    played = last * float(np.median(np.diff(times_s) / np.diff(at))) if len(at) > 1 else seconds
    fitting = (step for step in STEPS_S if played / step <= MOST_TICKS and seconds / step <= MOST_STEPS)
    step = next(fitting, STEPS_S[-1])
    clock = np.maximum.accumulate(np.concatenate([[0.0], times_s, [seconds]]))
    steps = [number * step for number in range(int(seconds / step) + 1)]
    ticks: list[Tick] = []
    for time_s, place in zip(steps, np.interp(steps, clock, np.concatenate([[0.0], at, [last]])), strict=True):
        if not ticks or place - ticks[-1].at >= last / (MOST_TICKS + 1):
            ticks.append(Tick(float(place), time_words(time_s) if seconds > LONG_S else f"{time_s:g} s"))
    return tuple(ticks)


def _ticks_of_places(count: int) -> tuple[Tick, ...]:
    """Ticks at round numbers of slices, counted from 1 as everywhere on the screen."""
    powers = (factor * 10**power for power in range(9) for factor in (1, 2, 5))
    step = next(step for step in powers if count / step <= MOST_TICKS)
    numbers = sorted({1, *range(step, count + 1, step)})
    return tuple(Tick(number - 1.0, str(number)) for number in numbers if number == 1 or number - 1 > step / 2)
