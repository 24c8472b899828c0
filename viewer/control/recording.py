"""Recording from the window: start, stop, the last 30 s afterwards, marks; polled, so that nothing waits for a disk."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from inference.errors import IusError, OutputError, TakenError
from inference.files import dated, make_folder
from inference.frame import Frame, Mask
from inference.jobs.background import BackgroundJobs
from inference.live.session import Session
from inference.outcome import NothingFound, Outcome, Tumour
from inference.patience import SILENT, in_time
from inference.readout.correction import frame_key
from inference.readout.formatting import time_words
from inference.readout.marks import Tone
from inference.recording.judgements import Judgements
from inference.recording.schema import Corrector, End, code_of_day
from viewer.layout.recording_badge import RecordBadge

if TYPE_CHECKING:
    from inference.live.session_record import SessionRecord

ANSWER_S = 1.0
"""How long the folder of records may take to answer when a recording starts: the window waits for it."""
Created = TypeVar("Created")


class Recording:
    """The running recording, in the window's thread. The session feeds the record; this starts, shows and ends it.

    Args:
        session: the session whose frames and outcomes are recorded.
        badge: shows the state of the recording.
        folder: where records go; created when the first one is written.
        background: runs the slow jobs and reports how they went.

    Attributes:
        case_code: typed by the user for this sitting; None for an automatic one.
    """

    def __init__(self, session: Session, badge: RecordBadge, folder: Path, background: BackgroundJobs) -> None:
        self._session, self._badge, self._folder, self._background = session, badge, folder, background
        self._record: SessionRecord | None = None
        self._silent: SessionRecord | None = None
        self._wrong: dict[tuple[int, float], frozenset[str]] = {}  # with the models of which one drew it, if known
        self._corrected: dict[tuple[int, float], tuple[Mask, Corrector]] = {}
        self.case_code: str | None = None

    @property
    def running(self) -> bool:
        """Whether a recording is being written."""
        return self._record is not None

    @property
    def seconds(self) -> float | None:
        """Length of the record being written; None if none is."""
        return None if self._record is None else self._record.status().seconds

    def start(self) -> None:
        """Start a record of what is open; say why not if that is impossible or a record is already running."""
        if self.running:
            self._background.say("A recording is running: stop it (R) before another one begins.")
            return
        if self._session.info is None:
            self._background.say("Open a source first: there is nothing to record.")
            return
        try:
            self._record = self._at_free_name(
                lambda path: self._session.start_record(
                    path, self.code, limit_s=ANSWER_S, corrected=self._corrected_before
                )
            )
        except IusError as error:
            self._background.say(str(error))
        else:
            playback = self._session.playback
            if playback is not None and not playback.playing:
                playback.redeliver()  # what stands on the screen is judged and corrected next
                self._background.say(f"Recording under {self.code}, and the replay stands still: space plays it.")
                return
            self._background.say(f"Recording under {self.code}. Another case code: Shift R.", Tone.NEUTRAL)

    def stop(self, how: str = End.STOPPED) -> None:
        """End the record; a message says what it holds once it is finished.

        Args:
            how: written into the record.
        """
        record, self._record = self._record, None
        if record is not None:
            if record is self._session.record:
                self._session.stop_record(how)
            self._badge.hide()
            self._background.begin(lambda: _finish(record))

    def keep(self) -> None:
        """Write the last half minute of a live source; of a frozen view its own, with what was judged in it."""
        review, info, source = self._session.review, self._session.info, self._session.source
        held, which = (self._session.held(), "last") if review is None else (review.held, "frozen")
        if held is None or info is None or source is None:
            self._background.say("Only a live source has a last half minute to keep: press R to record a replay.")
            return
        code, rect, wrong, corrected = self.code, source.rect, frozenset(self._wrong), dict(self._corrected)
        notes, model, overruled = self._session.notes, self._session.model, source.overruled

        def job() -> str:
            from inference.live.keep_last import keep
            from inference.live.session_record import in_force

            def written(path: Path) -> tuple[Path, int]:
                entries = in_force(notes, model, overruled)
                return path, keep(
                    held,
                    path,
                    info,
                    case_code=code,
                    rect=rect,
                    in_force=entries,
                    wrong=wrong,
                    corrected=corrected,
                )

            path, count = self._at_free_name(written)
            seconds = held.captured_at(len(held) - 1) - held.captured_at(0)
            return f"The {which} {seconds:.0f} s are kept, {count} frames: {path.name} in {path.parent}."

        self._background.say(f"The {which} half minute is being written.", Tone.NEUTRAL)
        self._background.begin(job, SILENT.format(self._folder))

    def mark_wrong(self, shown: Outcome | None) -> bool:
        """Record the user's judgement that the contour on the screen is wrong. False if no record can hold it."""
        if not isinstance(shown, Tumour):
            self._background.say("There is no contour here to be marked as wrong.")
            return False
        in_record = self._record is not None and self._record.mark_wrong(shown)
        if in_record or self._session.live is not None:
            self._wrong[frame_key(shown.frame)] = frozenset({shown.analysis.model_sha256})
        if in_record:
            self._background.say("Contour marked as wrong in the record.", Tone.NEUTRAL)
        elif self._session.live is not None:
            self._background.say("Contour marked as wrong: press K to keep it with the last 30 s.", Tone.NEUTRAL)
        else:
            self._background.say("Start recording to mark contours: press R.")
            return False
        return True

    def is_wrong(self, outcome: Outcome) -> bool:
        """Whether this answer was marked as wrong, now or when the open record was made; never another model's."""
        models = self._wrong.get(frame_key(outcome.frame))
        if not models or not isinstance(outcome, Tumour | NothingFound):
            return models is not None
        return outcome.analysis.model_sha256 in models

    def source_opened(self, judgements: Judgements | None) -> None:
        """Forget what was judged of the former source; take over what was of a record."""
        kept = judgements.corrections if judgements else {}
        self._corrected = {(number, 0.0): (one.mask, one.who) for number, one in kept.items()}
        self._wrong = {(number, 0.0): judgements.models for number in judgements.wrong} if judgements else {}

    def correct(self, shown: Outcome, mask: Mask | None, who: Corrector) -> None:
        """Record a person's correction of the contour on the screen, now and with the last half minute.

        Args:
            shown: what is on the screen.
            mask: (rows, cols) 0/1; None if all was taken back.
            who: who corrected it.
        """
        key = frame_key(shown.frame)
        if mask is None:
            self._corrected.pop(key, None)
        else:
            self._corrected[key] = mask, who
        if self._record is not None:
            self._record.correct(shown, mask, who)

    def _corrected_before(self, frame: Frame) -> tuple[Mask, Corrector] | None:
        """The correction that the screen shows of a recording's frame; called in the analysis thread."""
        found = self._corrected.get(frame_key(frame))
        return found if found is not None and found[0].shape == frame.pixels.shape else None

    def show(self) -> None:
        """Update the badge; end the recording if the source or the disk has ended the record."""
        if self._record is None:
            return
        if self._record is not self._session.record:
            self._background.say("The recording ended with its source.", Tone.NOTICE)
            self.stop()
            return
        status = self._record.status()
        if status.silent and self._silent is not self._record:
            self._silent = self._record
            self._background.say(SILENT.format(status.path))
        if status.error:
            self.stop()  # stopping shows the message
        else:
            self._badge.show_status(status.seconds, status.size, status.frames, status.dropped)

    @property
    def code(self) -> str:
        """The user's case code, or the code of the day, so that what is recorded together is found together."""
        return self.case_code or code_of_day(datetime.now().astimezone())

    def _at_free_name(self, create: Callable[[Path], Created]) -> Created:
        """Create a record under the first name that is free; another viewer may look for one in the same second."""
        folder = in_time(lambda: make_folder(self._folder), ANSWER_S, SILENT.format(self._folder))
        for path in dated(folder, datetime.now().astimezone(), ".mcap"):
            with suppress(TakenError):
                return create(path)
        raise AssertionError  # there is always a further name


def _finish(record: "SessionRecord") -> str:
    status = record.finish()
    lost = f", {status.dropped} dropped" if status.dropped else ", none dropped"
    path = status.path
    if status.error:
        raise OutputError(f"{status.error} {status.frames} frames were kept." if path.exists() else status.error)
    if not status.frames:
        raise OutputError(f"Nothing came while it was recorded: {path.name} holds no frame.")
    return f"Recorded {time_words(status.seconds)}, {status.frames} frames{lost}: {path.name} in {path.parent}."
