"""What guards find in a frame, and which findings forbid to analyse it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


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
