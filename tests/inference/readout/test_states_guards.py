"""What the screen says of a guarded frame: pure functions."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from inference.alarms import Alarm
from inference.contract import ModelContract
from inference.frame import Frame, Origin, View
from inference.live.health import Condition, Health
from inference.outcome import Analysis, NotAnalysed, NothingFound, Outcome, Reason, Region, Tumour, UnknownSpacing
from inference.outcome import SizeState as Size
from inference.readout.marks import Shape, Tone
from inference.readout.readout_state import Context, ReadoutState
from inference.readout.states import DASH, readout_of
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Phase

WORDS = "The model saw no such picture in training: 0.15 mm per pixel (seen: 0.3 to 0.5)."
FRAME = Frame(
    0, np.ones((8, 8), np.uint8), PixelSpacing(0.1, 0.1, Provenance.EXACT), 0.0, Origin("clip", View.NATIVE, True)
)
KNOWN = Analysis("model", "0" * 64, "CPU", 16.0, 14.0, demonstration=False)
FOREIGN = replace(KNOWN, unlike=WORDS)
Say = Callable[[Outcome], ReadoutState]


@pytest.fixture
def say(contract: ModelContract) -> Say:
    return lambda outcome: readout_of(outcome, Condition(Health.RUNNING), Context(contract, Phase.BEFORE_DURA))


def tumour(analysis: Analysis, size: Size, area_mm2: float) -> Tumour:
    outline = (np.zeros((4, 2), np.float32),)
    region = Region(round(area_mm2 * 100), area_mm2, outline, None, None, False, size)
    return Tumour(FRAME, analysis, np.zeros((8, 8), np.uint8), (region,))


def test_a_contour_on_what_was_not_seen_in_training_keeps_its_number_and_loses_its_figures(say: Say) -> None:
    usual, foreign = (say(tumour(analysis, Size.ABOVE_200, 400.0)) for analysis in (KNOWN, FOREIGN))
    assert any("Dice" in line for line in usual.card.body)
    assert (foreign.number, foreign.unit, foreign.contour) == (usual.number, "mm²", True)
    assert (foreign.card.title, foreign.card.tone, foreign.card.shape) == (
        "Outside the training range (pixel size)",
        Tone.NOTICE,
        Shape.DIAMOND,
    )
    assert foreign.card.body == (WORDS,)


def test_it_goes_before_a_size_warning_and_that_is_said_too_in_amber(say: Say) -> None:
    small = say(tumour(FOREIGN, Size.AT_MOST_200, 120.0))
    assert (small.card.title, small.card.tone) == ("Outside the training range (pixel size)", Tone.WARNING)
    assert "SMALL: CONTOUR UNRELIABLE" in small.card.body
    assert WORDS in small.card.body
    assert not any("Dice" in line for line in small.card.body)


def test_nothing_found_on_it_quotes_no_miss_rate(say: Say) -> None:
    assert "missed" in say(NothingFound(FRAME, KNOWN)).card.body[0]
    assert say(NothingFound(FRAME, FOREIGN)).card.body == ("Outside the training range (pixel size)", WORDS)


@pytest.mark.parametrize("alarm", Alarm)
def test_the_reason_stands_where_the_number_was(say: Say, alarm: Alarm) -> None:
    shown = say(NotAnalysed(FRAME, Reason.GUARD, "What is wrong, and what to do.", alarm))
    assert (shown.number, shown.unit, shown.headline, shown.contour) == ("", "", alarm.headline, False)
    assert shown.card.body == ("What is wrong, and what to do.",)


def test_a_scale_that_a_changed_depth_voided_says_so_and_one_that_never_was_does_not(say: Say) -> None:
    unscaled = replace(FRAME, spacing=None)
    changed = replace(unscaled, depth_changed_at=1.0)
    assert say(UnknownSpacing(changed, "Calibrate again.")).headline == "Depth changed"
    assert say(UnknownSpacing(unscaled, "Calibrate.")).number == DASH


def test_a_frame_of_changed_depth_cannot_have_a_scale() -> None:
    with pytest.raises(ValueError, match="no scale"):
        replace(FRAME, depth_changed_at=1.0)
