"""What may become of a frame's answer: pure functions from findings, model and outcome."""

from dataclasses import replace

from inference.alarms import Alarm, Finding, forbidding
from inference.contract import Seen
from inference.frame import Frame
from inference.live.model import Model
from inference.outcome import NotAnalysed, NothingFound, Outcome, Reason, Tumour, UnknownSpacing

DEMONSTRATION_ONLY = (
    "This model was trained on simulation. It looks at a live picture only if you choose that in this session."
)
NO_SCALE = "The scale is void: calibrate again."


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


class Precedence:
    """Which answer stands: an alarm on the newest picture at once, and after it none of an older picture.

    However slow the model, an answer that it began before the alarm never stands beside it, nor comes back after it.
    """

    def __init__(self) -> None:
        self._not_before = float("-inf")

    def choose(self, newest: Outcome | None, picture: Frame | None, *, without_scale: bool) -> Outcome | None:
        """What to show now; None leaves what is there.

        Args:
            newest: the analysis's newest answer, if there is a new one.
            picture: the source's newest frame, if there is a new one.
            without_scale: whether the user chose to analyse without scale.
        """
        barred = None if picture is None else self._barred(picture, without_scale=without_scale)
        if barred is not None:
            self._not_before = max(self._not_before, barred.frame.captured_at)
        if newest is None or newest.frame.captured_at < self._not_before:
            return barred
        return newest

    def _barred(self, picture: Frame, *, without_scale: bool) -> Outcome | None:
        """The answer to a picture that needs no model; None where the model shall have its say."""
        if (finding := forbidding(picture.findings)) is not None:
            return not_analysed(picture, finding)
        changed = picture.depth_changed_at
        if changed is None or (without_scale and changed <= self._not_before):
            return None
        return UnknownSpacing(picture, picture.no_spacing_reason or NO_SCALE)


def not_analysed(frame: Frame, finding: Finding) -> NotAnalysed:
    """The answer to a frame that a guard forbids to analyse."""
    return NotAnalysed(frame, Reason.GUARD, finding.sentence, finding.alarm)
