"""Decides what happens to a frame: pure functions of findings, contract and outcome.

The window, `ius-segment run` and `ius-segment live` all use them:

    frame with findings ─▶ a guard forbids it?          ─▶ NotAnalysed, with the guard's sentence
                        ─▶ demonstration model on live? ─▶ NotAnalysed, unless the user chose the model
                        ─▶ analyse(frame)               ─▶ its outcome, marked if unlike the training data
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from inference.alarms import Alarm, Finding, forbidding
from inference.contract import ModelContract, Seen
from inference.frame import Frame
from inference.outcome import NotAnalysed, NothingFound, Outcome, Reason, Tumour, UnknownSpacing

Analyse: TypeAlias = Callable[[Frame], Outcome]

DEMONSTRATION_ONLY = (
    "This model was trained on simulation. It looks at a live picture only if you choose that in this session."
)
NO_SCALE = "The scale is void: calibrate again."


def answer(frame: Frame, analyse: Analyse, contract: ModelContract, *, model_chosen: bool = True) -> Outcome:
    """The outcome of one frame.

    Args:
        frame: the frame with the guards' findings.
        analyse: the model; called only if nothing forbids the analysis.
        contract: the model's contract.
        model_chosen: whether the user chose this model for live sources, even if it is a demonstration model.
    """
    if (refused := forbidden(frame)) is not None:
        return refused
    if not model_chosen and is_demonstration_on_live(contract, frame):
        return NotAnalysed(frame, Reason.DEMONSTRATION, DEMONSTRATION_ONLY)
    return marked_if_unlike(analyse(frame), contract.input.seen)


def forbidden(frame: Frame) -> NotAnalysed | None:
    """The outcome of a frame if a guard forbids its analysis; None if none does."""
    finding = forbidding(frame.findings)
    return None if finding is None else not_analysed(frame, finding)


def not_analysed(frame: Frame, finding: Finding) -> NotAnalysed:
    """The outcome of a frame whose analysis this finding forbids."""
    return NotAnalysed(frame, Reason.GUARD, finding.sentence, finding.alarm)


def marked_if_unlike(outcome: Outcome, seen: Seen) -> Outcome:
    """The same outcome; if its frame is unlike the training data, its analysis says so for screen and exports.

    Args:
        outcome: any outcome.
        seen: what the model that gave it saw in training; the guard may have checked against another model's.
    """
    from inference.guards.unlike import unlike  # loads OpenCV: only once the window is open

    if not isinstance(outcome, Tumour | NothingFound):
        return outcome
    held = (finding.sentence for finding in outcome.frame.findings if finding.alarm is Alarm.UNLIKE_TRAINING)
    sentence = unlike(outcome.frame, seen) or next(held, "")
    return replace(outcome, analysis=replace(outcome.analysis, unlike=sentence)) if sentence else outcome


def is_demonstration_on_live(contract: ModelContract, frame: Frame) -> bool:
    """Whether a model trained on simulation would analyse a live picture that is not simulated."""
    return frame.origin.live and not frame.origin.simulated and contract.population.simulated


def is_answer_of(model_sha256: str, shown: Outcome | None) -> bool:
    """Whether the outcome on the screen can come from this model, not from the one before or from no model at all."""
    if isinstance(shown, Tumour | NothingFound):
        return shown.analysis.model_sha256 == model_sha256
    return not (isinstance(shown, NotAnalysed) and shown.reason is Reason.OFF)


class Precedence:
    """Chooses the answer to show: an alarm on the newest picture at once, and from then on no answer to an older one.

    However slow the model is, an answer begun before the alarm is never shown with the alarm, nor after it.
    """

    def __init__(self) -> None:
        self._not_before = float("-inf")
        self._barred_frame: Frame | None = None

    def choose(self, newest: Outcome | None, picture: Frame | None, *, without_scale: bool) -> Outcome | None:
        """The answer to show now; None keeps the one that is shown.

        Args:
            newest: the analysis's newest answer, if there is a new one.
            picture: the source's newest frame, if there is a new one.
            without_scale: whether the user chose to analyse without scale.
        """
        barred = None if picture is None else self._barred(picture, without_scale=without_scale)
        if barred is not None:
            self._not_before = max(self._not_before, barred.frame.captured_at)
        if newest is None or newest.frame.captured_at < self._not_before or self._said_already(newest):
            newest = None
        if barred is not None:
            self._barred_frame = barred.frame
        return newest or barred

    def _said_already(self, newest: Outcome) -> bool:
        """Whether the analysis only repeats what was said of this frame when its picture came."""
        return newest.frame is self._barred_frame and isinstance(newest, NotAnalysed | UnknownSpacing)

    def _barred(self, picture: Frame, *, without_scale: bool) -> Outcome | None:
        """The answer to a picture that can be given without the model; None if the model has to answer."""
        if (refused := forbidden(picture)) is not None:
            return refused
        changed = picture.depth_changed_at
        if changed is None or (without_scale and changed <= self._not_before):
            return None
        return UnknownSpacing(picture, picture.no_spacing_reason or NO_SCALE)
