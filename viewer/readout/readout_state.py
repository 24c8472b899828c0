"""The vocabulary of the readout: tones, shapes, lines, cards. Which state says what is decided in `states`."""

from dataclasses import dataclass
from enum import StrEnum

from inference.contract import ModelContract
from inference.outcome import SizeState
from viewer.phase import Phase


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


class Line(StrEnum):
    """How one region's contour is drawn."""

    SOLID = "solid"
    """Cyan."""
    DASHED = "dashed"
    """Amber: at most the contract's limit."""
    DOTTED = "dotted"
    """Grey: its scale is unknown."""


class Offer(StrEnum):
    """An action that a card offers as a button."""

    CALIBRATE = "Calibrate"
    WITHOUT_SCALE = "Analyse without scale"
    OPEN = "Open…"
    MODEL = "Model…"
    DEMONSTRATION = "Use it all the same"


@dataclass(frozen=True, slots=True)
class Card:
    """The state's box: mark, title, sentences, buttons."""

    tone: Tone
    shape: Shape
    title: str
    body: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Face:
    """All that the readout says of one moment.

    Attributes:
        number: the area, or a dash, or empty where `headline` stands in its place.
        unit: mm², px, or empty.
        headline: words instead of a number.
        detail: diameters, depth, regions.
        card: the state.
        contour: whether the outcome's contour may be drawn.
        dimmed: whether the picture is no longer to be believed.
        banner: words across the picture, or empty.
    """

    number: str
    unit: str
    headline: str
    detail: str
    card: Card
    contour: bool = False
    dimmed: bool = False
    banner: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside the outcome: the model's contract, the phase, the warning that is held."""

    contract: ModelContract | None
    phase: Phase
    held: SizeState | None = None
