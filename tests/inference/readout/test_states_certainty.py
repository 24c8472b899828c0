"""A contour that the model foretells to fail: its own state, that hides nothing and promises nothing."""

from dataclasses import replace

import msgspec
from answers import RUNNING, frame, nothing, said, text, tumour
from certainties import certain, certainty

from inference.contract import ModelContract
from inference.outcome import PredictedQuality, Tumour
from inference.readout.marks import Line, Shape, Tone
from inference.readout.readout_state import HOLD_S, Context, HeldWarning
from inference.readout.states import readout_of, region_lines
from inference.safety import LIKELY_TO_FAIL, LIKELY_TO_FAIL_BEFORE, PHASE_UNSET, SMALL
from inference.view_notes import Phase


def foretold(outcome: Tumour, *, fails: bool) -> Tumour:
    return replace(outcome, quality=PredictedQuality(0.4 if fails else 0.9, likely_to_fail=fails))


def test_it_is_the_headline_in_amber_with_number_and_contour(contract: ModelContract) -> None:
    shown = said(foretold(tumour(412.0), fails=True), certain(contract))
    assert (shown.card.title, shown.card.tone, shown.card.shape) == (LIKELY_TO_FAIL, Tone.WARNING, Shape.TRIANGLE)
    assert (shown.number, shown.unit, shown.contour) == ("410", "mm²", True)
    assert region_lines(foretold(tumour(412.0, 300.0), fails=True), None) == (Line.DASHED, Line.DASHED)


def test_it_quotes_what_was_measured_on_such_contours_and_not_the_figures_of_its_area(contract: ModelContract) -> None:
    words = text(said(foretold(tumour(412.0), fails=True), certain(contract)))
    assert "of such contours 0.23, of the others 0.71, simulated test set: sealed cohort B" in words
    assert "Expected overlap" not in words


def test_it_quotes_nothing_on_pictures_for_which_nothing_was_measured(contract: ModelContract) -> None:
    outcome = foretold(tumour(412.0, shown=frame(simulated=False)), fails=True)
    shown = said(outcome, certain(contract))
    assert shown.card.title == LIKELY_TO_FAIL
    assert "Dice" not in text(shown)


def test_where_nothing_is_foretold_or_no_failure_nothing_more_is_said(contract: ModelContract) -> None:
    silent = said(tumour(412.0), contract)
    assert said(foretold(tumour(412.0), fails=False), certain(contract)) == silent
    assert said(tumour(412.0), certain(contract)) == silent
    assert LIKELY_TO_FAIL not in text(said(nothing(), certain(contract)))


def test_the_phase_goes_before_it_and_the_size_after_it(contract: ModelContract) -> None:
    shown = said(foretold(tumour(150.0), fails=True), certain(contract), Phase.UNSET)
    assert shown.card.title == PHASE_UNSET
    assert shown.card.tone is Tone.WARNING
    size = SMALL[tumour(150.0).size]  # type: ignore[index]
    assert shown.card.body.index(LIKELY_TO_FAIL) < shown.card.body.index(size)


def test_it_is_held_for_half_a_second_in_colour_while_the_words_say_what_is_true_now(contract: ModelContract) -> None:
    hold = HeldWarning()
    assert hold.failing(True, 10.0)
    assert hold.failing(False, 10.0 + HOLD_S - 0.01)
    assert not hold.failing(False, 10.0 + HOLD_S)
    hold.failing(True, 11.0)
    hold.reset()
    assert not hold.failing(False, 11.1)
    better = foretold(tumour(412.0), fails=False)
    shown = readout_of(better, RUNNING, Context(certain(contract), Phase.BEFORE_DURA, None, failing=True))
    assert (shown.card.title, shown.card.tone) == (LIKELY_TO_FAIL_BEFORE, Tone.WARNING)
    assert LIKELY_TO_FAIL not in text(shown)
    assert "Dice" not in text(shown)
    assert region_lines(better, None, failing=True) == (Line.DASHED,)


def test_without_scale_it_stays_dotted_and_is_said(contract: ModelContract) -> None:
    outcome = foretold(tumour(412.0, shown=frame(spacing=None)), fails=True)
    assert region_lines(outcome, None) == (Line.DOTTED,)
    assert said(outcome, certain(contract)).card.title == LIKELY_TO_FAIL


def test_figures_of_patients_are_not_quoted_from_simulation(clinical: ModelContract) -> None:
    population = msgspec.structs.replace(clinical.population, views=("native",))
    used = certain(msgspec.structs.replace(clinical, population=population), certainty(simulated=True))
    outcome = foretold(tumour(412.0, shown=frame(simulated=False)), fails=True)
    assert "0.23" not in text(said(outcome, used))
