"""Tones, shapes, inks and lines that tell the states on the screen apart."""

from enum import StrEnum


class Tone(StrEnum):
    """The colour family of a state; the theme defines the colours."""

    NEUTRAL = "neutral"
    NOTICE = "notice"
    WARNING = "warning"
    FAULT = "fault"


class Shape(StrEnum):
    """The mark beside the colour."""

    DOT = "●"
    TRIANGLE = "▲"
    DIAMOND = "◇"
    SQUARE = "■"


class Ink(StrEnum):
    """The colour of words, by name; the theme defines the colours."""

    MUTED = "muted"
    GREY = "grey"
    GREEN = "green"
    BLUE = "blue"
    RED = "red"
    AMBER = "amber"


class Line(StrEnum):
    """How one region's contour is drawn."""

    SOLID = "solid"
    """Cyan."""
    DASHED = "dashed"
    """Amber: area up to the contract's limit."""
    DOTTED = "dotted"
    """Grey: scale unknown."""
