"""Is the picture fresh? Staleness of the source and age of the analysis are two things, judged by one pure function."""

from dataclasses import dataclass, replace
from enum import StrEnum

from inference.sources.base import LOST_AFTER_S

STALE_AFTER_S = LOST_AFTER_S
"""A source that should be delivering and has not for this long is stale."""
OLD_AFTER_S = 2.0
"""An analysis older than this loses its contour and number."""
SLOW_MS = 100.0
"""A model that takes longer for one frame gets two panes: the live picture at full rate, and the last analysed one."""


class Health(StrEnum):
    """What the source and the model are doing."""

    EMPTY = "empty"
    OPENING = "opening"
    REFUSED = "refused"
    LOADING = "loading"
    MODEL_REFUSED = "model_refused"
    RUNNING = "running"
    PAUSED = "paused"
    CALIBRATING = "calibrating"
    """The picture shows the scanner's own text and ruler, to be clicked on."""
    VIEW_FROZEN = "view_frozen"
    """By the user: the stream goes on behind it."""
    FROZEN = "frozen"
    """By the scanner."""
    STALE = "stale"
    LOST = "lost"
    OLD = "old"
    BROKEN = "broken"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Condition:
    """Health of source and model at one moment.

    Attributes:
        health: which of the states.
        seconds: how long it has been frozen, stale, lost or old; how old the picture of a frozen view is.
        sentence: the reason, for what was refused or broke.
        failures_in_a_row: analyses that failed one after the other.
        frozen_s: how long the scanner has stood still under an analysis that is too old; None where it does not.
    """

    health: Health
    seconds: float = 0.0
    sentence: str = ""
    failures_in_a_row: int = 0
    frozen_s: float | None = None

    @property
    def flowing(self) -> bool:
        """Whether the outcome on the screen may speak for itself."""
        return self.health in (Health.RUNNING, Health.PAUSED, Health.VIEW_FROZEN, Health.FROZEN)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old things are, seconds.

    Attributes:
        live: a device or stream, rather than a file.
        source_s: since the source's newest frame; None before the first.
        shown_s: since the frame on the screen was captured; None while there is none.
        interval_s: between two frames of a source that keeps its own time; a slow one is not stale between them.
    """

    live: bool
    source_s: float | None
    shown_s: float | None
    interval_s: float = 0.0


def judge(freshness: Freshness, failures_in_a_row: int = 0) -> Condition:
    """The health of a source that should be delivering."""
    patience = max(STALE_AFTER_S, 3 * freshness.interval_s)
    if freshness.source_s is not None and freshness.source_s > patience:
        health = Health.LOST if freshness.live else Health.STALE
        return Condition(health, freshness.source_s, failures_in_a_row=failures_in_a_row)
    limit = max(OLD_AFTER_S, 3 * freshness.interval_s)
    if freshness.shown_s is not None and freshness.shown_s > limit:
        return Condition(Health.OLD, freshness.shown_s, failures_in_a_row=failures_in_a_row)
    return Condition(Health.RUNNING, failures_in_a_row=failures_in_a_row)


def standing_still(judged: Condition, seconds: float, sentence: str) -> Condition:
    """The health of a source whose scanner has been frozen for so many seconds; its loss or its staleness is graver."""
    if judged.health is Health.RUNNING:
        return Condition(Health.FROZEN, seconds, sentence, judged.failures_in_a_row)
    return replace(judged, frozen_s=seconds) if judged.health is Health.OLD else judged
