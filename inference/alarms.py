"""The alarms that guards raise on a frame, and which of them forbid its analysis."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Alarm(StrEnum):
    """A fault of the signal: its name in records and tables, and its words on the screen.

    Attributes:
        headline: shown in place of the number on the screen.
        sentence: what is wrong and what to do; empty if the guard writes it with this frame's own figures.
        keeps_contour: True if the frame is analysed and may keep its own contour; False if it is not analysed.
    """

    headline: str
    sentence: str
    keeps_contour: bool

    def __new__(cls, name: str, headline: str, sentence: str, keeps_contour: bool = False) -> Self:
        """Make a member whose value is its name and that carries its words."""
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
    """The picture stands still while the signal runs: it stays with its own contour, and the screen says so."""
    UNREADABLE = (
        "frame_unreadable",
        "Frame not readable",
        "This frame is damaged or cannot be read: go on to the next one.",
    )
    """No guard finds it: the frame of a file could not be read, and stands there black."""
    DAMAGED = (
        "picture_damaged",
        "Picture damaged",
        "Parts of the picture were lost on the network: wait for the next whole one. A cable loses less than a radio.",
    )
    """Packets of this picture, or of one that it is built on, never came: the decoder invented what is missing."""
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
    """The watched depth text or ruler changed: the frame loses its scale, whatever gave it. Without a scale it is
    analysed only if the user chose that."""
    UNLIKE_TRAINING = "unlike_training", "Outside the training range", "", True
    """Spacing, size or intensities that the model did not see in training: analysed, but with a warning."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The fault that one guard found in one frame.

    Attributes:
        alarm: the alarm it raises.
        since: when the cause was first seen, `time.monotonic()` seconds.
        sentence: for the screen: what is wrong and what to do, but never the picture's content.
        overruled: whether the user has said that the alarm is false on this source; it then forbids nothing.
    """

    alarm: Alarm
    since: float
    sentence: str
    overruled: bool = False


UNSEEN = frozenset({Alarm.DAMAGED, Alarm.COLOUR})
"""Alarms whose cause the grey picture does not show: whoever keeps the picture keeps them with it."""
OVERRULABLE = frozenset({Alarm.GRAPHICS})
"""Alarms that a user may call false: who looks at the picture sees whether something is written on it."""


def forbidding(found: Sequence[Finding]) -> Finding | None:
    """The first finding that forbids the analysis of its frame; None if none does."""
    return next((one for one in found if not one.alarm.keeps_contour and not one.overruled), None)


@dataclass(frozen=True, slots=True)
class Event:
    """An alarm began or ended.

    Attributes:
        alarm: the alarm.
        begins: True if it began, False if it ended.
        at: `time.monotonic()` seconds of the first frame with the alarm, or of the first one without it.
        sentence: the sentence shown on the screen; it names no patient and no source.
    """

    alarm: Alarm
    begins: bool
    at: float
    sentence: str
