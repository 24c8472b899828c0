"""What a guard is: it looks at every frame before the network does, and may forbid to believe it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from inference.guards.thumbnail import Sketch  # OpenCV: not before a source is opened


class Alarm(StrEnum):
    """What is wrong with the signal."""

    FROZEN = "scanner_frozen"
    """The picture stands still while the signal runs: it and its own contour stay, and say so."""
    BLACK = "black_picture"
    LIFTED = "probe_lifted"
    PANES = "two_panes"
    GRAPHICS = "graphics_in_sector"
    COLOUR = "colour_in_sector"
    DEPTH = "depth_changed"
    """The watched depth read-out or ruler changed: the frame has no scale, whoever gave it."""
    UNLIKE_TRAINING = "unlike_training"
    """Analysed, and said so: spacing, size or intensities that the model did not see in training."""


HOLD_S = 0.3
"""How long an alarm of a live signal outlasts its cause."""
KEEPS_CONTOUR = frozenset({Alarm.FROZEN, Alarm.UNLIKE_TRAINING, Alarm.DEPTH})
"""Alarms under which a frame's own contour may stand; under any other the frame is not analysed.

A frame of changed depth has no scale: it is not analysed unless the user chose to do that without one.
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One guard's verdict on one frame.

    Attributes:
        alarm: which.
        since: `time.monotonic()` seconds at which the cause was first seen.
        sentence: for the screen: what is wrong and what to do. Never what is in the picture.
    """

    alarm: Alarm
    since: float
    sentence: str


def forbidding(found: Sequence[Finding]) -> Finding | None:
    """The first finding that forbids to analyse its frame, None where none does."""
    return next((finding for finding in found if finding.alarm not in KEEPS_CONTOUR), None)


@dataclass(frozen=True, slots=True)
class Event:
    """An alarm began or ended.

    Attributes:
        alarm: which.
        begins: True where it began, False where it ended.
        at: `time.monotonic()` seconds: of the first frame with the alarm, or of the first one without it.
        sentence: what the screen said; no patient, no source.
    """

    alarm: Alarm
    begins: bool
    at: float
    sentence: str


class Guard(Protocol):
    """Looks at frames one after another, from one thread."""

    def look(self, sketch: "Sketch") -> Finding | None:
        """The verdict on this frame; at most 3 ms for 640x480 pixels together with all other guards."""
        ...


class Sight:
    """A guard that fires on the first frame in which something is seen.

    On a live signal it goes on for `HOLD_S` after the last such frame, so that what comes and goes does not flicker:
    good frames in between are not analysed. A recording may be stepped through: each of its frames stands for itself.

    Args:
        alarm: which.
        sees: the sentence for a frame in which it is seen, empty for any other.
    """

    def __init__(self, alarm: Alarm, sees: "Callable[[Sketch], str]") -> None:
        self._alarm, self._sees = alarm, sees
        self._found: Finding | None = None
        self._last = 0.0

    def look(self, sketch: "Sketch") -> Finding | None:
        """The verdict on this frame."""
        frame, sentence = sketch.frame, self._sees(sketch)
        if sentence:
            since = frame.captured_at if self._found is None else self._found.since
            self._found, self._last = Finding(self._alarm, since, sentence), frame.captured_at
        elif not (frame.origin.live and frame.captured_at - self._last < HOLD_S):
            self._found = None
        return self._found
