"""The live path: a capture thread, an analysis thread, and mailboxes that keep only the newest item.

    source.frames() ─┬▶ Latest[Frame] ──▶ analyse(frame) ──▶ Latest[Outcome] ──▶ take(), polled by the window
                     └▶ Latest[Frame] ──▶ take_frame(), the picture at full rate where the analysis is slow

Nothing is queued, so nothing can lag; overwritten items are counted. A frame and its answer travel in one object.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import Any

from inference.errors import IusError
from inference.frame import Frame
from inference.latest import Latest
from inference.outcome import Failed, Outcome
from inference.sources.base import FrameSource
from inference.sources.rhythm import Rhythm

log = logging.getLogger(__name__)


class StreamState(StrEnum):
    """The state of the capture thread."""

    STARTING = "starting"
    """No frame has come yet."""
    RUNNING = "running"
    ENDED = "ended"
    """The source had no more frames, or the stream was stopped."""
    FAILED = "failed"
    """The source broke; `StreamStatus.error` says how."""


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A snapshot of the stream.

    Attributes:
        state: the state of the capture thread.
        error: the sentence to show if it failed, else empty.
        captured: frames that the source delivered.
        analysed: frames that got any answer.
        dropped: frames overwritten before they were analysed, and answers overwritten before they were taken.
        consecutive_failures: number of failed analyses in a row, up to now.
        last_frame_at: `time.monotonic()` of the newest frame; None before the first.
        patience_s: how long to wait for the next frame of a live source before its signal counts as lost.
    """

    state: StreamState
    error: str
    captured: int
    analysed: int
    dropped: int
    consecutive_failures: int
    last_frame_at: float | None
    patience_s: float


class Stream:
    """Runs a source through an analysis in two threads.

    Args:
        source: closed by `close()`, which also frees a stuck read.
        analyse: Frame -> Outcome, called from one thread; any error it raises becomes `Failed` with the same frame.
        answered: called in that thread when an answer can be taken; must return at once. Where another frame waits
            already, it is called when the network has that one (`network_starts`): painting holds Python's lock for
            some milliseconds, and would keep the next frame from the network for as long.
    """

    def __init__(
        self,
        source: FrameSource,
        analyse: Callable[[Frame], Outcome],
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        self._source = source
        self._analyse, self._answered = analyse, answered
        self._frames: Latest[Frame] = Latest()
        self._pictures: Latest[Frame] = Latest()
        self._outcomes: Latest[Outcome] = Latest()
        self._stopping = threading.Event()
        self._state = StreamState.STARTING
        self._error = ""
        self._captured = self._analysed = self._failures = 0
        self._untold = False
        self._last_frame_at: float | None = None
        self._rhythm = Rhythm()
        self._threads = (
            threading.Thread(target=self._capture_loop, name="ius-capture", daemon=True),
            threading.Thread(target=self._analysis_loop, name="ius-analysis", daemon=True),
        )

    def start(self) -> None:
        """Start both threads; call once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tell both threads to stop; never waits. Nothing can be taken from now on, however late an answer comes."""
        self._stopping.set()
        boxes: tuple[Latest[Any], ...] = (self._frames, self._pictures, self._outcomes)
        for box in boxes:
            box.close()
            box.poll()

    def close(self) -> None:
        """Stop, close the source, and wait for both threads, as long as they take. Safe to call again."""
        self.stop()
        self._source.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def take(self) -> Outcome | None:
        """The newest answer not yet taken, or None; never waits."""
        return self._outcomes.poll()

    def take_frame(self) -> Frame | None:
        """The newest frame not yet taken, analysed or not, or None; never waits."""
        return self._pictures.poll()

    def network_starts(self) -> None:
        """The network begins, which leaves Python's lock to others: the answer before may be painted now.

        For `analyse` to call, in any thread. If it calls it late or never, the answer is told of with the next one.
        """
        self._tell()

    def wait(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for an answer that has not been taken yet."""
        self._outcomes.wait(timeout)

    def status(self) -> StreamStatus:
        """A snapshot of state and counts."""
        return StreamStatus(
            state=self._state,
            error=self._error,
            captured=self._captured,
            analysed=self._analysed,
            dropped=self._frames.dropped + self._outcomes.dropped,
            consecutive_failures=self._failures,
            last_frame_at=self._last_frame_at,
            patience_s=self._rhythm.patience_s,
        )

    def _capture_loop(self) -> None:
        try:
            for frame in self._source.frames():
                if self._stopping.is_set():
                    break
                self._captured += 1
                self._last_frame_at = monotonic()
                self._rhythm.note(self._last_frame_at)
                self._state = StreamState.RUNNING
                self._pictures.put(frame)
                self._frames.put(frame)
            self._state = StreamState.ENDED
        # Door 1 of 3: any error in a driver or decoder must end as a sentence on screen, not as a dead thread.
        except Exception as error:
            if self._stopping.is_set():  # closing a source breaks off its read
                self._state = StreamState.ENDED
                return
            log.exception("capture stopped")
            self._error = str(error) if isinstance(error, IusError) else f"The source broke ({error!r}): open it again."
            self._state = StreamState.FAILED
        finally:
            self._frames.close()

    def _analysis_loop(self) -> None:
        while (frame := self._next()) is not None:
            if self._stopping.is_set():
                break
            outcome = self._answer(frame)
            if self._stopping.is_set():
                break
            self._log_failure(outcome)
            self._failures = self._failures + 1 if isinstance(outcome, Failed) else 0
            self._analysed += 1
            self._outcomes.put(outcome)
            self._tell()
            self._untold = True

    def _next(self) -> Frame | None:
        """The newest frame; if none waits, the last answer is told first."""
        if (frame := self._frames.poll()) is not None:
            return frame
        self._tell()
        return self._frames.take()

    def _tell(self) -> None:
        """Say that there is an answer, unless that was said."""
        if self._untold:
            self._untold = False
            self._answered()

    def _log_failure(self, outcome: Outcome) -> None:
        """Log the beginning and the end of a run of failures, once each."""
        if isinstance(outcome, Failed) and not self._failures:
            log.warning("analysis fails")
        elif self._failures and not isinstance(outcome, Failed):
            log.info("analysis goes on after %d failures", self._failures)

    def _answer(self, frame: Frame) -> Outcome:
        try:
            return self._analyse(frame)
        # Door 2 of 3: if a frame breaks the analysis, the old contour leaves the screen and the next frame is analysed.
        except Exception as error:
            log.exception("analysis of frame %d failed", frame.index)
            return Failed(frame, f"The analysis of this frame broke ({type(error).__name__}).")
