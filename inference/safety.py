"""The safety sentences: what must stand beside an answer, wherever it is shown.

Screen, exports, OpenIGTLink and command line read them here. The guards' own words stand beside their names in
`alarms`, and reach here in an outcome or in its frame's findings. Nothing here is ever reassuring: above the size limit
there is no warning, and that is all.
"""

from collections.abc import Collection
from typing import Final

from inference.alarms import Alarm
from inference.outcome import NothingFound, Outcome, SizeState, Tumour
from inference.view_notes import Phase

INTENDED_USE: Final = "Research use only. Not for diagnosis or treatment."
DEMONSTRATION: Final = "DEMONSTRATION MODEL: trained on simulation"
"""Stands where a model trained on simulation looks at anything else."""
NO_SIZE_WARNING: Final = "No size warning"
SMALL: Final = {
    SizeState.AT_MOST_200: "SMALL: CONTOUR UNRELIABLE",
    SizeState.AT_MOST_35: "VERY SMALL CONTOUR: UNRELIABLE",
}
SMALL_BEFORE: Final = "Was small a moment ago"
"""While a size warning is held beside a number that is above its limit again."""
SIMULATION: Final = "Trained on simulation"
SLICES_ONLY: Final = "Evaluated on slices only"
UNVALIDATED: Final = "Scale unknown: unvalidated"
PHASE_UNSET: Final = "Phase not set"
NOT_EVALUATED: Final = "Not evaluated in this phase"
PHASE_RISK: Final = "Blood, saline, air and cavity edge may be drawn as tumour, and tumour missed."
PHASE_UNSET_RISK: Final = f"Set it (P). Once resection has begun: {PHASE_RISK.lower()}"
CUT: Final = "Cut by picture edge: area is a lower bound"
NOTHING: Final = "No tumour segmented"
NOT_EVIDENCE: Final = "Not evidence of absence"
NOT_ANALYSED: Final = "Not analysed"
FAILED: Final = "Analysis failed"
SLICE: Final = "reconstructed slice, not probe view"

HEADLINES: Final = frozenset(
    {*SMALL.values(), SMALL_BEFORE, UNVALIDATED, PHASE_UNSET, NOT_EVALUATED, SIMULATION, SLICES_ONLY}
)
"""What stands out wherever it stands on a card."""


def warnings(outcome: Outcome, phase: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Everything that must be known before this outcome is believed, or why there is nothing to believe.

    Args:
        outcome: any; the gravest sentence comes first: phase, then population, then size and scale.
        phase: what `of_phase` says of the phase of surgery.
    """
    if isinstance(outcome, Tumour):
        return (*phase, *_of_frame(outcome), *_of_size(outcome))
    if isinstance(outcome, NothingFound):
        scale = (UNVALIDATED,) if outcome.frame.spacing is None else ()
        return (NOT_EVIDENCE, *phase, *_of_frame(outcome), *scale)
    return (outcome.sentence,)


def of_phase(phase: Phase, evaluated: Collection[str] | None) -> tuple[str, ...]:
    """What the phase of surgery forbids to believe: a headline and a sentence; nothing in an evaluated phase.

    Args:
        phase: that the user set, or not.
        evaluated: the contract's phases; None while no model is loaded. Resection is never covered.
    """
    if phase is Phase.UNSET:
        return PHASE_UNSET, PHASE_UNSET_RISK
    if phase is Phase.RESECTION or (evaluated is not None and phase.value not in evaluated):
        return NOT_EVALUATED, PHASE_RISK
    return ()


def _of_size(tumour: Tumour) -> tuple[str, ...]:
    """A small or unscaled contour, and one that the picture's edge cuts."""
    size = UNVALIDATED if tumour.size is None else SMALL.get(tumour.size, "")
    return tuple(sentence for sentence in (size, CUT if tumour.touches_edge else "") if sentence)


def _of_frame(outcome: Tumour | NothingFound) -> tuple[str, ...]:
    """A model looking at what it was not trained on, and a scanner that stands still."""
    analysis = outcome.analysis
    frozen = [finding.sentence for finding in outcome.frame.findings if finding.alarm is Alarm.FROZEN]
    demonstration = DEMONSTRATION if analysis.demonstration else ""
    return tuple(sentence for sentence in (demonstration, analysis.unlike, *frozen) if sentence)


def outside_training(unlike: str) -> str:
    """The headline of a picture that the model did not see the like of, with what lies outside: `(pixel size)`.

    Args:
        unlike: the guard's sentence.
    """
    outside = [name for name, units in _UNITS.items() if any(unit in unlike for unit in units)]
    return Alarm.UNLIKE_TRAINING.headline + (f" ({', '.join(outside)})" if outside else "")


_UNITS = {
    "pixel size": (" mm per pixel", " mm a pixel"),
    "picture size": (" pixels (",),
    "brightness": ("of the grey values",),
}
"""How the guard's sentence names each; `a pixel` in older records."""
