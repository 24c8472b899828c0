"""The guards' place: between a source and whoever shows, records or analyses its frames. Their word comes first."""

from dataclasses import replace
from typing import TYPE_CHECKING

from inference.frame import Frame
from inference.guards.base import Alarm, Event, Finding, forbidding
from inference.outcome import NotAnalysed, Outcome, Reason, UnknownSpacing

if TYPE_CHECKING:
    from inference.contract import Seen

NO_SCALE = "The scale is void: calibrate again."


class Sentry:
    """Shows every frame of one source to the guards, before anybody else gets it; called in the capture thread only.

    Attributes:
        findings: of the newest frame; may be read from another thread.
    """

    def __init__(self) -> None:
        from inference.guards.all import every_guard  # OpenCV: not before the window is there

        self._watch = every_guard()
        self.findings: tuple[Finding, ...] = ()

    def look(self, frame: Frame, seen: "Seen | None") -> Frame:
        """The same frame with what the guards found in it.

        Args:
            frame: the next one of the source.
            seen: what the loaded model saw in training; None while there is none.
        """
        self.findings = found = self._watch.look(frame, seen)
        return replace(frame, findings=found) if found else frame

    @property
    def frozen(self) -> Finding | None:
        """That the scanner stands still, where nothing worse is wrong."""
        found = self.findings
        return None if forbidding(found) else next((one for one in found if one.alarm is Alarm.FROZEN), None)

    @property
    def ringing(self) -> tuple[Finding, ...]:
        """The alarms at the newest frame."""
        return self._watch.ringing

    def events(self) -> tuple[Event, ...]:
        """Begins and ends of alarms since last asked; each is given once."""
        return self._watch.events()


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
