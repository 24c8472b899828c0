"""The words, shapes and lines of every answer and condition: what a hazard review would read."""

import pytest
from answers import frame, nothing, said, text, tumour
from msgspec.structs import replace as replace_of

from inference.contract import ModelContract
from inference.live.health import Condition, Health
from inference.outcome import Failed, NotAnalysed, Outcome, Reason, UnknownSpacing
from inference.readout.marks import Line, Shape, Tone
from inference.readout.readout_state import Context, Offer
from inference.readout.states import condition_card, readout_of, region_lines
from inference.view_notes import Phase


def test_nothing_segmented_is_never_no_tumour(contract: ModelContract) -> None:
    unmeasured = said(nothing(), None)
    assert unmeasured.headline == "No tumour segmented"
    assert unmeasured.card.title == "Not evidence of absence"
    assert "specificity and miss rate not measured" in unmeasured.card.body
    assert (unmeasured.number, unmeasured.contour) == ("", False)
    known = said(nothing(), contract)
    assert "tumour missed on 12 % of tumour slices; 83 % of tumour-free slices stayed empty" in known.card.body


def test_no_miss_is_rounded_away(contract: ModelContract) -> None:
    """Of 1000 slices with a tumour 4 were missed, and 3 without one had a contour: neither is none."""
    limits = contract.reliability
    assert limits.fast is not None
    rare = replace_of(limits.fast, miss_rate=0.004, specificity=0.997)
    known = said(nothing(), replace_of(contract, reliability=replace_of(limits, fast=rare)))
    told = "tumour missed on <\u00a01\u00a0% of tumour slices; >\u00a099\u00a0% of tumour-free slices stayed empty"
    assert told in known.card.body


def test_an_unknown_scale_offers_calibration_and_the_choice() -> None:
    shown = said(UnknownSpacing(frame(spacing=None), "The header has no spacing."), None)
    assert (shown.number, shown.unit, shown.contour) == ("—", "", False)
    assert shown.card.title == "Not analysed: scale unknown"
    assert shown.card.body == ("The header has no spacing.",)
    assert shown.card.offers == (Offer.CALIBRATE, Offer.WITHOUT_SCALE)
    assert (shown.card.tone, shown.card.shape) == (Tone.NOTICE, Shape.DIAMOND)


def test_analysis_without_scale_has_pixels_and_no_size_warning(contract: ModelContract) -> None:
    outcome = tumour(20.0, shown=frame(spacing=None))
    shown = said(outcome, contract)
    assert (shown.number, shown.unit) == ("2000", "px")
    assert "mm" not in shown.detail
    assert shown.card.title == "Scale unknown: unvalidated"
    assert region_lines(outcome, None) == (Line.DOTTED,)
    assert shown.card.offers == (Offer.CALIBRATE,)


def test_nothing_found_without_a_scale_is_unvalidated_and_quotes_no_figure(contract: ModelContract) -> None:
    shown = said(nothing(frame(spacing=None)), contract)
    assert (shown.headline, shown.card.title) == ("No tumour segmented", "Not evidence of absence")
    assert shown.card.offers == (Offer.CALIBRATE,), "no button comes and goes from frame to frame"
    assert "Scale unknown: unvalidated" in shown.card.body
    assert "%" not in text(shown)


@pytest.mark.parametrize(
    ("outcome", "title", "tone"),
    [
        (Failed(frame(), "The network failed."), "Analysis failed", Tone.FAULT),
        (NotAnalysed(frame(), Reason.OFF, "Analysis is off."), "Not analysed", Tone.NOTICE),
    ],
)
def test_a_frame_without_an_answer_has_no_number_and_no_contour(outcome: Outcome, title: str, tone: Tone) -> None:
    shown = said(outcome, None)
    assert (shown.number, shown.unit, shown.contour) == ("—", "", False)
    assert (shown.card.title, shown.card.tone) == (title, tone)


def test_ten_failures_in_a_row_stay_on_the_screen() -> None:
    failed = Failed(frame(), "The network failed.")
    failing = readout_of(failed, Condition(Health.RUNNING, failures_in_a_row=10), Context(None, Phase.UNSET))
    assert failing.card.title == "ANALYSIS FAILING"
    assert failing.card.body == ("10 frames in a row.", "The network failed.")


@pytest.mark.parametrize("health", [h for h in Health if not Condition(h).flowing])
def test_a_broken_source_or_model_takes_number_and_contour_away(health: Health, contract: ModelContract) -> None:
    condition = Condition(health, seconds=2.44, sentence="The file is damaged.")
    shown = readout_of(tumour(412.0), condition, Context(contract, Phase.BEFORE_DURA))
    assert (shown.number, shown.headline, shown.detail, shown.contour) == ("—", "", "", False)
    assert shown.card == condition_card(condition)
    assert shown.card.title
    assert any(shown.card.body)
    assert (shown.card.shape is Shape.SQUARE) == (shown.card.tone is Tone.FAULT)


@pytest.mark.parametrize(
    ("health", "title", "dimmed"),
    [
        (Health.LOST, "SIGNAL LOST 2.4\xa0s", True),
        (Health.STALE, "STALE 2.4\xa0s", True),
        (Health.OLD, "ANALYSIS 2.4\xa0s OLD", False),
        (Health.MODEL_REFUSED, "Model refused", False),
        (Health.REFUSED, "Source refused", False),
        (Health.BROKEN, "Source stopped", True),
        (Health.OPENING, "Opening… 2.4\xa0s", True),
    ],
)
def test_conditions_are_told_apart(health: Health, title: str, *, dimmed: bool) -> None:
    shown = readout_of(tumour(412.0), Condition(health, seconds=2.44, sentence="Why."), Context(None, Phase.UNSET))
    assert (shown.card.title, shown.dimmed) == (title, dimmed)


def test_refusals_say_their_own_sentence() -> None:
    for health in (Health.REFUSED, Health.MODEL_REFUSED, Health.BROKEN, Health.OPENING):
        card = condition_card(Condition(health, sentence="There is no file x."))
        assert card is not None
        assert card.body == ("There is no file x.",)


@pytest.mark.parametrize("health", [Health.RUNNING, Health.PAUSED])
def test_a_healthy_source_lets_the_outcome_speak(health: Health) -> None:
    assert condition_card(Condition(health)) is None
    waiting = readout_of(None, Condition(health), Context(None, Phase.UNSET))
    assert waiting.card.title == "Waiting for the first frame"


def test_every_tone_and_shape_pair_is_unique_to_its_kind(contract: ModelContract) -> None:
    """Who cannot tell the colours still has the shapes."""
    faces = [
        said(tumour(412.0), contract),
        said(tumour(100.0), contract),
        said(UnknownSpacing(frame(spacing=None), "x"), contract),
        said(Failed(frame(), "x"), contract),
    ]
    assert len({shown.card.tone for shown in faces}) == len({shown.card.shape for shown in faces}) == 4
