"""Size in words, shapes and lines: rounded never across a limit, small ones dashed, cut ones a lower bound."""

import msgspec
import pytest
from answers import RUNNING, said, text, tumour
from hypothesis import given
from hypothesis import strategies as st

from inference.contract import ModelContract
from inference.outcome import SizeState, above, size_state
from inference.readout.formatting import UNDER_1, area_words
from inference.readout.marks import Line, Shape, Tone
from inference.readout.readout_state import Context
from inference.readout.reliability import expected_dice
from inference.readout.states import readout_of, region_lines
from inference.view_notes import Phase


@pytest.mark.parametrize(
    ("area", "number", "title", "sentence", "tone", "shape", "line"),
    [
        (412.0, "410", "No size warning", "", Tone.NEUTRAL, Shape.DOT, Line.SOLID),
        (200.0, "200", "SMALL: CONTOUR UNRELIABLE", "segmented area at most 200 mm² (about 16 mm across)",
         Tone.WARNING, Shape.TRIANGLE, Line.DASHED),
        (96.4, "96", "SMALL: CONTOUR UNRELIABLE", "at most 200 mm²", Tone.WARNING, Shape.TRIANGLE, Line.DASHED),
        (35.0, "35", "VERY SMALL CONTOUR: UNRELIABLE", "segmented area at most 35 mm² (about 7 mm across)",
         Tone.WARNING, Shape.TRIANGLE, Line.DASHED),
    ],
)  # fmt: skip
def test_a_tumour_says_its_size(
    contract: ModelContract, area: float, number: str, title: str, sentence: str, tone: Tone, shape: Shape, line: Line
) -> None:
    outcome = tumour(area)
    shown = said(outcome, contract)
    assert (shown.number, shown.unit, shown.card.title) == (number, "mm²", title)
    assert sentence in text(shown)
    assert (shown.card.tone, shown.card.shape) == (tone, shape)
    assert shown.contour
    assert region_lines(outcome, outcome.size) == (line,)


@pytest.mark.parametrize("limit", [35, 200])
@pytest.mark.parametrize(("more", "off"), [(0, 0.0), (0, 3e-8), (0, 3e-16), (0, -3e-8), (1, 0.0)])
def test_number_warning_and_band_agree_at_a_limit_whatever_rounding_makes_of_it(
    contract: ModelContract, limit: int, more: int, off: float
) -> None:
    """200.000006 mm² was SMALL, at most 200 mm², beside the number 201 and the overlap of larger tumours."""
    measured = contract.reliability.fast
    assert measured is not None
    scores = tuple(
        msgspec.structs.replace(measured.by_predicted_area[0], band=band, dice_mean=mean, dice_sd=None)
        for band, mean in (((0.0, 35.0), 0.1), ((35.0, 200.0), 0.2), ((200.0, None), 0.3))
    )
    area = (limit + more) * (1 + off)
    score = expected_dice(tumour(area), msgspec.structs.replace(measured, by_predicted_area=scores))
    small = more == 0
    assert (size_state(area, contract.reliability) is SizeState.ABOVE_200) == (limit == 200 and not small)
    assert area_words(area, (35.0, 200.0)) == str(limit + more)
    assert score is not None
    assert score.dice_mean == {35: (0.2, 0.1), 200: (0.3, 0.2)}[limit][small]


def test_the_largest_of_several_regions_agrees_with_its_warning_too(contract: ModelContract) -> None:
    """203 mm² was "largest 200 mm²" beside the words that there is no size warning."""
    assert "largest 203 mm²" in said(tumour(203.0, 60.0), contract).detail
    assert "largest 200 mm²" in said(tumour(199.9, 60.0), contract).detail


@given(st.floats(0.01, 5000), st.sampled_from([(35.0, 200.0), ()]))
def test_area_is_rounded_but_never_across_a_limit(area: float, limits: tuple[float, ...]) -> None:
    area = round(area, 6)
    if area < 0.5:
        assert area_words(area, limits) == UNDER_1
        return
    shown = float(area_words(area, limits))
    assert abs(shown - area) <= (5 if area > 100 else 1)
    assert all((shown > limit) == above(area, limit) for limit in limits)
    if not limits:
        assert shown % (10 if area > 100 else 1) == 0


def test_what_is_too_small_for_a_whole_mm2_is_never_shown_as_nothing(contract: ModelContract) -> None:
    assert said(tumour(0.3), contract).number == "<\u00a01"
    assert said(tumour(0.3, cut=True), contract).number == ">\u00a00"


def test_every_small_region_is_dashed_whatever_the_total() -> None:
    assert region_lines(tumour(600.0, 120.0), SizeState.ABOVE_200) == (Line.SOLID, Line.DASHED)
    assert region_lines(tumour(180.0, 120.0), SizeState.AT_MOST_200) == (Line.DASHED, Line.DASHED)


def test_the_largest_region_follows_the_held_warning() -> None:
    assert region_lines(tumour(600.0, 300.0), SizeState.AT_MOST_200) == (Line.DASHED, Line.SOLID)


def test_a_held_warning_quotes_no_figure_of_the_frame_that_contradicts_it(contract: ModelContract) -> None:
    shown = readout_of(tumour(600.0), RUNNING, Context(contract, Phase.BEFORE_DURA, SizeState.AT_MOST_200))
    assert "Dice" not in text(shown)
    unset = readout_of(tumour(600.0), RUNNING, Context(contract, Phase.UNSET, SizeState.AT_MOST_200))
    assert (unset.card.title, unset.card.tone) == ("Phase not set", Tone.WARNING)


@pytest.mark.parametrize("held", [SizeState.AT_MOST_200, SizeState.AT_MOST_35])
def test_a_held_warning_keeps_its_amber_and_says_what_is_true_now(contract: ModelContract, held: SizeState) -> None:
    above = readout_of(tumour(330.0), RUNNING, Context(contract, Phase.BEFORE_DURA, held))
    assert (above.card.tone, above.card.shape, above.card.title) == (
        Tone.WARNING,
        Shape.TRIANGLE,
        "Was small a moment ago",
    )
    assert "at most" not in text(above)
    assert "UNRELIABLE" not in text(above)
    small = readout_of(tumour(150.0), RUNNING, Context(contract, Phase.BEFORE_DURA, held))
    assert (small.card.tone, small.card.title) == (Tone.WARNING, "SMALL: CONTOUR UNRELIABLE")
    assert "35 mm²" not in text(small)


def test_the_limits_come_from_the_contract(contract: ModelContract) -> None:
    limits = msgspec.structs.replace(contract.reliability, min_reliable_area_mm2=314.0)
    other = msgspec.structs.replace(contract, reliability=limits)
    shown = readout_of(tumour(150.0), RUNNING, Context(other, Phase.BEFORE_DURA, SizeState.AT_MOST_200))
    assert "segmented area at most 314 mm² (about 20 mm across)" in shown.card.body
    assert (size_state(314.0, limits), size_state(315.0, limits)) == (SizeState.AT_MOST_200, SizeState.ABOVE_200)
    smaller = msgspec.structs.replace(limits, very_small_area_mm2=50.0)
    assert (size_state(50.0, smaller), size_state(51.0, smaller)) == (SizeState.AT_MOST_35, SizeState.AT_MOST_200)


def test_detail_names_diameters_depth_and_regions() -> None:
    assert said(tumour(412.0), None).detail == "26 × 20 mm\n11 to 31 mm deep · one region"
    several = said(tumour(412.0, 80.0, 20.0), None).detail
    assert several == "largest 410 mm² · 26 × 20 mm\n11 to 31 mm deep · 3 regions"


def test_a_cut_contour_is_a_lower_bound_without_expected_dice(contract: ModelContract) -> None:
    shown = said(tumour(412.0, cut=True), contract)
    assert shown.number == "≥\u00a0410"
    assert any("Cut by picture edge" in line for line in shown.card.body)
    assert "Dice" not in text(shown)
