"""What may be said about a contour's reliability: only what was measured on pictures like this one. Pure functions."""

from dataclasses import dataclass
from enum import StrEnum

from inference import safety
from inference.contract import BandScore, Measured, Mode, ModelContract
from inference.frame import Frame, View
from inference.outcome import Tumour, above
from inference.view_notes import Phase


class Gap(StrEnum):
    """Why no measured figure may be quoted for this picture."""

    PHASE = "phase"
    SCALE = "scale"
    DEMONSTRATION = "demonstration"
    VIEW = "view"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Measured figures that apply to a picture, or the gap that forbids quoting any.

    Attributes:
        measured: figures of the running mode on the imaged population; None with a gap.
        gap: why there are none; None with figures.
    """

    measured: Measured | None
    gap: Gap | None


def evidence(frame: Frame, contract: ModelContract | None, phase: Phase, mode: Mode) -> Evidence:
    """Figures of the mode in which the frame was analysed, if they apply to this frame in this phase."""
    gap = _gap(frame, contract, phase, mode)
    if gap is not None or contract is None:
        return Evidence(None, gap or Gap.NOT_MEASURED)
    return Evidence(contract.reliability.measured(mode), None)


def _gap(frame: Frame, contract: ModelContract | None, phase: Phase, mode: Mode) -> Gap | None:
    """The gravest reason why the contract's figures do not apply to this frame; None if they do."""
    if safety.of_phase(phase, None if contract is None else contract.population.phases):
        return Gap.PHASE
    if contract is None:
        return Gap.NOT_MEASURED
    if is_demonstration(frame, contract):
        return Gap.DEMONSTRATION
    if frame.origin.view.value not in contract.population.views:
        slices_only = contract.population.views == (View.SLICE.value,)
        return Gap.VIEW if slices_only else Gap.NOT_MEASURED
    if frame.spacing is None:
        return Gap.SCALE
    measured = contract.reliability.measured(mode)
    if measured is None or measured.simulated is not frame.origin.simulated:
        return Gap.NOT_MEASURED
    return None


def is_demonstration(frame: Frame, contract: ModelContract | None) -> bool:
    """Whether a model trained on simulation is analysing a picture that is not simulated."""
    return contract is not None and contract.population.simulated and not frame.origin.simulated


def expected_dice(tumour: Tumour, measured: Measured) -> BandScore | None:
    """The measured Dice of slices with this segmented area; None if none may be quoted.

    A contour that is cut or has no scale has no known area. Where all regions together fall in another band than the
    largest alone, which decides the size warning, the figure would contradict the warning: nothing is quoted.
    """
    total, largest = tumour.area_mm2, tumour.largest.area_mm2
    if total is None or largest is None or tumour.touches_edge:
        return None
    score = _band(total, measured)
    if score is None or score.dice_mean is None or score is not _band(largest, measured):
        return None
    return score


def _band(area_mm2: float, measured: Measured) -> BandScore | None:
    """The band (low, high] of the table by segmented area that holds `area_mm2`."""
    for score in measured.by_predicted_area:
        low, high = score.band
        if above(area_mm2, low) and (high is None or not above(area_mm2, high)):
            return score
    return None
