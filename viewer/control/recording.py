"""Recording from the window: start, stop, the last 30 s afterwards, marks; polled, so that nobody waits for a disk."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from inference.errors import OutputError
from inference.live.model import Model
from inference.live.session import Session
from inference.outcome import Outcome, Tumour
from inference.view_notes import Standing
from viewer.jobs.background import Chores
from viewer.jobs.snapshots import free_stem
from viewer.layout.recording_badge import RecordBadge
from viewer.readout.formatting import time_words
from viewer.style.marks import Tone

if TYPE_CHECKING:
    from inference.crop import Rect
    from inference.recording.recorder import Recorder
    from inference.recording.schema import Event, ModelUsed

STOP_S = 60.0


class Recording:
    """What is being recorded, in the window's thread.

    Args:
        session: whose frames and outcomes are recorded.
        badge: shows how it goes.
        folder: where records go; made when the first is written.
        chores: does what takes long, and says how it went.

    Attributes:
        case_code: typed by the user for this sitting; None until asked.
    """

    def __init__(self, session: Session, badge: RecordBadge, folder: Path, chores: Chores) -> None:
        self._session, self._badge, self._folder, self._chores = session, badge, folder, chores
        self._recorder: Recorder | None = None
        self._feed: object = None
        self._told: dict[str, object] = {}
        self._wrong: set[tuple[int, float]] = set()
        self.case_code: str | None = None

    @property
    def running(self) -> bool:
        """Whether a recording is being written."""
        return self._recorder is not None

    def start(self, standing: Standing) -> None:
        """Begin a record of what is open; a sentence where that cannot be."""
        from inference.recording.recorder import Recorder

        info = self._session.info
        if info is None or self._session.feed is None:
            self._chores.say("Open a source first: there is nothing to record.")
            return
        try:
            recorder = Recorder(self._free_path(), info, case_code=self.case_code or "", rect=self._rect())
        except OutputError as error:
            self._chores.say(str(error))
            return
        self._session.guard_events()  # of the time before
        self._recorder, self._feed = recorder, self._session.feed
        self._told = {"crop": self._rect()}
        for finding in self._session.ringing:
            self._write("guard_begin", finding.alarm.value)
        self.follow(standing)
        self._session.record_to(recorder)

    def stop(self) -> None:
        """End the record; what it holds is said once it is finished."""
        self._tell_guards()
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            self._session.record_to(None)
            self._badge.hide()
            self._chores.begin(lambda: _finish(recorder))

    def keep(self, standing: Standing) -> None:
        """Write the last half minute of a live source."""
        held, info = self._session.held(), self._session.info
        if held is None or info is None:
            self._chores.say("Only a live source has a last half minute to keep: press R to record a replay.")
            return
        code, rect, wrong = self.case_code or "", self._rect(), frozenset(self._wrong)
        in_force = _in_force(standing, self._session.model)

        def job() -> str:
            from inference.live.keep_last import keep

            path = self._free_path()
            count = keep(held, path, info, case_code=code, rect=rect, in_force=in_force, wrong=wrong)
            seconds = held.captured_at(len(held) - 1) - held.captured_at(0)
            return f"The last {seconds:.0f} s are kept, {count} frames: {path.name} in {path.parent}."

        self._chores.say("The last half minute is being written.", Tone.NEUTRAL)
        self._chores.begin(job)

    def mark_wrong(self, shown: Outcome | None) -> None:
        """The user's word that the contour on the screen is wrong."""
        from inference.recording.schema import EventKind

        if not isinstance(shown, Tumour):
            self._chores.say("There is no contour here to be marked as wrong.")
            return
        self._wrong.add((shown.frame.index, shown.frame.captured_at))
        if self._recorder is not None and self._recorder.event(EventKind.WRONG, "", shown):
            self._chores.say("Contour marked as wrong in the record.", Tone.NEUTRAL)
        elif self._session.live is not None:
            self._chores.say("Contour marked as wrong: press K to keep it with the last 30 s.", Tone.NEUTRAL)
        else:
            self._chores.say("Nothing is recorded that could hold this mark: press R first.")

    def follow(self, standing: Standing) -> None:
        """Write what changed; end with the source, or where the disk ended it. Called at every tick."""
        recorder = self._recorder
        if recorder is None:
            return
        if self._session.feed is not self._feed:
            self._chores.say("The recording ended with its source.", Tone.NOTICE)
            self.stop()
            return
        self._tell_guards()
        for kind, words in standing.said.items():
            self._tell(kind, words)
        self._tell("crop", self._rect())
        model = self._session.model
        if model is not None and self._told.get("model") is not model:
            self._told["model"] = model
            recorder.model(model.sha256, model.provider, model.contract.to_json())

    def show(self) -> None:
        """Bring the badge to this moment."""
        if self._recorder is None:
            return
        status = self._recorder.status()
        if status.error:
            self.stop()  # which says it
        else:
            self._badge.show_status(status.seconds, status.size, status.frames, status.dropped)

    def _tell_guards(self) -> None:
        """Write which alarms began and ended since last asked, as long as they are this source's."""
        if self._recorder is not None and self._session.feed is self._feed:
            for event in self._session.guard_events():
                self._write("guard_begin" if event.begins else "guard_end", event.alarm.value, event.at)

    def _tell(self, kind: str, value: "str | Rect | None") -> None:
        """Write a choice if it is another one than before."""
        if self._told.get(kind, "") != value:
            self._told[kind] = value
            if value is None:
                value = "whole"
            words = value if isinstance(value, str) else f"{value.top},{value.left},{value.rows},{value.cols}"
            self._write(kind, words)

    def _write(self, kind: str, words: str, at: float | None = None) -> None:
        from inference.recording.schema import EventKind

        if self._recorder is not None:
            self._recorder.event(EventKind(kind), words, at=at)

    def _rect(self) -> "Rect | None":
        """What is left of the picture; None for all of it."""
        feed, info = self._session.feed, self._session.info
        rect = None if feed is None else feed.cropping.rect
        return rect if rect is not None and info is not None and rect.fits(info.rows, info.cols) else None

    def _free_path(self) -> Path:
        made(self._folder)
        stem = free_stem(self._folder, datetime.now().astimezone(), lambda path: path.exists(), ".mcap")
        return self._folder / f"{stem}.mcap"


def made(folder: Path) -> Path:
    """The folder, made if it was not there.

    Raises:
        OutputError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sentence = f"{folder} cannot be made ({error.strerror}): check the disk and its rights."
        raise OutputError(sentence) from error
    return folder


def _finish(recorder: "Recorder") -> str:
    status = recorder.close(STOP_S)
    lost = f", {status.dropped} dropped" if status.dropped else ", none dropped"
    if status.error:
        raise OutputError(f"{status.error} {status.frames} frames were kept.")
    path = status.path
    return f"Recorded {time_words(status.seconds)}, {status.frames} frames{lost}: {path.name} in {path.parent}."


def _in_force(standing: Standing, model: Model | None) -> "list[Event | ModelUsed]":
    from inference.recording.schema import Event, EventKind, ModelUsed

    found: list[Event | ModelUsed] = [
        Event(at_s=0.0, kind=EventKind(kind), words=words) for kind, words in standing.said.items() if words
    ]
    if model is not None:
        contract = model.contract.to_json()
        found.append(ModelUsed(at_s=0.0, sha256=model.sha256, provider=model.provider, contract=contract))
    return found
