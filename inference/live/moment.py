"""One moment of a session, as whoever shows it takes it: the window, or `ius-segment live`."""

from dataclasses import dataclass

from inference.frame import Frame
from inference.live.health import Condition
from inference.outcome import Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """Everything to show at one moment.

    Attributes:
        source_changed: a source was opened or refused since the last tick.
        model_changed: a model was loaded or refused since the last tick.
        interruption: one sentence if the computer slept or this program was stopped, after which nothing from before
            is shown; empty otherwise.
        picture: the source's newest frame, analysed or not; None if none came since the last tick.
        answer: the source's own newest answer; None if none came since the last tick.
        shown: the outcome to have on the screen; None before the first.
        new: whether `shown` is new with this tick.
        live: health of source and model, judged by the source's own newest answer.
        condition: health of the outcome shown, which may be in a view that the user froze.
        mode: the mode in which a still frame was analysed, in words; empty otherwise.
    """

    source_changed: bool
    model_changed: bool
    interruption: str
    picture: Frame | None
    answer: Outcome | None
    shown: Outcome | None
    new: bool
    live: Condition
    condition: Condition
    mode: str
