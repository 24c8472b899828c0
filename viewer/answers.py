"""What may become of a frame's answer: pure functions from findings, model and outcome."""

from collections.abc import Sequence
from dataclasses import replace

from inference.frame import Frame
from inference.guards.base import KEEPS_CONTOUR, Alarm, Finding
from inference.reading import NotAnalysed, NothingFound, Outcome, Reason, Tumour
from viewer.opened import Model

DEMONSTRATION_ONLY = (
    "This model was trained on simulation. It looks at a live picture only if you choose that in this session."
)


def forbidding(found: Sequence[Finding]) -> Finding | None:
    """The finding that forbids to analyse the frame, None where none does."""
    return next((finding for finding in found if finding.alarm not in KEEPS_CONTOUR), None)


def said(outcome: Outcome, found: Sequence[Finding]) -> Outcome:
    """The same answer, saying of a frame unlike the training data that it is: on the screen, in records and exports."""
    unlike = next((finding.sentence for finding in found if finding.alarm is Alarm.UNLIKE_TRAINING), "")
    if unlike and isinstance(outcome, Tumour | NothingFound):
        return replace(outcome, analysis=replace(outcome.analysis, unlike=unlike))
    return outcome


def unchosen(model: Model, frame: Frame, *, chosen: bool) -> bool:
    """Whether a demonstration model would look at a live picture that nobody chose it for."""
    return frame.origin.live and not frame.origin.simulated and model.contract.population.simulated and not chosen


def is_answer_of(model: Model, shown: Outcome | None) -> bool:
    """Whether the outcome on the screen can be this model's, and is no answer of the former one or of none."""
    if isinstance(shown, Tumour | NothingFound):
        return shown.analysis.model_sha256 == model.sha256
    return not (isinstance(shown, NotAnalysed) and shown.reason is Reason.OFF)
