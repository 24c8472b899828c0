"""Records next to the live path, with its own thread, a bounded queue, and a count of the frames that did not fit.

Capture, analysis and window never wait for the disk.
"""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from inference.crop import Rect
from inference.errors import OutputError
from inference.frame import Frame, Mask
from inference.outcome import Outcome
from inference.patience import ANSWER_S, SILENT, Watched, in_time, joined
from inference.recording.entries import answer_of, correction_of, opening_of, picture_of, scale_event, since
from inference.recording.schema import Corrector, End, Entry, Event, EventKind, ModelUsed
from inference.recording.writer import RecordFile
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing

log = logging.getLogger(__name__)
ROOM = 64_000_000
"""Bytes of frames that may wait for the disk: 2.8 s of 1280×720 at 25 fps."""
SYNC_S = 0.5
"""If the power fails, at most this much is lost."""
KNOWN = 4096
"""Number of frames whose place in the record is remembered, for answers and marks that come later."""
UNFINISHED = "{} could not be finished, since its drive does not answer: what is written is safe."
BROKEN = "Recording stopped unexpectedly, and all before is kept: record anew."


@dataclass(frozen=True, slots=True)
class RecordStatus:
    """The state of a recording.

    Attributes:
        path: the file.
        seconds: time since it began.
        size: bytes on the disk.
        frames: frames on the disk.
        dropped: frames that came faster than they could be written.
        error: the sentence to show if it stopped by itself, else empty.
        silent: whether the disk has not answered for so long that it seems dead; what waits for it may be lost.
    """

    path: Path
    seconds: float
    size: int
    frames: int
    dropped: int
    error: str
    silent: bool = False


class Recorder:
    """Writes frames and outcomes as they come. Every method may be called from any thread; only `close` waits.

    Args:
        path: the new file; must not exist yet.
        info: the source's info.
        case_code: code typed by the user, already checked.
        rect: the part of the picture that is kept, since frames arrive cropped, as analysed; None for all of it.
        start: when the record begins, `time.monotonic()` seconds; now by default.
        room: bytes of frames that may wait.
        limit_s: how long the disk may take to create the file, which the caller waits for.

    Raises:
        OutputError: if the file cannot be created.
        SourceError: if its drive does not answer.
    """

    def __init__(
        self,
        path: Path,
        info: SourceInfo,
        *,
        case_code: str = "",
        rect: Rect | None = None,
        start: float | None = None,
        room: int = ROOM,
        limit_s: float = ANSWER_S,
    ) -> None:
        opening = opening_of(info, case_code, rect)
        self._file = in_time(lambda: RecordFile(path, opening), limit_s, SILENT.format(path), RecordFile.discard)
        self._shape, self._room = (info.rows, info.cols), room
        self._start = monotonic() if start is None else start
        self._changed = threading.Condition()
        self._jobs: deque[tuple[int, Callable[[], Entry]]] = deque()
        self._waiting = self._number = self._written = self._dropped = self._untold = 0
        self._known: OrderedDict[tuple[int, float], int] = OrderedDict()
        self._scale: PixelSpacing | None = None
        self._ended = self._closing = False
        self._error, self._ended_at = "", 0.0
        self._thread = threading.Thread(target=self._run, name="ius-record", daemon=True)
        self._watched = Watched(self._thread)
        self._thread.start()

    def frame(self, frame: Frame) -> None:
        """Record a frame, or count it as dropped if too many are waiting."""
        with self._changed:
            if self._idle:
                return
            if (frame.rows, frame.cols) != self._shape:
                at_s = since(self._start, frame.captured_at)
                self._put(lambda: Event(at_s=at_s, kind=EventKind.ENDED, words=End.SIZE))
                self._error = "Recording stopped, since the picture has another size now: record anew."
                self._changed.notify()
                return
            if self._waiting + frame.pixels.nbytes > self._room:
                self._dropped += 1
                self._untold += 1
                return
            self._note(frame)
            number, self._number = self._number, self._number + 1
            self._known[(frame.index, frame.captured_at)] = number
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)
            self._put(lambda: picture_of(frame, number, self._start), frame.pixels.nbytes)

    def outcome(self, outcome: Outcome) -> None:
        """Record the engine's answer to a frame; ignored if the frame is not in the record."""
        with self._changed:
            number = self.number_of(outcome)
            if not self._idle and number is not None:
                self._put(lambda: answer_of(outcome, number))

    def event(self, kind: EventKind, words: str, of: Outcome | None = None, at: float | None = None) -> bool:
        """Record an event; after `EventKind.ENDED` nothing more is recorded, however late an answer comes.

        Args:
            kind: the kind of event.
            words: its words, see `EventKind`.
            of: the outcome of the frame that it concerns, if it concerns one frame.
            at: when it happened, `time.monotonic()` seconds; now by default.

        Returns:
            False if it was not recorded: its frame is not in the record, or the recording is over.
        """
        with self._changed:
            number = None if of is None else self.number_of(of)
            if self._idle or (of is not None and number is None):
                return False
            at_s = since(self._start, monotonic() if at is None else at)
            event = Event(at_s=at_s, kind=kind, words=words, number=number)
            if kind is EventKind.ENDED:
                self._tell_dropped(at_s)
                self._ended = True
            self._put(lambda: event)
            return True

    def correction(self, of: Outcome, mask: Mask | None, who: Corrector) -> bool:
        """Record that a person corrected the contour of this frame. False if the frame is not in the record.

        Args:
            of: the outcome whose contour it was.
            mask: (rows, cols) 0/1; None if all was taken back.
            who: who corrected it.
        """
        with self._changed:
            number = self.number_of(of)
            if self._idle or number is None:
                return False
            at_s = since(self._start, monotonic())
            self._put(lambda: correction_of(mask, number, at_s, who))
            return True

    @property
    def start(self) -> float:
        """When the record begins, `time.monotonic()` seconds."""
        return self._start

    def model(self, sha256: str, provider: str, contract: str) -> None:
        """Record which model answers from here on."""
        with self._changed:
            used = ModelUsed(at_s=since(self._start, monotonic()), sha256=sha256, provider=provider, contract=contract)
            if not self._idle:
                self._put(lambda: used)

    def number_of(self, outcome: Outcome) -> int | None:
        """The number of its frame in the record; None if it is not there, or was too long ago."""
        frame = outcome.frame
        return self._known.get((frame.index, frame.captured_at))

    def status(self) -> RecordStatus:
        """The state of the recording."""
        error = self._error
        if not error and not self._ended and not self._closing and not self._thread.is_alive():
            error = BROKEN
        seconds = (self._ended_at or monotonic()) - self._start
        silent = self._watched.stood_s() > ANSWER_S
        return RecordStatus(self._file.path, seconds, self._file.size, self._written, self._dropped, error, silent)

    def close(self) -> RecordStatus:
        """Write the waiting entries, finish the file and join the thread. Safe to call again.

        Raises:
            OutputError: if the disk does not answer for `ANSWER_S` seconds; if it does later, the file is finished.
        """
        with self._changed:
            if not self._idle:
                self._tell_dropped(since(self._start, monotonic()))
            self._closing = True
            self._changed.notify()
        if not joined(self._thread, ANSWER_S):
            log.warning("recording not finished: its drive does not answer")
            raise OutputError(UNFINISHED.format(self._file.path.name))
        return self.status()

    @property
    def _idle(self) -> bool:
        """Whether the recording accepts nothing more."""
        return self._over or not self._thread.is_alive()

    @property
    def _over(self) -> bool:
        """Whether the file is finished once nothing waits any more; whoever closes it only waits for that."""
        return self._ended or self._closing or bool(self._error)

    def _note(self, frame: Frame) -> None:
        """Record the changes since the last frame before the next one."""
        at_s = since(self._start, frame.captured_at)
        self._tell_dropped(at_s)
        if frame.spacing != self._scale:
            self._scale = frame.spacing
            scale = scale_event(frame.spacing, at_s)
            self._put(lambda: scale)

    def _tell_dropped(self, at_s: float) -> None:
        if self._untold:
            dropped, self._untold = Event(at_s=at_s, kind=EventKind.DROPPED, words=str(self._untold)), 0
            self._put(lambda: dropped)

    def _put(self, job: Callable[[], Entry], size: int = 0) -> None:
        self._waiting += size
        self._jobs.append((size, job))
        self._changed.notify()

    def _run(self) -> None:
        try:
            self._write()
        except OutputError as error:
            log.warning("recording stopped: disk full or broken")
            self._error = str(error)
            self._file.close(whole=False)
        finally:
            self._ended_at = monotonic()
            with self._changed:
                self._jobs.clear()
                self._waiting = 0

    def _write(self) -> None:
        """Write entries in order until closed or stopped; packing happens here, where nothing waits for it."""
        synced, dirty = monotonic(), False
        while True:
            with self._changed:
                if not self._jobs and not self._over:
                    self._changed.wait(SYNC_S)
                over = not self._jobs and self._over
                size, job = self._jobs.popleft() if self._jobs else (0, None)
            if job is not None:
                self._file.append(job())
                self._written += size > 0
                dirty = True
                with self._changed:
                    self._waiting -= size
            if dirty and (over or monotonic() - synced >= SYNC_S):
                self._file.sync()
                synced, dirty = monotonic(), False
            if over:
                self._file.close()
                return
