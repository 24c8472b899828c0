"""Tones, shapes, inks and lines by which the screen tells states apart."""

from enum import StrEnum


class Tone(StrEnum):
    """The colour family of a state; the theme knows the colours."""

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
    """The colour of words, by name; the theme knows the colours."""

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
    """Amber: at most the contract's limit."""
    DOTTED = "dotted"
    """Grey: its scale is unknown."""
