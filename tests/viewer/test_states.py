"""The words, shapes and lines of every state: what a hazard review would read."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.contract import Measured, ModelContract, Reliability
from inference.frame import Frame, Origin, View
from inference.reading import (
    Analysis,
    Diameters,
    Failed,
    NotAnalysed,
    NothingFound,
    Outcome,
    Reason,
    Region,
    SizeState,
    Tumour,
    UnknownSpacing,
    size_state,
)
from inference.spacing import PixelSpacing, Provenance
from viewer.condition import Condition, Health
from viewer.face import Context, Face, Line, Offer, Shape, Tone
from viewer.phase import Phase
from viewer.states import DEMONSTRATION_BANNER, PHASE_WARNING, condition_card, face, region_lines
from viewer.words import UNDER_1, area_words

RUNNING = Condition(Health.RUNNING)
SPACING = PixelSpacing(0.1, 0.1, Provenance.EXACT)
LIMITS = Reliability(min_reliable_area_mm2=200, very_small_area_mm2=35, fast=None, thorough=None)


def frame(*, simulated: bool = True, view: View = View.NATIVE, spacing: PixelSpacing | None = SPACING) -> Frame:
    pixels = np.ones((8, 8), np.uint8)
    return Frame(0, pixels, spacing, 0.0, Origin("clip", view, simulated=simulated), no_spacing_reason="No scale.")


def analysis(shown: Frame) -> Analysis:
    return Analysis("model", "0" * 64, "CPU", 16.0, 14.0, demonstration=not shown.origin.simulated)


def region(area_mm2: float, *, cut: bool = False, scaled: bool = True) -> Region:
    outline = (np.zeros((4, 2), np.float32),)
    if not scaled:
        return Region(round(area_mm2 * 100), None, outline, None, None, cut, None)
    across = Diameters(26.4, 19.6, ((0.0, 0.0), (1.0, 1.0)))
    return Region(round(area_mm2 * 100), area_mm2, outline, across, (11.2, 30.8), cut, size_state(area_mm2, LIMITS))


def tumour(*areas: float, cut: bool = False, shown: Frame | None = None) -> Tumour:
    shown = shown or frame()
    scaled = shown.spacing is not None
    regions = tuple(region(area, cut=cut, scaled=scaled) for area in areas)
    return Tumour(shown, analysis(shown), np.zeros((8, 8), np.uint8), regions)


def said(outcome: Outcome, contract: ModelContract | None, phase: Phase = Phase.BEFORE_DURA) -> Face:
    held = outcome.size if isinstance(outcome, Tumour) else None
    return face(outcome, RUNNING, Context(contract, phase, held))


def text(shown: Face) -> str:
    return " ".join((shown.number, shown.unit, shown.headline, shown.detail, shown.card.title, *shown.card.body))


# ── size ────────────────────────────────────────────────────────────────────────────────────────────────────


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


def test_no_state_calls_a_contour_reliable_or_green(contract: ModelContract, clinical: ModelContract) -> None:
    for used in (contract, clinical, None):
        for phase in Phase:
            for outcome in (tumour(900.0), tumour(90.0), NothingFound(frame(), analysis(frame()))):
                words = text(said(outcome, used, phase)).lower()
                assert "reliable" not in words.replace("unreliable", "")
                assert "no tumour " not in words.replace("no tumour segmented", "")


@given(st.floats(0.01, 5000), st.sampled_from([(35.0, 200.0), ()]))
def test_area_is_rounded_but_never_across_a_limit(area: float, limits: tuple[float, ...]) -> None:
    area = round(area, 6)
    if area < 0.5:
        assert area_words(area, limits) == UNDER_1
        return
    shown = float(area_words(area, limits))
    assert abs(shown - area) <= (5 if area > 100 else 1)
    assert all((shown > limit) == (area > limit) for limit in limits)
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
    shown = face(tumour(600.0), RUNNING, Context(contract, Phase.BEFORE_DURA, SizeState.AT_MOST_200))
    assert shown.card.title == "SMALL: CONTOUR UNRELIABLE"
    assert "Dice" not in text(shown)
    unset = face(tumour(600.0), RUNNING, Context(contract, Phase.UNSET, SizeState.AT_MOST_200))
    assert PHASE_WARNING in text(unset)


def test_the_limits_come_from_the_contract(contract: ModelContract) -> None:
    limits = msgspec.structs.replace(contract.reliability, min_reliable_area_mm2=314.0)
    other = msgspec.structs.replace(contract, reliability=limits)
    shown = face(tumour(150.0), RUNNING, Context(other, Phase.BEFORE_DURA, SizeState.AT_MOST_200))
    assert "segmented area at most 314 mm² (about 20 mm across)" in shown.card.body


def test_detail_names_diameters_depth_and_regions() -> None:
    assert said(tumour(412.0), None).detail == "26 × 20 mm\n11 to 31 mm deep · one region"
    several = said(tumour(412.0, 80.0, 20.0), None).detail
    assert several == "largest 410 mm² · 26 × 20 mm\n11 to 31 mm deep · 3 regions"


def test_a_cut_contour_is_a_lower_bound_without_expected_dice(contract: ModelContract) -> None:
    shown = said(tumour(412.0, cut=True), contract)
    assert shown.number == "≥\u00a0410"
    assert any("Cut by picture edge" in line for line in shown.card.body)
    assert "Dice" not in text(shown)


# ── reliability ─────────────────────────────────────────────────────────────────────────────────────────────


def test_expected_dice_names_its_slices_patients_and_data(contract: ModelContract) -> None:
    body = said(tumour(412.0), contract).card.body
    assert body == (
        "expected Dice 0.78 ± 0.14 at this segmented area",
        "120 slices, 6 simulated patients: sealed cohort B",
    )
    assert "0.42" in text(said(tumour(150.0), contract))


def test_regions_that_fall_in_another_band_than_their_sum_get_no_figure(contract: ModelContract) -> None:
    shown = said(tumour(150.0, 140.0), contract)
    assert "Expected accuracy not measured for this" in shown.card.body


@pytest.mark.parametrize("phase", [Phase.UNSET, Phase.DURA_OPEN, Phase.RESECTION])
def test_outside_the_evaluated_phase_nothing_is_promised(contract: ModelContract, phase: Phase) -> None:
    for outcome in (tumour(412.0), NothingFound(frame(), analysis(frame()))):
        shown = said(outcome, contract, phase)
        assert PHASE_WARNING in text(shown)
        assert "Dice" not in text(shown)
        assert "%" not in text(shown)


def test_a_resection_is_never_covered(contract: ModelContract) -> None:
    phases = ("before_dura_opening", "dura_open", "resection")
    every = msgspec.structs.replace(contract, population=msgspec.structs.replace(contract.population, phases=phases))
    assert "Dice" in text(said(tumour(412.0), every, Phase.DURA_OPEN))
    assert PHASE_WARNING in said(tumour(412.0), every, Phase.RESECTION).card.body


def test_figures_of_simulation_never_stand_beside_a_patient(contract: ModelContract) -> None:
    shown = said(tumour(412.0, shown=frame(simulated=False)), contract)
    assert shown.banner == DEMONSTRATION_BANNER
    assert "Dice" not in text(shown)
    nothing = said(NothingFound(frame(simulated=False), analysis(frame(simulated=False))), contract)
    assert nothing.banner == DEMONSTRATION_BANNER
    assert "%" not in text(nothing)


def test_clinical_figures_never_stand_beside_a_simulation(clinical: ModelContract) -> None:
    shown = said(tumour(412.0, shown=frame(view=View.SLICE)), clinical)
    assert not shown.banner
    assert "Expected accuracy not measured for this" in shown.card.body


def test_a_model_evaluated_on_slices_says_so_on_frames(clinical: ModelContract) -> None:
    live = said(tumour(412.0, shown=frame(simulated=False)), clinical)
    assert "evaluated on slices of 3D volumes, not on live frames" in live.card.body
    sliced = said(tumour(412.0, shown=frame(simulated=False, view=View.SLICE)), clinical)
    assert "120 slices, 6 patients: clinic A" in sliced.card.body


def test_an_unmeasured_table_is_not_quoted(contract: ModelContract, measured: Measured) -> None:
    unmeasured = [
        None,
        msgspec.structs.replace(measured, by_predicted_area=()),
        msgspec.structs.replace(
            measured,
            by_predicted_area=tuple(
                msgspec.structs.replace(score, dice_mean=None) for score in measured.by_predicted_area
            ),
        ),
    ]
    for fast in unmeasured:
        other = msgspec.structs.replace(contract, reliability=msgspec.structs.replace(contract.reliability, fast=fast))
        assert "Expected accuracy not measured for this" in said(tumour(412.0), other).card.body


# ── the other answers ───────────────────────────────────────────────────────────────────────────────────────


def test_nothing_segmented_is_never_no_tumour(contract: ModelContract) -> None:
    unmeasured = said(NothingFound(frame(), analysis(frame())), None)
    assert unmeasured.headline == "No tumour segmented"
    assert "specificity and miss rate not measured" in unmeasured.card.body
    assert (unmeasured.number, unmeasured.contour) == ("", False)
    known = said(NothingFound(frame(), analysis(frame())), contract)
    assert "tumour missed on 12 % of tumour slices; 83 % of tumour-free slices stayed empty" in known.card.body


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
    assert shown.card.title == "Scale unknown: contour unvalidated"
    assert region_lines(outcome, None) == (Line.DOTTED,)
    assert shown.card.offers == (Offer.CALIBRATE,)


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
    failing = face(failed, Condition(Health.RUNNING, failures_in_a_row=10), Context(None, Phase.UNSET))
    assert failing.card.title == "ANALYSIS FAILING"
    assert failing.card.body == ("10 frames in a row.", "The network failed.")


# ── conditions ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("health", [h for h in Health if not Condition(h).flowing])
def test_a_broken_source_or_model_takes_number_and_contour_away(health: Health, contract: ModelContract) -> None:
    condition = Condition(health, seconds=2.44, sentence="The file is damaged.")
    shown = face(tumour(412.0), condition, Context(contract, Phase.BEFORE_DURA))
    assert (shown.number, shown.headline, shown.detail, shown.contour) == ("—", "", "", False)
    assert shown.card == condition_card(condition)
    assert shown.card.title
    assert any(shown.card.body)
    assert (shown.card.shape is Shape.SQUARE) == (shown.card.tone is Tone.FAULT)


@pytest.mark.parametrize(
    ("health", "title", "dimmed"),
    [
        (Health.LOST, "SIGNAL LOST 2.4 s", True),
        (Health.STALE, "STALE 2.4 s", True),
        (Health.OLD, "ANALYSIS 2.4 s OLD", False),
        (Health.MODEL_REFUSED, "Model refused", False),
        (Health.REFUSED, "Source refused", False),
        (Health.BROKEN, "Source stopped", True),
    ],
)
def test_conditions_are_told_apart(health: Health, title: str, *, dimmed: bool) -> None:
    shown = face(tumour(412.0), Condition(health, seconds=2.44, sentence="Why."), Context(None, Phase.UNSET))
    assert (shown.card.title, shown.dimmed) == (title, dimmed)


def test_refusals_say_their_own_sentence() -> None:
    for health in (Health.REFUSED, Health.MODEL_REFUSED, Health.BROKEN, Health.OPENING):
        card = condition_card(Condition(health, sentence="There is no file x."))
        assert card is not None
        assert card.body == ("There is no file x.",)


@pytest.mark.parametrize("health", [Health.RUNNING, Health.PAUSED])
def test_a_healthy_source_lets_the_outcome_speak(health: Health) -> None:
    assert condition_card(Condition(health)) is None
    waiting = face(None, Condition(health), Context(None, Phase.UNSET))
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
