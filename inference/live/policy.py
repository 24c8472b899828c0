"""What may become of a frame's answer: pure functions from findings, model and outcome."""

from dataclasses import replace

from inference.contract import Seen
from inference.frame import Frame
from inference.guards.base import Alarm
from inference.live.requests import Model
from inference.outcome import NotAnalysed, NothingFound, Outcome, Reason, Tumour

DEMONSTRATION_ONLY = (
    "This model was trained on simulation. It looks at a live picture only if you choose that in this session."
)


def said(outcome: Outcome, seen: Seen) -> Outcome:
    """The same answer, saying of a frame unlike the training data that it is: on the screen, in records and exports.

    Args:
        outcome: any.
        seen: what the model that gave it saw in training: the guard may have looked while another one was loaded.
    """
    from inference.guards.unlike import unlike  # OpenCV: not before the window is there

    if not isinstance(outcome, Tumour | NothingFound):
        return outcome
    held = (finding.sentence for finding in outcome.frame.findings if finding.alarm is Alarm.UNLIKE_TRAINING)
    sentence = unlike(outcome.frame, seen) or next(held, "")
    return replace(outcome, analysis=replace(outcome.analysis, unlike=sentence)) if sentence else outcome


def unchosen(model: Model, frame: Frame, *, chosen: bool) -> bool:
    """Whether a demonstration model would look at a live picture that nobody chose it for."""
    return frame.origin.live and not frame.origin.simulated and model.contract.population.simulated and not chosen


def is_answer_of(model: Model, shown: Outcome | None) -> bool:
    """Whether the outcome on the screen can be this model's, and is no answer of the former one or of none."""
    if isinstance(shown, Tumour | NothingFound):
        return shown.analysis.model_sha256 == model.sha256
    return not (isinstance(shown, NotAnalysed) and shown.reason is Reason.OFF)
