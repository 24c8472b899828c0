"""What each of two panes says: which one is live, and how old the other one is. Pure functions."""

from dataclasses import replace

from inference.frame import Frame
from inference.live.health import Condition, Health
from inference.outcome import NothingFound, Outcome, Tumour
from inference.readout.annotations import Annotations
from inference.readout.formatting import frozen_words, mode_words
from inference.readout.marks import Ink
from inference.source_info import SourceInfo
from inference.view_notes import Marker

NOT_YET = "No frame analysed yet"


def analysed_annotations(
    annotations: Annotations, outcome: Outcome, condition: Condition, live: Frame | None, now: float
) -> Annotations:
    """The marks of the analysed pane: its age across the top; ruler and marker are on the live pane.

    Args:
        annotations: the marks of the picture when it is shown alone.
        outcome: what the pane shows.
        condition: health of source and model.
        live: what the live pane shows.
        now: `time.monotonic()` seconds.
    """
    words, ink = _age_words(outcome, condition, live, now)
    bare = replace(annotations, marker=Marker.NONE, row_mm=None, points=(), framed=False)
    return replace(bare, caption=words, caption_ink=ink)


def live_annotations(
    annotations: Annotations, info: SourceInfo | None, condition: Condition, *, standing: bool = False
) -> Annotations:
    """The marks of the live pane: none that describe a contour; the source's own condition is the heading.

    Args:
        annotations: the marks of the picture when it is shown alone.
        info: of the source.
        condition: of the source.
        standing: whether one picture stands there while something is marked on it.
    """
    words, ink, _ = mode_words(info, condition, standing=standing)
    return replace(annotations, banner="", framed=False, heading=words, heading_ink=ink)


def _age_words(outcome: Outcome, condition: Condition, live: Frame | None, now: float) -> tuple[str, Ink]:
    """Age of the analysed picture; none if the live pane shows the same picture."""
    if condition.health is Health.VIEW_FROZEN:
        return frozen_words(condition), Ink.BLUE
    done = "ANALYSED" if isinstance(outcome, Tumour | NothingFound) else "NOT ANALYSED"
    if outcome.frame is live:
        return f"{done}: THE SAME PICTURE", Ink.GREY
    ink = Ink.AMBER if condition.health is Health.OLD or done == "NOT ANALYSED" else Ink.GREY
    return f"{done} {now - outcome.frame.captured_at:.1f} s AGO", ink
