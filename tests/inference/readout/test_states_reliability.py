"""What is said of a contour's reliability: measured on such pictures in this phase, with its n and data, or nothing."""

import msgspec
import pytest
from answers import frame, nothing, said, text, tumour

from inference.contract import Measured, ModelContract
from inference.frame import View
from inference.live.health import Condition, Health
from inference.readout.marks import Tone
from inference.readout.readout_state import Context
from inference.readout.states import DEMONSTRATION_BANNER, readout_of
from inference.safety import NOT_EVALUATED, PHASE_RISK, PHASE_UNSET, is_headline, outside_training
from inference.view_notes import Phase


def test_no_state_calls_a_contour_reliable_or_green(contract: ModelContract, clinical: ModelContract) -> None:
    for used in (contract, clinical, None):
        for phase in Phase:
            for outcome in (tumour(900.0), tumour(90.0), nothing()):
                words = text(said(outcome, used, phase)).lower()
                assert "reliable" not in words.replace("unreliable", "")
                assert "no tumour " not in words.replace("no tumour segmented", "")


def test_expected_dice_names_its_slices_patients_and_data(contract: ModelContract) -> None:
    body = said(tumour(412.0), contract).card.body
    assert body == (
        "Expected overlap (Dice) 0.78 ± 0.14 at this area, simulated test set",
        "120 slices, 6 simulated patients: sealed cohort B",
    )
    assert "0.42" in text(said(tumour(150.0), contract))


def test_regions_that_fall_in_another_band_than_their_sum_get_no_figure(contract: ModelContract) -> None:
    shown = said(tumour(150.0, 140.0), contract)
    assert "Expected accuracy not measured for this" in shown.card.body


@pytest.mark.parametrize("phase", [Phase.UNSET, Phase.DURA_OPEN, Phase.RESECTION])
def test_outside_the_evaluated_phase_nothing_is_promised(contract: ModelContract, phase: Phase) -> None:
    for outcome in (tumour(412.0), nothing()):
        shown = said(outcome, contract, phase)
        assert PHASE_RISK.lower() in text(shown).lower()
        assert (PHASE_UNSET in text(shown)) is (phase is Phase.UNSET)
        assert (NOT_EVALUATED in text(shown)) is (phase is not Phase.UNSET)
        assert "Dice" not in text(shown)
        assert "%" not in text(shown)


def test_a_resection_is_never_covered(contract: ModelContract) -> None:
    phases = ("before_dura_opening", "dura_open", "resection")
    every = msgspec.structs.replace(contract, population=msgspec.structs.replace(contract.population, phases=phases))
    assert "Dice" in text(said(tumour(412.0), every, Phase.DURA_OPEN))
    assert said(tumour(412.0), every, Phase.RESECTION).card.title == NOT_EVALUATED


def test_what_forbids_trust_is_the_headline_phase_then_population_then_size(contract: ModelContract) -> None:
    patient = frame(simulated=False)
    for areas in ((412.0,), (150.0,)):
        small = areas == (150.0,)
        shown = said(tumour(*areas, shown=patient), contract, Phase.RESECTION)
        under = [line for line in shown.card.body if is_headline(line)]
        assert shown.card.title == NOT_EVALUATED
        assert under == ["Trained on simulation", *(["SMALL: CONTOUR UNRELIABLE"] if small else [])]
        assert (shown.card.tone is Tone.WARNING) is small
        assert is_headline(outside_training("0.3 mm per pixel"))
        assert said(tumour(*areas, shown=patient), contract).card.title == "Trained on simulation"
        assert "No size warning" not in text(shown)


def test_a_frozen_scanner_keeps_what_the_phase_and_the_population_forbid(contract: ModelContract) -> None:
    frozen = Condition(Health.FROZEN, 2.0, "The picture has not changed: is the scanner frozen?")
    context = Context(contract, Phase.UNSET)
    for outcome in (tumour(412.0, shown=frame(simulated=False)), nothing(frame(simulated=False))):
        words = text(readout_of(outcome, frozen, context))
        assert words.count("SCANNER FROZEN") == 1
        assert PHASE_UNSET in words
        assert "Trained on simulation" in words
    covered = text(readout_of(tumour(412.0), frozen, Context(contract, Phase.BEFORE_DURA)))
    assert "Dice" not in covered


def test_figures_of_simulation_never_stand_beside_a_patient(contract: ModelContract) -> None:
    shown = said(tumour(412.0, shown=frame(simulated=False)), contract)
    assert shown.banner == DEMONSTRATION_BANNER
    assert "Dice" not in text(shown)
    empty = said(nothing(frame(simulated=False)), contract)
    assert empty.banner == DEMONSTRATION_BANNER
    assert "%" not in text(empty)
    # Nor do those of a model that saw patients, and was measured on simulation alone.
    population = msgspec.structs.replace(contract.population, simulated=False)
    trained = msgspec.structs.replace(contract, population=population)
    measured_elsewhere = said(tumour(412.0, shown=frame(simulated=False)), trained)
    assert not measured_elsewhere.banner
    assert "Dice" not in text(measured_elsewhere)
    assert "Expected accuracy not measured for this" in measured_elsewhere.card.body


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
