"""Is the picture fresh? A stale source and an old analysis are two different things; one pure function judges both."""

from dataclasses import dataclass, replace
from enum import StrEnum

from inference.sources.base import LOST_AFTER_S

STALE_AFTER_S = LOST_AFTER_S
"""A source is stale if it should be delivering frames and has not for this long."""
OLD_AFTER_S = 2.0
"""The screen drops contour and number of an analysis older than this."""
OPENING_AFTER_S = 1.0
"""After this long the screen says what is being opened, and takes the picture of before for a former one."""
SLOW_MS = 100.0
"""A model that takes longer for one frame gets two panes: the live picture at full rate, and the last analysed one."""


class Health(StrEnum):
    """The state of source and model."""

    EMPTY = "empty"
    OPENING = "opening"
    REFUSED = "refused"
    LOADING = "loading"
    MODEL_REFUSED = "model_refused"
    RUNNING = "running"
    PAUSED = "paused"
    CALIBRATING = "calibrating"
    """The picture shows the scanner's own text and ruler, for the user to click on."""
    VIEW_FROZEN = "view_frozen"
    """Frozen by the user: the stream goes on in the background."""
    FROZEN = "frozen"
    """Frozen by the scanner."""
    STALE = "stale"
    LOST = "lost"
    OLD = "old"
    BROKEN = "broken"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Condition:
    """Health of source and model at one moment.

    Attributes:
        health: the state.
        seconds: how long it has been frozen, stale, lost, old or waited for; for a frozen view, the age of its picture.
        sentence: why something was refused or broke; what is being opened.
        failures_in_a_row: number of analyses that failed one after the other.
        frozen_s: how long the scanner has been frozen while the analysis is too old; None otherwise.
        replayed: whether a view that the user froze plays its last half minute.
        waiting: whether no answer stands: none has come since the source was opened, or since a sleep.
    """

    health: Health
    seconds: float = 0.0
    sentence: str = ""
    failures_in_a_row: int = 0
    frozen_s: float | None = None
    replayed: bool = False
    waiting: bool = False

    @property
    def flowing(self) -> bool:
        """Whether the outcome on the screen may be shown as it is."""
        return self.health in (Health.RUNNING, Health.PAUSED, Health.VIEW_FROZEN, Health.FROZEN)


@dataclass(frozen=True, slots=True)
class Freshness:
    """Ages of source and analysis, seconds.

    Attributes:
        live: True for a device or stream, False for a file.
        source_s: time since the source's newest frame; None before the first.
        shown_s: time since the frame on the screen was captured; None while there is none.
        patience_s: how long this source may take for its next frame, so that a slow one is not called lost or stale.
    """

    live: bool
    source_s: float | None
    shown_s: float | None
    patience_s: float = 0.0


def judge(freshness: Freshness, failures_in_a_row: int = 0) -> Condition:
    """The health of a source that should be delivering."""
    patience = max(STALE_AFTER_S, freshness.patience_s)
    if freshness.source_s is not None and freshness.source_s > patience:
        health = Health.LOST if freshness.live else Health.STALE
        return Condition(health, freshness.source_s, failures_in_a_row=failures_in_a_row)
    limit = max(OLD_AFTER_S, freshness.patience_s)
    if freshness.shown_s is not None and freshness.shown_s > limit:
        return Condition(Health.OLD, freshness.shown_s, failures_in_a_row=failures_in_a_row)
    waiting = freshness.shown_s is None
    return Condition(Health.RUNNING, failures_in_a_row=failures_in_a_row, waiting=waiting)


def standing_still(judged: Condition, seconds: float, sentence: str) -> Condition:
    """The health of a source whose scanner has been frozen for `seconds`; a lost or stale source is worse and stays."""
    if judged.health is Health.RUNNING:
        return replace(judged, health=Health.FROZEN, seconds=seconds, sentence=sentence)
    return replace(judged, frozen_s=seconds) if judged.health is Health.OLD else judged
