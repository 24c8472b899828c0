"""Records the open source: its frames and answers, and every change of guards, notes, crop and model."""

from collections.abc import Callable, Iterable
from pathlib import Path

from inference.alarms import Alarm
from inference.crop import Rect
from inference.frame import Frame, Mask
from inference.live.guarded_source import GuardedSource
from inference.live.model import Model
from inference.outcome import Outcome
from inference.patience import ANSWER_S
from inference.recording.recorder import Recorder, RecordStatus
from inference.recording.schema import Corrector, End, Event, EventKind, ModelUsed
from inference.view_notes import Marker, ViewNotes

Corrected = Callable[[Frame], tuple[Mask, Corrector] | None]
"""The (rows, cols) 0/1 mask that a person gave a frame before it came, and who; None for almost every frame."""


def nobody(_: Frame) -> None:
    """Of a live source no frame is corrected before it comes."""


class SessionRecord:
    """Feeds a recorder. Only `finish` waits for the disk.

    Args:
        path: the new file; must not exist yet.
        source: the source whose frames are recorded after `begin`.
        case_code: code typed by the user, already checked.
        limit_s: how long the disk may take to create the file.
        corrected: of a recording that is played, what is corrected already; called in the analysis thread.

    Raises:
        OutputError: if the file cannot be created.
        SourceError: if its drive does not answer.
    """

    def __init__(
        self,
        path: Path,
        source: GuardedSource,
        case_code: str = "",
        *,
        limit_s: float = ANSWER_S,
        corrected: Corrected = nobody,
    ) -> None:
        self._source, rect, self._corrected = source, source.rect, corrected
        self._recorder = Recorder(path, source.info, case_code=case_code, rect=rect, limit_s=limit_s)
        self._told = {EventKind.CROP: _crop_words(rect)}
        self._model: Model | None = None
        self._over = False

    def begin(self, notes: ViewNotes, model: Model | None) -> None:
        """Write the current settings, then every frame from the next one on.

        They hold from the record's very beginning: a frame that comes next may have been captured before this.
        """
        start = self._recorder.start
        self._source.guard_events()  # drops the events from before the record
        for finding in self._source.ringing:
            self._recorder.event(EventKind.GUARD_BEGIN, finding.alarm.value, at=start)
        self.follow(notes, model, at=start)
        self._source.recorder = self._frame

    def outcome(self, outcome: Outcome) -> None:
        """Record an answer, and the correction that lies over it already; called in the analysis thread."""
        self._recorder.outcome(outcome)
        if (kept := self._corrected(outcome.frame)) is not None:
            self._recorder.correction(outcome, *kept)

    def follow(self, notes: ViewNotes, model: Model | None, at: float | None = None) -> None:
        """Write the changes since the last call; called at every tick.

        Args:
            notes: the user's notes on the view.
            model: the model that answers.
            at: since when they hold, `time.monotonic()` seconds; from now on by default.
        """
        self._tell_guards()
        for kind, words in _words(notes).items():
            self._tell(kind, words, at)
        self._tell(EventKind.CROP, _crop_words(self._source.rect), at)
        if model is not None and model is not self._model:
            self._model = model
            self._recorder.model(model.sha256, model.provider, model.contract.to_json())

    def mark_wrong(self, outcome: Outcome) -> bool:
        """Write that the user marked this contour as wrong. False if its frame is not in the record."""
        return self._recorder.event(EventKind.WRONG, "", outcome)

    def correct(self, outcome: Outcome, mask: Mask | None, who: Corrector) -> bool:
        """Write a person's correction of this contour, None if all was taken back. False if its frame is not there."""
        return self._recorder.correction(outcome, mask, who)

    def status(self) -> RecordStatus:
        """The state of the recording."""
        return self._recorder.status()

    def end(self, how: str = End.STOPPED) -> None:
        """Record nothing more; never waits. Only the first call counts.

        Args:
            how: an `End`, or the name of a signal.
        """
        if self._over:
            return
        self._over = True
        self._tell_guards()
        self._source.recorder = None
        self._recorder.event(EventKind.ENDED, how)

    def finish(self) -> RecordStatus:
        """End, write the waiting entries, and close the file, as long as the disk takes.

        Raises:
            OutputError: if its drive does not answer.
        """
        self.end()
        return self._recorder.close()

    def _tell_guards(self) -> None:
        """Write which alarms began and ended since the last call."""
        for event in self._source.guard_events():
            kind = EventKind.GUARD_BEGIN if event.begins else EventKind.GUARD_END
            self._recorder.event(kind, event.alarm.value, at=event.at)

    def _frame(self, frame: Frame, overruled: frozenset[Alarm]) -> None:
        """Write what was overruled for this frame, then it. Called in the capture thread: a tick would be too late."""
        self._tell(EventKind.OVERRULED, _alarm_words(overruled), frame.captured_at)
        self._recorder.frame(frame)

    def _tell(self, kind: EventKind, words: str, at: float | None = None) -> None:
        """Write a choice if it differs from the last one written; each kind by one thread only."""
        if self._told.get(kind, "") != words:
            self._told[kind] = words
            self._recorder.event(kind, words, at=at)


def in_force(
    notes: ViewNotes, model: Model | None, overruled: frozenset[Alarm] = frozenset()
) -> Iterable[Event | ModelUsed]:
    """Notes, overruled alarms and model as the first entries of a record that is written afterwards."""
    for kind, words in (_words(notes) | {EventKind.OVERRULED: _alarm_words(overruled)}).items():
        if words:
            yield Event(at_s=0.0, kind=kind, words=words)
    if model is not None:
        yield ModelUsed(at_s=0.0, sha256=model.sha256, provider=model.provider, contract=model.contract.to_json())


def _words(notes: ViewNotes) -> dict[EventKind, str]:
    """The notes in the words of a record; empty if the user set nothing."""
    marker = notes.marker.value if notes.marker in (Marker.LEFT, Marker.RIGHT) else ""
    return {EventKind.PHASE: notes.phase.value, EventKind.FLIP: notes.flip.words, EventKind.MARKER: marker}


def _alarm_words(alarms: frozenset[Alarm]) -> str:
    return " ".join(sorted(alarm.value for alarm in alarms))


def _crop_words(rect: Rect | None) -> str:
    return "whole" if rect is None else f"{rect.top},{rect.left},{rect.rows},{rect.cols}"
