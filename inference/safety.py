"""The safety sentences: what must stand beside an answer, wherever it is shown.

Screen, exports, OpenIGTLink and command line read them here. The guards' own words stand beside their names in
`alarms`, and reach here in an outcome or in its frame's findings. Nothing here is ever reassuring: above the size limit
there is no warning, and that is all.
"""

from typing import Final

from inference.alarms import Alarm
from inference.outcome import NothingFound, Outcome, SizeState, Tumour

INTENDED_USE: Final = "Research use only. Not for diagnosis or treatment."
DEMONSTRATION: Final = "DEMONSTRATION MODEL: trained on simulation"
"""Stands where a model trained on simulation looks at anything else."""
NO_SIZE_WARNING: Final = "No size warning"
SMALL: Final = {
    SizeState.AT_MOST_200: "SMALL: CONTOUR UNRELIABLE",
    SizeState.AT_MOST_35: "VERY SMALL CONTOUR: UNRELIABLE",
}
UNVALIDATED: Final = "Scale unknown: contour unvalidated"
CUT: Final = "Cut by picture edge: area is a lower bound"
NOTHING: Final = "No tumour segmented"
NOT_EVIDENCE: Final = "Not evidence of absence"
NOT_ANALYSED: Final = "Not analysed"
FAILED: Final = "Analysis failed"
SLICE: Final = "reconstructed slice, not probe view"


def warnings(outcome: Outcome) -> tuple[str, ...]:
    """Everything that must be known before this outcome is believed, or why there is nothing to believe.

    Args:
        outcome: any; the gravest sentence comes first.
    """
    if isinstance(outcome, Tumour):
        return (*_of_size(outcome), *_of_frame(outcome))
    if isinstance(outcome, NothingFound):
        return (NOT_EVIDENCE, *_of_frame(outcome))
    return (outcome.sentence,)


def _of_size(tumour: Tumour) -> tuple[str, ...]:
    """A small or unscaled contour, and one that the picture's edge cuts."""
    size = UNVALIDATED if tumour.size is None else SMALL.get(tumour.size, "")
    return tuple(sentence for sentence in (size, CUT if tumour.touches_edge else "") if sentence)


def _of_frame(outcome: Tumour | NothingFound) -> tuple[str, ...]:
    """A model looking at what it was not trained on, and a scanner that stands still."""
    analysis = outcome.analysis
    frozen = [finding.sentence for finding in outcome.frame.findings if finding.alarm is Alarm.FROZEN]
    demonstration = DEMONSTRATION if analysis.demonstration else ""
    return tuple(sentence for sentence in (analysis.unlike, *frozen, demonstration) if sentence)
