"""How often a live source gives a picture, learnt from the pictures themselves."""

from collections import deque
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

    def note(self, at: float) -> float:
        """Note a picture that came at `at`, `time.monotonic()` seconds.

        Returns:
            Seconds since the picture before; 0 for the first.
        """
        gap = 0.0 if self._last is None else at - self._last
        if self._last is not None:
            self._intervals.append(gap)
        self._last = at
        return gap
