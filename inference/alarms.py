"""What guards find in a frame, and which findings forbid to analyse it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Alarm(StrEnum):
    """What is wrong with the signal: the name in records and tables, and the guard's words.

    Attributes:
        headline: stands in the number's place on the screen.
        sentence: what is wrong and what to do; empty where the guard says it with this frame's own figures.
        keeps_contour: whether a frame's own contour may stand; elsewhere the frame is not analysed.
    """

    headline: str
    sentence: str
    keeps_contour: bool

    def __new__(cls, name: str, headline: str, sentence: str, keeps_contour: bool = False) -> Self:
        """A member is its name, and carries its words."""
        alarm = str.__new__(cls, name)
        alarm._value_ = name
        alarm.headline, alarm.sentence, alarm.keeps_contour = headline, sentence, keeps_contour
        return alarm

    FROZEN = (
        "scanner_frozen",
        "Scanner frozen",
        "The picture has not changed: is the scanner frozen? Contour and area are those of the frozen picture.",
        True,
    )
    """The picture stands still while the signal runs: it and its own contour stay, and say so."""
    BLACK = (
        "black_picture",
        "No picture",
        "The picture is black or even: is the probe connected, and the right input chosen on the grabber?",
    )
    LIFTED = "probe_lifted", "Probe lifted", "No tissue below the probe: is it lifted, or is air under it?"
    PANES = (
        "two_panes",
        "Two panes",
        "Two panes on the scanner's screen: show one, or crop the picture to one of them.",
    )
    GRAPHICS = (
        "graphics_in_sector",
        "Graphics in the sector",
        "Calipers, text or graphics inside the sector: take them off the picture, or crop it.",
    )
    COLOUR = (
        "colour_in_sector",
        "Colour in the sector",
        "Colour inside the sector: switch Doppler or elastography off, or crop the picture to its grey part.",
    )
    DEPTH = (
        "depth_changed",
        "Depth changed",
        "The scanner's depth text or ruler changed, so that the scale is void: calibrate again.",
        True,
    )
    """The watched depth text or ruler changed: the frame has no scale, whoever gave it. Without one it is analysed only
    where the user chose that."""
    UNLIKE_TRAINING = "unlike_training", "Outside the training range", "", True
    """Analysed, and said so: spacing, size or intensities that the model did not see in training."""


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
    return next((finding for finding in found if not finding.alarm.keeps_contour), None)


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
