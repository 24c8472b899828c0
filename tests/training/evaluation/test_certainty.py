"""Temperature and scores on answers whose truth is known, since the answers were drawn from it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.contract import Mode, QualityScore
from training.evaluation.certainty import (
    FEWEST,
    WITHHELD,
    Answered,
    CertaintyError,
    Contours,
    Measurement,
    average_error,
    expected_error,
    measure,
    temperature_of,
)

PATIENTS, SLICES = 8, 14


def answered(rng: np.random.Generator, patient: str, temperature: float, *, tumour: bool = True) -> Answered:
    """A slice whose pixels are tumour as often as the logits say at this temperature, and fit as well as they say."""
    logits = rng.normal(-2, 5, 400).astype(np.float32)
    truth = rng.random(400) < 1 / (1 + np.exp(-logits / temperature))
    strength = rng.uniform(0.2, 6)
    margin = np.full((12, 12), -strength, np.float32)
    margin[3:9, 3:9] = strength
    dice = float(np.clip(strength / 6 + rng.normal(0, 0.05), 0, 1)) if tumour else 0.0
    return Answered(patient, tumour, dice, True, margin, logits, truth)


def cohort(temperatures: tuple[float, float], slices: int = SLICES) -> list[Answered]:
    """The patients in order: the first of each pair at the first temperature."""
    rng = np.random.default_rng(1)
    return [
        answered(rng, f"P{number}", temperatures[number % 2], tumour=index % 7 > 0)
        for number in range(PATIENTS)
        for index in range(slices)
    ]


def measured(temperatures: tuple[float, float]) -> Measurement:
    return measure(cohort(temperatures), Mode.FAST, data="drawn", simulated=True)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_pixels_were_drawn_at_is_found(temperature: float) -> None:
    assert temperature_of(cohort((temperature, temperature))) == pytest.approx(temperature, rel=0.05)


def test_an_overconfident_network_is_calibrated() -> None:
    found = measured((3.0, 3.0)).certainty.calibration
    assert found.ece < 0.02 < 0.05 < found.ece_before
    assert found.ace < found.ace_before
    assert found.ece_interval is not None
    assert found.ece_interval[0] <= found.ece <= found.ece_interval[1] + 0.02
    assert sum(one.pixels for one in found.diagram) == pytest.approx(1, abs=1e-4)


def test_each_half_of_the_patients_is_measured_with_what_the_other_taught() -> None:
    """Where the halves want different temperatures, no figure may look as if each had been given its own."""
    assert measured((1.0, 5.0)).certainty.calibration.ece > 0.05


def test_withholding_a_fifth_leaves_the_better_contours() -> None:
    found = measured((2.0, 2.0))
    failure = found.certainty.failure
    assert failure.coverage == pytest.approx(1 - WITHHELD, abs=0.08)
    assert failure.dice_above is not None
    assert failure.dice_below is not None
    assert failure.dice_above > failure.dice + 0.05 > failure.dice_below
    assert failure.n_contours == sum(one.tumour for one in cohort((2.0, 2.0)))
    dices = [dice for _, dice in failure.curve]
    assert dices == sorted(dices)
    assert failure.aurc == pytest.approx(min(map(found.contours.aurc, QualityScore)), abs=1e-4)


def test_the_curve_takes_the_highest_scores_first_and_tumour_free_slices_never() -> None:
    scores = {kind: np.array([0.9, 0.1, 0.5, 0.99]) for kind in QualityScore}
    contours = Contours(np.array([0.8, 0.2, 0.5, 0.0]), np.array([True, True, True, False]), scores)
    kind = QualityScore.SHARPNESS
    assert contours.kept(kind) == pytest.approx([0.8, 0.65, 0.5])
    assert contours.at(kind, 1.0) == pytest.approx(0.5)
    assert contours.aurc(kind) == pytest.approx(1 - (0.8 + 0.65 + 0.5) / 3)


def test_too_few_contours_are_refused() -> None:
    with pytest.raises(CertaintyError, match=f"wanted {FEWEST}"):
        measure(cohort((1.0, 1.0), slices=5)[:30], Mode.FAST, data="drawn", simulated=True)


def test_too_few_patients_are_refused() -> None:
    """Screens quote the Dice of contours above and below the threshold, and two patients had fifty contours."""
    few = [one for one in cohort((1.0, 1.0), slices=28) if one.patient in {"P0", "P1", "P2", "P3"}]
    with pytest.raises(CertaintyError, match="Only 4 patients have a contour"):
        measure(few, Mode.FAST, data="drawn", simulated=True)


def test_errors_by_hand() -> None:
    """Nine pixels of mean 0.1 without a tumour among them, one of 0.8 that is one: 0.9 + 0.2 over ten, and 0.15."""
    bins: NDArray[np.float64] = np.array([[9.0, 1.0, 0.0], [0.9, 0.8, 0.0], [0.0, 1.0, 0.0]])
    assert expected_error(bins) == pytest.approx(0.11)
    assert average_error(bins) == pytest.approx(0.15)
