"""The guard interface: a guard checks every frame before the network does, and may forbid analysing it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from inference.alarms import Alarm, Finding

if TYPE_CHECKING:
    from inference.guards.thumbnail import Thumbnail  # loads OpenCV: only once a source is opened


HOLD_S = 0.3
"""How long an alarm of a live signal outlasts its cause."""


class Guard(Protocol):
    """Checks frames one after another, from one thread."""

    def look(self, thumbnail: "Thumbnail") -> Finding | None:
        """The verdict on this frame. All guards together take at most 3 ms for 640x480 pixels."""
        ...


class Sight:
    """A guard that fires on the first frame in which it sees its sign of trouble.

    On a live signal the alarm lasts `HOLD_S` beyond the last such frame, so that it does not flicker; good frames in
    between are not analysed. A recording may be stepped through, so each of its frames is judged by itself.

    Args:
        alarm: the alarm to raise.
        sees: whether a frame shows the sign; or the sentence that names it, empty for a good frame.
    """

    def __init__(self, alarm: Alarm, sees: "Callable[[Thumbnail], bool | str]") -> None:
        self._alarm, self._sees = alarm, sees
        self._found: Finding | None = None
        self._last = 0.0

    def look(self, thumbnail: "Thumbnail") -> Finding | None:
        """The verdict on this frame."""
        frame, seen = thumbnail.frame, self._sees(thumbnail)
        if seen:
            sentence = seen if isinstance(seen, str) else self._alarm.sentence
            since = frame.captured_at if self._found is None else self._found.since
            self._found, self._last = Finding(self._alarm, since, sentence), frame.captured_at
        elif not (frame.origin.live and frame.captured_at - self._last < HOLD_S):
            self._found = None
        return self._found
