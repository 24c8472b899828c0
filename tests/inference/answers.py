"""An answer of every kind without a window, and what the window would say of it."""

import numpy as np

from inference.contract import ModelContract, Reliability
from inference.frame import Frame, Origin, View
from inference.live.health import Condition, Health
from inference.outcome import Analysis, Diameters, NothingFound, Outcome, Region, Tumour, size_state
from inference.readout.readout_state import Context, ReadoutState
from inference.readout.states import readout_of
from inference.spacing import PixelSpacing, Provenance
from inference.view_notes import Phase

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


def nothing(shown: Frame | None = None) -> NothingFound:
    shown = shown or frame()
    return NothingFound(shown, analysis(shown))


def said(outcome: Outcome, contract: ModelContract | None, phase: Phase = Phase.BEFORE_DURA) -> ReadoutState:
    held = outcome.size if isinstance(outcome, Tumour) else None
    return readout_of(outcome, RUNNING, Context(contract, phase, held))


def text(shown: ReadoutState) -> str:
    return " ".join((shown.number, shown.unit, shown.headline, shown.detail, shown.card.title, *shown.card.body))
