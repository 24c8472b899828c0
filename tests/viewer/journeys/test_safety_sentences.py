"""Screen, exports and OpenIGTLink say the same of every state: each safety sentence stands in all three."""

from dataclasses import replace

import pytest
from answers import RUNNING, frame, nothing, text, tumour

from inference.alarms import Alarm, Finding
from inference.contract import ModelContract
from inference.export.capture import Capture, Outside
from inference.export.result import result_cells
from inference.export.words import caption
from inference.frame import Frame, View
from inference.live.health import Condition, Health
from inference.live.policy import DEMONSTRATION_ONLY, forbidden
from inference.outcome import (
    Failed,
    NotAnalysed,
    NothingFound,
    Outcome,
    PredictedQuality,
    Reason,
    Tumour,
    UnknownSpacing,
)
from inference.readout.readout_state import Context
from inference.readout.states import RESEARCH_LINE, readout_of
from inference.safety import (
    CUT,
    DEMONSTRATION,
    INTENDED_USE,
    LIKELY_TO_FAIL,
    NOT_EVIDENCE,
    SMALL,
    UNVALIDATED,
    of_phase,
    warnings,
)
from inference.view_notes import Phase

UNLIKE = "The model saw no such picture in training: 0.9 mm per pixel (seen: 0.1 to 0.2)."
FORBIDDING = [alarm for alarm in Alarm if not alarm.keeps_contour]


def found(alarm: Alarm, sentence: str = "") -> Frame:
    """A frame in which a guard found this."""
    return replace(frame(), findings=(Finding(alarm, 0.0, sentence or alarm.sentence),))


def unlike(outcome: Tumour | NothingFound) -> Outcome:
    shown = found(Alarm.UNLIKE_TRAINING, UNLIKE)
    return replace(outcome, frame=shown, analysis=replace(outcome.analysis, unlike=UNLIKE))


def refused(alarm: Alarm) -> Outcome:
    outcome = forbidden(found(alarm))
    assert outcome is not None
    return outcome


STATES: dict[str, Outcome] = {
    "above the limit": tumour(412.0),
    "small": tumour(150.0),
    "very small": tumour(20.0),
    "cut": tumour(412.0, cut=True),
    "likely to fail": replace(tumour(412.0), quality=PredictedQuality(0.4, likely_to_fail=True)),
    "small and cut": tumour(150.0, cut=True),
    "unknown scale": tumour(412.0, shown=frame(spacing=None)),
    "demonstration": tumour(412.0, shown=frame(simulated=False)),
    "slice": tumour(412.0, shown=frame(view=View.SLICE)),
    "unlike": unlike(tumour(412.0)),
    "unlike and small": unlike(tumour(150.0)),
    "scanner frozen": tumour(412.0, shown=found(Alarm.FROZEN)),
    "nothing": nothing(),
    "nothing, unknown scale": nothing(frame(spacing=None)),
    "unlike, small, cut and frozen": replace(
        unlike(tumour(150.0, cut=True)),
        frame=found(Alarm.FROZEN),
        analysis=replace(tumour(150.0).analysis, unlike=UNLIKE),
    ),
    "nothing, demonstration": nothing(frame(simulated=False)),
    "nothing, unlike": unlike(nothing()),
    "nothing, scanner frozen": nothing(found(Alarm.FROZEN)),
    "scale unknown": UnknownSpacing(frame(spacing=None), "The header has no spacing."),
    "depth changed": UnknownSpacing(replace(frame(spacing=None), depth_changed_at=0.0), Alarm.DEPTH.sentence),
    "model off": NotAnalysed(frame(), Reason.OFF, "The model is being loaded."),
    "demonstration on live": NotAnalysed(frame(), Reason.DEMONSTRATION, DEMONSTRATION_ONLY),
    "failed": Failed(frame(), "The network ran out of memory."),
    **{f"guard: {alarm.value}": refused(alarm) for alarm in FORBIDDING},
}


def on_screen(outcome: Outcome, contract: ModelContract, phase: Phase = Phase.BEFORE_DURA) -> str:
    """All that the window says of it, as the session judges it."""
    frozen = next((found for found in outcome.frame.findings if found.alarm is Alarm.FROZEN), None)
    condition = RUNNING if frozen is None else Condition(Health.FROZEN, 2.0, frozen.sentence)
    shown = readout_of(outcome, condition, Context(contract, phase, None))
    return f"{text(shown)} {shown.banner} {RESEARCH_LINE}"


@pytest.mark.parametrize("name", STATES)
def test_every_safety_sentence_stands_on_screen_in_exports_and_in_openigtlink(
    name: str, contract: ModelContract
) -> None:
    outcome = STATES[name]
    screen = on_screen(outcome, contract)
    exported = " ".join(caption(Capture(outcome, (0.0, 255.0), outside=Outside.KEPT)))
    sent = result_cells(outcome, 0.0, {})
    for sentence in (*warnings(outcome), INTENDED_USE):
        assert sentence.casefold() in screen.casefold()
        assert sentence.casefold() in exported.casefold()
        assert sentence in (*sent["warnings"], sent["intended_use"])  # type: ignore[misc]


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("name", STATES)
def test_what_the_phase_forbids_stands_in_all_three_and_first(name: str, phase: Phase, contract: ModelContract) -> None:
    outcome = STATES[name]
    answered = isinstance(outcome, Tumour | NothingFound)
    said = of_phase(phase, contract.population.phases)
    assert bool(said) is (phase is not Phase.BEFORE_DURA)
    screen = on_screen(outcome, contract, phase)
    exported = caption(Capture(outcome, (0.0, 255.0), outside=Outside.KEPT, phase=said))
    sent = result_cells(outcome, 0.0, {}, said)["warnings"]
    for sentence in said:
        assert (sentence in screen) is answered
        assert (sentence in exported) is answered
        assert (sentence in sent) is answered  # type: ignore[operator]
    if said and isinstance(outcome, Tumour):
        assert sent[:2] == list(said)  # type: ignore[index]
        assert outcome.frame.findings or readout_of(outcome, RUNNING, Context(contract, phase)).card.title == said[0]


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("above the limit", ()),
        ("small", (SMALL[tumour(150.0).size],)),  # type: ignore[index]
        ("very small", (SMALL[tumour(20.0).size],)),  # type: ignore[index]
        ("small and cut", (SMALL[tumour(150.0).size], CUT)),  # type: ignore[index]
        ("unknown scale", (UNVALIDATED,)),
        ("demonstration", (DEMONSTRATION,)),
        ("unlike", (UNLIKE,)),
        ("likely to fail", (LIKELY_TO_FAIL,)),
        ("scanner frozen", (Alarm.FROZEN.sentence,)),
        ("nothing", (NOT_EVIDENCE,)),
        ("nothing, unknown scale", (NOT_EVIDENCE, UNVALIDATED)),
        ("depth changed", (Alarm.DEPTH.sentence,)),
        ("guard: black_picture", (Alarm.BLACK.sentence,)),
    ],
)
def test_each_state_has_its_own_sentences(name: str, sentences: tuple[str, ...]) -> None:
    assert warnings(STATES[name]) == sentences


def test_no_sentence_of_a_state_stands_beside_a_state_that_is_not_so(contract: ModelContract) -> None:
    good = on_screen(STATES["above the limit"], contract)
    for outcome in STATES.values():
        assert not any(sentence.casefold() in good.casefold() for sentence in warnings(outcome))


def test_every_guard_says_what_is_wrong_and_what_to_do() -> None:
    for alarm in Alarm:
        assert alarm.headline
        assert alarm.sentence.endswith((".", "?")) or alarm is Alarm.UNLIKE_TRAINING
