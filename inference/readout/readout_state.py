"""The vocabulary of the readout: tones, shapes, lines, cards. Which state says what is decided in `states`."""

from dataclasses import dataclass
from enum import StrEnum

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
    MODEL = "Model…"
    DEMONSTRATION = "Use it anyway"


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


class HeldWarning:
    """Remembers when each size state was last true and answers the gravest of the last half second."""

    def __init__(self) -> None:
        self._last_true: dict[SizeState, float] = {}

    def update(self, state: SizeState | None, now: float) -> SizeState | None:
        """Take the newest frame's state at time `now` (monotonic seconds), and answer the one to show."""
        if state is not None:
            self._last_true[state] = now
        held = [s for s in _SEVERITY if s in self._last_true and now - self._last_true[s] < HOLD_S]
        return held[0] if held else state

    def reset(self) -> None:
        """Forget everything: another source, or another place in it."""
        self._last_true.clear()
