"""One opened source with everything that ends when it does: guards, stream, last half minute, record, true masks.

source ─▶ guards ─▶ policy, segmenter ─▶ outcome ─┬▶ last half minute
└▶ recorder                       ├▶ recorder
└▶ `Session.tick`: publisher and screen
"""

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from inference.alarms import OVERRULABLE
from inference.contract import Seen
from inference.frame import Frame
from inference.live.guarded_source import GuardedSource
from inference.live.health import Freshness
from inference.live.playback import SWEEP_FPS, Playback
from inference.live.policy import Precedence
from inference.live.requests import Compared, Opened
from inference.live.stream import Stream, StreamStatus
from inference.outcome import Outcome
from inference.sources.base import Judged, LiveSource, RecordedSource

if TYPE_CHECKING:
    from inference.live.ring import Ring
    from inference.live.session_record import SessionRecord


class Chain:
    """Runs one source through guards and analysis until it is closed.

    Args:
        opened: the opened source; closed with the chain.
        analyse: the policy with the model that is loaded; called in the analysis thread.
        seen: what that model saw in training; called in the capture thread.
        answered: called in the analysis thread when there is a new answer.
        paused: whether a recording starts paused on its first frame.

    Attributes:
        playback: playback of a recording; None for a live source.
        live: the live source; None for a recording.
        source: the source as the stream reads it, after the guards.
        truth: true masks of the recording, if they were given.
        ring: the last half minute of a live source; None for a recording.
        record: the record being written; None if there is none.
        judgements: what the user judged when this was recorded; None if it is no record of ours.
    """

    def __init__(
        self,
        opened: Opened,
        analyse: Callable[[Frame], Outcome],
        seen: Callable[[], Seen | None],
        answered: Callable[[], None],
        *,
        paused: bool,
    ) -> None:
        source = opened.source if isinstance(opened, Compared) else opened
        self.truth = opened.truth if isinstance(opened, Compared) else None
        self.playback: Playback | None = None
        self.live: LiveSource | None = None
        self.ring: Ring | None = None
        if isinstance(source, RecordedSource):
            self.playback = Playback(source)
            if paused or len(source) == 1:
                self.playback.pause()
            self.source = GuardedSource(self.playback, seen)
        else:
            self.live, self.ring = source, _ring()
            self.source = GuardedSource(source, seen)
        self.judgements = source.judgements() if isinstance(source, Judged) else None
        called_false = frozenset[str]() if self.judgements is None else self.judgements.overruled
        for alarm in OVERRULABLE:
            if alarm.value in called_false:
                self.source.overrule(alarm)
        self.record: SessionRecord | None = None
        self._analyse, self._precedence = analyse, Precedence()
        self._stream = Stream(self.source, self._keep, answered)
        self._stream.start()

    def news(self, *, without_scale: bool) -> tuple[Frame | None, Outcome | None]:
        """The newest frame and the newest answer not yet taken; None for each that is missing. Never waits.

        Args:
            without_scale: whether the user chose to analyse without scale.
        """
        picture, newest = self._stream.take_frame(), self._stream.take()
        return picture, self._precedence.choose(newest, picture, without_scale=without_scale)

    def network_starts(self) -> None:
        """The network begins with a frame of this chain; called in the analysis thread."""
        self._stream.network_starts()

    def wait(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for an answer that has not been taken yet."""
        self._stream.wait(timeout)

    def status(self) -> StreamStatus:
        """The stream's state and counts."""
        return self._stream.status()

    def freshness(self, shown: Outcome | None) -> Freshness:
        """How old source and analysis are while `shown` is on the screen."""
        now, status = monotonic(), self._stream.status()
        last = status.last_frame_at
        return Freshness(
            live=self.live is not None,
            source_s=None if last is None else now - last,
            shown_s=None if shown is None else now - shown.frame.captured_at,
            patience_s=status.patience_s if self.playback is None else 3 * _interval_s(self.playback),
        )

    def redeliver(self) -> None:
        """Analyse a recording's current frame again; a live source delivers a new one by itself."""
        if self.playback is not None:
            self.playback.redeliver()

    def stop(self) -> None:
        """Tell the threads to stop; never waits. No later frame or answer leaves this chain."""
        self._stream.stop()

    def close(self) -> None:
        """Stop, close source and masks, and wait for the threads, as long as they take: an analysis may be long."""
        self._stream.stop()
        if self.truth is not None:
            self.truth.close()
        self._stream.close()

    def _keep(self, frame: Frame) -> Outcome:
        """Analyse a frame, and give the outcome to ring and record; called in the analysis thread."""
        outcome = self._analyse(frame)
        if self.ring is not None:
            self.ring.add(outcome)
        if (record := self.record) is not None:
            record.outcome(outcome)
        return outcome


def _ring() -> "Ring":
    from inference.live.ring import Ring  # loads zstandard: only once a source is opened

    return Ring()


def _interval_s(playback: Playback) -> float:
    """Seconds between two frames of a recording at its current speed."""
    return 1.0 / ((playback.info.fps or SWEEP_FPS) * playback.speed)
