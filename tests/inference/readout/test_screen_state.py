"""What the screen shows of a moment, by one pure function: no contour where none may be, in either pane."""

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from answers import frame, nothing, text, tumour

from inference.alarms import Alarm
from inference.contract import ModelContract
from inference.frame import Frame
from inference.live.health import Condition, Health
from inference.live.moment import Moment
from inference.outcome import Failed, NotAnalysed, NothingFound, Outcome, Reason, Tumour, UnknownSpacing
from inference.readout.caliper import Caliper
from inference.readout.look import Look
from inference.readout.marks import Line
from inference.readout.screen_state import Comparison, Marking, ScreenInputs, resolve
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Marker, Phase, ViewNotes

NOTES = ViewNotes(Phase.BEFORE_DURA, marker=Marker.LEFT)
RUNNING = Condition(Health.RUNNING)


def given(contract: ModelContract, outcome: Outcome | None, condition: Condition = RUNNING) -> ScreenInputs:
    shown = frame() if outcome is None else outcome.frame
    info = SourceInfo(shown.origin, 8, 8, shown.spacing, "", (0.0, 255.0))
    moment = Moment(False, False, "", None, None, outcome, True, RUNNING, condition, "")
    return ScreenInputs(1.0, moment, info, contract, NOTES, held=getattr(outcome, "size", None), face_row=0)


def other_picture(shown: Frame) -> Frame:
    return replace(shown, index=shown.index + 1, pixels=np.zeros((8, 8), np.uint8))


def test_a_running_view_shows_the_contour_of_the_very_outcome_it_shows(contract: ModelContract) -> None:
    outcome = tumour(412.0)
    screen = resolve(given(contract, outcome))
    assert screen.outcome is outcome
    assert (screen.lines, screen.readout.number, screen.whole) == ((Line.SOLID,), "410", None)
    assert (screen.live, screen.inset) == (None, None)


@pytest.mark.parametrize("health", [h for h in Health if not Condition(h).flowing])
def test_under_a_broken_condition_no_contour_number_map_or_band_stays(contract: ModelContract, health: Health) -> None:
    outcome = replace(tumour(412.0), disagreement=np.ones((8, 8), np.float32))
    screen = resolve(replace(given(contract, outcome, Condition(health, 3.0, "Why.")), disagreement=True))
    assert (screen.lines, screen.spread, screen.readout.number) == ((), None, "—")
    assert screen.annotations is not None
    assert (screen.annotations.band, screen.annotations.disagreement) == ("", "")


@pytest.mark.parametrize("outcome", [nothing(), Failed(frame(), "Out of memory.")])
def test_an_outcome_without_a_contour_draws_none(contract: ModelContract, outcome: Outcome) -> None:
    assert resolve(given(contract, outcome)).lines == ()


def test_while_something_is_marked_the_whole_picture_stands_alone_and_has_no_contour(contract: ModelContract) -> None:
    outcome = tumour(412.0)
    whole = other_picture(outcome.frame)
    screen = resolve(replace(given(contract, outcome), whole=whole, marking=Marking(((1.0, 2.0),))))
    assert (screen.whole, screen.condition.health, screen.lines) == (whole, Health.CALIBRATING, ())
    assert screen.annotations is not None
    assert screen.annotations.points == ((1.0, 2.0),)
    beside = resolve(replace(given(contract, outcome), whole=whole, marking=Marking(), two_panes=True))
    assert (beside.whole, beside.condition.health, beside.lines) == (None, Health.RUNNING, (Line.SOLID,))
    assert beside.live is not None
    assert beside.live.frame is whole


def test_a_broken_source_outranks_what_is_being_marked(contract: ModelContract) -> None:
    lost = Condition(Health.LOST, 3.0)
    screen = resolve(replace(given(contract, tumour(412.0), lost), whole=frame(), marking=Marking()))
    assert screen.condition is lost


def test_of_two_panes_only_the_analysed_one_speaks_of_the_contour(contract: ModelContract) -> None:
    outcome = tumour(412.0, shown=frame(simulated=False))
    newest = other_picture(outcome.frame)
    wanted = given(contract, outcome)
    screen = resolve(replace(wanted, moment=replace(wanted.moment, picture=newest), two_panes=True))
    assert screen.live is not None
    assert screen.annotations is not None
    assert (screen.live.frame, screen.live.annotations.banner) == (newest, "")
    assert screen.annotations.banner
    assert screen.annotations.caption.startswith("ANALYSED")
    assert screen.live.annotations.marker is Marker.LEFT
    assert screen.annotations.marker is Marker.NONE


def test_a_frozen_view_is_framed_and_has_the_live_picture_inset_where_there_is_one_pane(
    contract: ModelContract,
) -> None:
    frozen, answer = Condition(Health.VIEW_FROZEN, 4.0), tumour(90.0)
    wanted = given(contract, tumour(412.0), frozen)
    wanted = replace(wanted, moment=replace(wanted.moment, answer=answer))
    screen = resolve(wanted)
    assert screen.inset is not None
    assert screen.annotations is not None
    assert (screen.inset.frame, screen.inset.words) == (answer.frame, "REPLAY")
    assert (screen.annotations.framed, screen.readout.number) == (True, "410")
    assert resolve(replace(wanted, two_panes=True)).inset is None


def test_the_caliper_is_drawn_on_its_own_frame_only(contract: ModelContract) -> None:
    outcome = tumour(412.0)
    caliper = Caliper().clicked(outcome.frame, 0.0, 0.0).clicked(outcome.frame, 3.0, 4.0)
    drawn = resolve(replace(given(contract, outcome), caliper=caliper)).annotations
    assert drawn is not None
    assert (drawn.caliper, drawn.distance) == (((0.0, 0.0), (3.0, 4.0)), "0.5 mm")
    again = resolve(replace(given(contract, tumour(412.0)), caliper=caliper)).annotations
    assert again is not None
    assert (again.caliper, again.distance) == ((), "")


def test_our_centimetres_follow_the_points_clicked_and_else_the_scale_in_use(contract: ModelContract) -> None:
    wanted, ruler = given(contract, tumour(412.0)), ((0.0, 0.0), (0.0, 5.0))
    clicked = (ruler, PixelSpacing(0.5, 0.5, Provenance.RULER))
    for marking, step in ((Marking(ruler=ruler), 100.0), (Marking(preview=clicked, ruler=ruler), 20.0)):
        drawn = resolve(replace(wanted, marking=marking)).annotations
        assert drawn is not None
        assert drawn.ticks is not None
        assert drawn.ticks.step == (0.0, pytest.approx(step))
    unmarked = resolve(wanted).annotations
    assert unmarked is not None
    assert unmarked.ticks is None


def test_before_the_first_frame_nothing_is_drawn_on_a_picture(contract: ModelContract) -> None:
    screen = resolve(given(contract, None))
    assert (screen.annotations, screen.live, screen.lines) == (None, None, ())
    assert screen.readout.card.title == "Waiting for the first frame"


def test_the_truth_of_the_frame_goes_with_it(contract: ModelContract) -> None:
    truth = Comparison((np.zeros((4, 2), np.float32),), "true contour (pink): Dice 0.80 on this frame")
    screen = resolve(replace(given(contract, tumour(412.0)), comparison=truth))
    assert screen.comparison is truth
    assert screen.annotations is not None
    assert screen.annotations.truth == truth.words


def test_a_second_screen_says_the_same_and_shows_no_whole_picture_nor_choice(contract: ModelContract) -> None:
    """On the whole picture a name may stand: it is for the operator's eyes alone."""
    outcome = tumour(412.0)
    marked = replace(
        given(contract, outcome), whole=other_picture(outcome.frame), marking=Marking(points=((1.0, 2.0),))
    )
    screen, audience = resolve(marked), resolve(marked).for_audience
    assert screen.whole is not None
    assert (audience.whole, audience.outcome) == (None, outcome)
    assert audience.annotations is not None
    assert audience.annotations.points == ()
    assert (audience.condition, audience.lines, audience.readout.number) == (screen.condition, (), "—")
    panes = resolve(replace(marked, two_panes=True)).for_audience
    assert panes.live is None, "the live pane shows the whole picture while something is marked on it"
    plain = resolve(given(contract, outcome))
    assert (plain.for_audience.readout, plain.for_audience.lines) == (plain.readout, plain.lines)
    choosing = resolve(given(contract, tumour(412.0, shown=frame(spacing=None))))
    assert choosing.readout.card.offers
    assert choosing.for_audience.readout.card.offers == ()
    assert choosing.for_audience.readout.card.body == choosing.readout.card.body


ASKS = re.compile(
    r"\b(set it|press|choose|calibrate|open an?|drop|mark|check|switch|wait|crop|take|go on|connect|you|point)\b"
    r"|\(\w\)|Ctrl|\bkeys?\b|: as it came",
    re.IGNORECASE,
)
ANSWERS = (tumour(412.0), tumour(90.0), tumour(412.0, shown=frame(spacing=None)), nothing())
NO_ANSWERS = (
    UnknownSpacing(frame(spacing=None), "The header has no spacing: calibrate."),
    Failed(frame(), "Out of memory: choose another model."),
    *(NotAnalysed(frame(), reason, "Name.dcm: check it.") for reason in Reason),
    *(NotAnalysed(frame(), Reason.GUARD, alarm.sentence, alarm) for alarm in Alarm if not alarm.keeps_contour),
)


@pytest.mark.parametrize("phase", Phase)
def test_a_second_screen_states_what_is_and_asks_nothing_of_those_who_cannot_press(
    contract: ModelContract, phase: Phase
) -> None:
    """In every condition, with every answer and none; no file's name, which may be a patient's, is on the wall."""
    for outcome, health in product((*ANSWERS, *NO_ANSWERS, None), Health):
        why = Alarm.FROZEN.sentence if health is Health.FROZEN else "Name.dcm ends in the middle: copy it again."
        inputs = given(contract, outcome, Condition(health, 3.0, why))
        inputs = replace(inputs, notes=ViewNotes(phase), caliper=Caliper(), look=Look(zoom=2.0))
        screen = resolve(inputs).for_audience
        around = screen.annotations
        words = [text(screen.readout), *(() if around is None else (around.measuring, around.phase, *around.look))]
        assert not [said for said in words if ASKS.search(said) or "Name" in said], (outcome, health)
        if isinstance(outcome, Tumour | NothingFound) and screen.condition.flowing:
            assert screen.readout.card.body == resolve(inputs).readout.card.body, "an answer keeps its warnings"
