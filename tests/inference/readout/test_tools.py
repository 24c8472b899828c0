"""What each tool is called, and why it cannot be used."""

import pytest

from inference.frame import Origin, View
from inference.live.health import Condition, Health
from inference.outcome import NotAnalysed, Reason
from inference.readout import tools
from inference.readout.tools import ToolInputs, tools_of
from inference.source_info import SourceInfo
from inference.sources.simulated import PhantomSource

FRAME = PhantomSource(count=2).read(0)
OUTCOME = NotAnalysed(FRAME, Reason.OFF, "No model.")


def info(*, live: bool) -> SourceInfo:
    return SourceInfo(Origin("source", View.NATIVE, live=live), FRAME.rows, FRAME.cols, None, "", (0.0, 255.0))


def tool(action: str, *, live: bool, health: Health = Health.RUNNING, **given: object) -> tools.Tool:
    made = tools_of(info(live=live), Condition(health), OUTCOME, ToolInputs(**given))  # type: ignore[arg-type]
    return next(one for one in made if one.action == action)


@pytest.mark.parametrize(
    ("live", "health", "playing", "frames", "words", "refusal"),
    [
        (True, Health.RUNNING, False, None, "Freeze", ""),
        (True, Health.LOST, False, None, "Freeze", ""),
        (True, Health.VIEW_FROZEN, False, None, "Live", ""),
        (False, Health.RUNNING, True, 60, "Pause", ""),
        (False, Health.PAUSED, False, 60, "Play", ""),
        (False, Health.LOADING, False, 60, "Play", ""),
        (False, Health.BROKEN, True, 60, "Pause", ""),
        (False, Health.PAUSED, False, 1, "Play", tools.ONE_PICTURE),
    ],
)
def test_one_button_freezes_releases_pauses_and_plays(
    live: bool, health: Health, playing: bool, frames: int | None, words: str, refusal: str
) -> None:
    made = tool("play", live=live, health=health, frames=frames, playing=playing)
    assert (made.words, made.refusal) == (words, refusal)


def test_a_record_can_be_stopped_even_after_its_source_broke() -> None:
    made = tool("record", live=True, health=Health.BROKEN, recorded_s=65.4)
    assert (made.words, made.note, made.refusal, made.on) == ("Stop", "01:05", "", True)


def test_what_needs_a_contour_or_a_live_source_says_so() -> None:
    assert tool("overlay", live=True).refusal == tools.NO_CONTOUR
    assert tool("overlay", live=True, contour_off=True).refusal == ""
    assert tool("keep", live=False, frames=60).refusal == tools.NOT_LIVE
    assert tool("keep", live=True).refusal == ""


def test_what_the_model_has_not_answered_is_not_corrected() -> None:
    assert tool("correct", live=True).refusal == tools.NO_ANSWER
    assert tool("correct", live=True, correcting=True).refusal == "", "what was begun can be ended"


def test_before_the_first_picture_a_record_may_begin_already() -> None:
    made = {one.action: one.refusal for one in tools_of(info(live=True), Condition(Health.LOADING), None, ToolInputs())}
    assert made.pop("record") == ""
    assert set(made.values()) == {tools.NO_PICTURE}
