"""The vocabulary of the readout: tones, shapes, lines, cards. `states` decides which state says what."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from inference.contract import ModelContract
from inference.outcome import SizeState
from inference.readout.marks import Shape, Tone
from inference.view_notes import Phase

HOLD_S = 0.5
_SEVERITY = (SizeState.AT_MOST_35, SizeState.AT_MOST_200, SizeState.ABOVE_200)


class Offer(StrEnum):
    """An action that a card offers as a button."""

    CALIBRATE = "Calibrate"
    WITHOUT_SCALE = "Analyse without scale"
    OPEN = "Open…"
    GIVE_UP = "Give up (Esc)"
    MODEL = "Model…"
    DEMONSTRATION = "Use it anyway"
    OVERRULE = "Analyse anyway"
    HEED = "Heed the alarm again"


@dataclass(frozen=True, slots=True)
class Card:
    """The state's box: mark, title, sentences, buttons."""

    tone: Tone
    shape: Shape
    title: str
    body: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadoutState:
    """Everything that the readout says at one moment.

    Attributes:
        number: the area or a dash; empty if `headline` stands in its place.
        unit: mm², px, or empty.
        headline: words shown instead of a number.
        detail: diameters, depth, regions.
        card: the state's box.
        contour: whether the outcome's contour may be drawn.
        cavity: outlines of the resection cavity to draw, each (n, 2) of (x, y) in pixels; beside the contour, or alone.
        dimmed: whether the picture can no longer be trusted, or is not the one that is wanted.
        banner: words across the picture, or empty.
    """

    number: str
    unit: str
    headline: str
    detail: str
    card: Card
    contour: bool = False
    cavity: tuple[NDArray[np.float32], ...] = field(default=(), compare=False)
    dimmed: bool = False
    banner: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known besides the outcome: the model's contract, the phase, the warnings that are held."""

    contract: ModelContract | None
    phase: Phase
    held: SizeState | None = None
    failing: bool = False


class HeldWarning:
    """Holds the gravest size state of the last half second, and whether a contour in it was likely to fail."""

    def __init__(self) -> None:
        self._last_true: dict[SizeState, float] = {}
        self._failed_at = float("-inf")

    def update(self, state: SizeState | None, now: float) -> SizeState | None:
        """Take the newest frame's state at time `now` (monotonic seconds), and return the one to show."""
        if state is not None:
            self._last_true[state] = now
        held = [s for s in _SEVERITY if s in self._last_true and now - self._last_true[s] < HOLD_S]
        return held[0] if held else state

    def failing(self, likely_to_fail: bool, now: float) -> bool:
        """Take whether the newest contour is likely to fail at time `now`, and return whether to warn."""
        if likely_to_fail:
            self._failed_at = now
        return now - self._failed_at < HOLD_S

    def reset(self) -> None:
        """Forget everything, after a change of source or a jump within it."""
        self._last_true.clear()
        self._failed_at = float("-inf")
