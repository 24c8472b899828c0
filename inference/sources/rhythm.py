"""How often a live source gives a picture, learnt from the pictures themselves."""

from collections import deque
from enum import Enum, auto
from statistics import median

from inference.sources.base import LOST_AFTER_S

INTERVALS = 9
"""Intervals that are remembered: a stall among them changes nothing."""
ENOUGH = 4
"""Before so many, nothing is known of the rate."""
MISSED = 2
"""Intervals without a picture after which it is missing: the next one is late, and not only a little."""
LONGEST_S = 2.0
"""A picture that is older than this is never taken as live, however slow its source."""


class Gap(Enum):
    """What the time between two pictures says of the signal."""

    USUAL = auto()
    LOST = auto()
    """Pictures are missing: whatever was set for the signal may no longer hold."""
    DOUBTFUL = auto()
    """A slow source or an interruption: the next pictures will tell."""


class Rhythm:
    """The time between two pictures of a live source. One thread notes, another may ask."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._intervals: deque[float] = deque(maxlen=INTERVALS)

    @property
    def patience_s(self) -> float:
        """How long to wait for the next picture before the signal counts as lost."""
        known = tuple(self._intervals)
        usual_s = median(known) if len(known) >= ENOUGH else 0.0
        return min(max(LOST_AFTER_S, MISSED * usual_s), LONGEST_S)

    def judge(self, at: float) -> Gap:
        """Note a picture, and judge whether the signal was interrupted before it.

        At first every long interval is doubtful, until one is clearly shorter (the long one was an interruption) or
        enough are alike (the source is slow).
        """
        known, patience_s = len(self._intervals) >= ENOUGH, self.patience_s
        gap_s = self.note(at)
        if known:
            return Gap.LOST if gap_s > patience_s else Gap.USUAL
        longest_s, shortest_s = max(self._intervals, default=0.0), min(self._intervals, default=0.0)
        if longest_s <= LOST_AFTER_S:
            return Gap.USUAL
        if longest_s > min(MISSED * shortest_s, LONGEST_S):
            self._intervals.clear()  # the rhythm begins anew, so that one interruption is judged once
            return Gap.LOST
        return Gap.USUAL if len(self._intervals) >= ENOUGH else Gap.DOUBTFUL

    def note(self, at: float) -> float:
        """Note a picture that came at `at`, seconds of one clock.

        Returns:
            Seconds since the picture before; 0 for the first.
        """
        gap = 0.0 if self._last is None else at - self._last
        if self._last is not None:
            self._intervals.append(gap)
        self._last = at
        return gap
