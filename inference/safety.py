"""The safety sentences, which must accompany an answer wherever it is shown.

Screen, exports, OpenIGTLink and command line take them from here. The guards' own sentences are in `alarms`, and come
here with an outcome or its frame's findings. No sentence here ever reassures: above the size limit there is no warning,
and nothing more is said.
"""

from collections.abc import Collection
from typing import Final

from inference.alarms import Alarm
from inference.frame import Frame
from inference.outcome import NothingFound, Outcome, SizeState, Tumour
from inference.view_notes import Phase

INTENDED_USE: Final = "Research use only. Not for diagnosis or treatment."
DEMONSTRATION: Final = "DEMONSTRATION MODEL: trained on simulation"
"""Shown when a model trained on simulation analyses anything else."""
NO_SIZE_WARNING: Final = "No size warning"
SMALL: Final = {
    SizeState.AT_MOST_200: "SMALL: CONTOUR UNRELIABLE",
    SizeState.AT_MOST_35: "VERY SMALL CONTOUR: UNRELIABLE",
}
SMALL_BEFORE: Final = "Was small a moment ago"
"""Shown while a size warning is held although the number is above its limit again."""
LIKELY_TO_FAIL: Final = "MODEL LIKELY TO FAIL HERE"
"""Shown where the network is less certain of its contour than the contract's threshold."""
LIKELY_TO_FAIL_BEFORE: Final = "Was likely to fail a moment ago"
"""Shown while the amber of such a frame is held although the frame shown is above the threshold again."""
SIMULATION: Final = "Trained on simulation"
SLICES_ONLY: Final = "Evaluated on slices only"
UNVALIDATED: Final = "Scale unknown: unvalidated"
PHASE_UNSET: Final = "Phase not set"
NOT_EVALUATED: Final = "Not evaluated in this phase"
PHASE_RISK: Final = "Blood, saline, air and cavity edge may be drawn as tumour, and tumour missed."
PHASE_UNSET_RISK: Final = f"Once resection has begun: {PHASE_RISK.lower()}"
OVERRULED: Final = "Graphics alarm overruled"
"""The user has said that nothing is written on this source's pictures."""
OVERRULED_RISK: Final = "By the user, for this source. Calipers or text in the sector may be drawn as tumour."
CUT: Final = "Cut by picture edge: area is a lower bound"
CAVITY: Final = "Dash-dotted line: resection cavity, not counted as tumour"
"""Said where a model that tells the cavity apart draws one. It is no warning, and changes none."""
MODELS_OWN: Final = "Corrected by the user: contour and numbers here are the model's own"
"""Said where a file shows the model's contour of a frame whose contour a person corrected."""
CALLED_WRONG: Final = "Marked by the user: CONTOUR WRONG"
"""Said where a file shows a contour that the user called wrong."""
NOTHING: Final = "No tumour segmented"
NOT_EVIDENCE: Final = "Not evidence of absence"
NOT_ANALYSED: Final = "Not analysed"
FAILED: Final = "Analysis failed"
SLICE: Final = "reconstructed slice, not probe view"

HEADLINES: Final = frozenset(
    {
        *(*SMALL.values(), SMALL_BEFORE, LIKELY_TO_FAIL, LIKELY_TO_FAIL_BEFORE, UNVALIDATED),
        *(PHASE_UNSET, NOT_EVALUATED, OVERRULED, SIMULATION, SLICES_ONLY),
    }
)
"""Sentences that are highlighted wherever a card shows them; see `is_headline`."""


def is_headline(sentence: str) -> bool:
    """Whether a card highlights this sentence, also where it stands under a graver one."""
    return sentence in HEADLINES or sentence.startswith(Alarm.UNLIKE_TRAINING.headline)


def warnings(outcome: Outcome, phase: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Everything to know before believing this outcome, or why there is no answer to believe.

    Args:
        outcome: any outcome. The gravest sentence comes first: phase, this very contour, population, size and scale.
        phase: the result of `of_phase` for the phase of surgery.
    """
    if isinstance(outcome, Tumour):
        foretold = (LIKELY_TO_FAIL,) if outcome.likely_to_fail else ()
        return (*phase, *foretold, *_of_frame(outcome), *_of_size(outcome))
    if isinstance(outcome, NothingFound):
        scale = (UNVALIDATED,) if outcome.frame.spacing is None else ()
        return (NOT_EVIDENCE, *phase, *_of_frame(outcome), *scale)
    return (outcome.sentence,)


def of_phase(phase: Phase, evaluated: Collection[str] | None) -> tuple[str, ...]:
    """The warning for a phase of surgery, a headline and a sentence; empty for a phase that was evaluated.

    Args:
        phase: the phase that the user set, or `UNSET`.
        evaluated: the contract's phases; None while no model is loaded. Resection is never covered.
    """
    if phase is Phase.UNSET:
        return PHASE_UNSET, PHASE_UNSET_RISK
    if phase is Phase.RESECTION or (evaluated is not None and phase.value not in evaluated):
        return NOT_EVALUATED, PHASE_RISK
    return ()


def _of_size(tumour: Tumour) -> tuple[str, ...]:
    """Warnings of a small contour, of one without a scale, and of one that the picture's edge cuts."""
    size = UNVALIDATED if tumour.size is None else SMALL.get(tumour.size, "")
    return tuple(sentence for sentence in (size, CUT if tumour.touches_edge else "") if sentence)


def _of_frame(outcome: Tumour | NothingFound) -> tuple[str, ...]:
    """Warnings of a frame that the model was not trained for, and of a frozen scanner."""
    analysis = outcome.analysis
    frozen = [finding.sentence for finding in outcome.frame.findings if finding.alarm is Alarm.FROZEN]
    demonstration = DEMONSTRATION if analysis.demonstration else ""
    overruled = f"{OVERRULED}. {OVERRULED_RISK}" if is_overruled(outcome.frame) else ""
    return tuple(sentence for sentence in (overruled, demonstration, analysis.unlike, *frozen) if sentence)


def is_overruled(frame: Frame) -> bool:
    """Whether the frame was analysed although a guard forbade it, on the user's word."""
    return any(finding.overruled for finding in frame.findings)


def outside_training(unlike: str) -> str:
    """The headline for a picture unlike the training data, with what lies outside the range, as in `(pixel size)`.

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
"""The units by which the guard's sentence names each quantity; older records say `a pixel`."""
