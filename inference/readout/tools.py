"""The tools beside the picture: what each is called at this moment, and why one cannot be used. Pure functions."""

from dataclasses import dataclass

from inference.live.health import Condition, Health
from inference.outcome import NothingFound, Outcome, Tumour
from inference.readout.formatting import time_words
from inference.source_info import SourceInfo

NO_SOURCE = "Open a source first (Ctrl+O)."
NO_PICTURE = "Wait for the first picture."
ONE_PICTURE = "A single picture stands still by itself."
NOT_LIVE = "Only a live source has a last half minute: record a replay instead (R)."
NO_ANSWER = "Only a frame that the model has analysed can be corrected."
NO_CONTOUR = "There is no contour on this picture."


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    Attributes:
        action: name of the action that it runs.
        symbol: name of its icon.
        words: its label.
        note: a second, changing line, such as the time recorded; or empty.
        hint: what it does, with its key.
        refusal: why it cannot be used now, one sentence; empty if it can.
        on: whether what it began is going on.
    """

    action: str
    symbol: str
    words: str
    hint: str
    refusal: str = ""
    note: str = ""
    on: bool = False


@dataclass(frozen=True, slots=True)
class ToolInputs:
    """What decides about the tools, besides source and picture.

    Attributes:
        frames: number of frames of a recording; None for a live source.
        playing: whether the recording plays.
        recorded_s: length of the record being written, seconds; None if none is.
        measuring: whether the caliper is out.
        contour_off: whether the user hides the contour.
        correcting: whether the user corrects the contour.
    """

    frames: int | None = None
    playing: bool = False
    recorded_s: float | None = None
    measuring: bool = False
    contour_off: bool = False
    correcting: bool = False


def tools_of(
    info: SourceInfo | None, condition: Condition, outcome: Outcome | None, given: ToolInputs
) -> tuple[Tool, ...]:
    """The tools in their order, from the one used most.

    Args:
        info: of the open source; None while there is none.
        condition: health of what is shown.
        outcome: what is shown; None before the first.
        given: everything else.
    """
    nothing = NO_SOURCE if info is None else NO_PICTURE if outcome is None else ""
    live = info is not None and info.origin.live
    cavity = isinstance(outcome, NothingFound) and outcome.cavity is not None
    contour = "" if isinstance(outcome, Tumour) or cavity or given.contour_off else NO_CONTOUR
    return (
        _freeze(condition, given, nothing, live=live),
        _record(given, NO_SOURCE if info is None else ""),
        Tool("snapshot", "camera", "Snapshot", "Write what is shown, with and without contour (S)", nothing),
        Tool("keep", "keep", "Keep 30 s", "Write the last half minute (K)", nothing or ("" if live else NOT_LIVE)),
        _correct(given, outcome, nothing),
        Tool("caliper", "caliper", "Caliper", "Measure a distance on a still view (D)", nothing, on=given.measuring),
        Tool(
            "overlay",
            "contour",
            "Contour",
            "Hold to hide the contour; the key hides it for 3 s (O)",
            nothing or contour,
            "hidden" if given.contour_off else "hold: hide",
            given.contour_off,
        ),
    )


def _freeze(condition: Condition, given: ToolInputs, nothing: str, *, live: bool) -> Tool:
    if live or given.frames is None:
        if condition.health is Health.VIEW_FROZEN:
            return Tool("play", "play", "Live", "Back to the live picture (space)", on=True)
        return Tool("play", "pause", "Freeze", "Freeze the view and its last 30 s (space)", nothing)
    refusal = nothing or (ONE_PICTURE if given.frames < 2 else "")
    if given.playing:
        return Tool("play", "pause", "Pause", "Pause (space)", refusal)
    return Tool("play", "play", "Play", "Play (space)", refusal)


def _correct(given: ToolInputs, outcome: Outcome | None, nothing: str) -> Tool:
    refusal = nothing or ("" if given.correcting or isinstance(outcome, Tumour | NothingFound) else NO_ANSWER)
    return Tool(
        "correct", "correct", "Correct", "Correct the contour of a still view by hand (A)", refusal, on=given.correcting
    )


def _record(given: ToolInputs, nothing: str) -> Tool:
    if given.recorded_s is None:
        return Tool("record", "record", "Record", "Record at once, under an automatic case code (R)", nothing)
    return Tool("record", "stop", "Stop", "Stop recording (R)", note=time_words(given.recorded_s), on=True)
