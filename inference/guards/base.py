"""What a guard is: it looks at every frame before the network does, and may forbid to believe it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from inference.alarms import Alarm, Finding

if TYPE_CHECKING:
    from inference.guards.thumbnail import Thumbnail  # OpenCV: not before a source is opened


HOLD_S = 0.3
"""How long an alarm of a live signal outlasts its cause."""


class Guard(Protocol):
    """Looks at frames one after another, from one thread."""

    def look(self, thumbnail: "Thumbnail") -> Finding | None:
        """The verdict on this frame; at most 3 ms for 640x480 pixels together with all other guards."""
        ...


class Sight:
    """A guard that fires on the first frame in which something is seen.

    On a live signal it goes on for `HOLD_S` after the last such frame, so that what comes and goes does not flicker:
    good frames in between are not analysed. A recording may be stepped through: each of its frames stands for itself.

    Args:
        alarm: which.
        sees: whether it is seen in a frame; or the sentence that names what is seen, empty for any other frame.
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
