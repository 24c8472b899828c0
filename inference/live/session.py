"""One sitting: a source, recorded or live, a model and the stream between them.

Opens both off the window's thread; the window polls.
"""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from inference.alarms import Event, Finding, forbidding
from inference.crop import Rect
from inference.frame import Frame
from inference.live.guarded_source import Feed, Sentry
from inference.live.health import Condition, Freshness, Health, judge, standing_still
from inference.live.loader import Loader
from inference.live.model import Model
from inference.live.playback import SWEEP_FPS, Playback
from inference.live.policy import DEMONSTRATION_ONLY, is_answer_of, not_analysed, said, unchosen
from inference.live.requests import Compared, Loaded, Opened, Refusal, SourceRequest
from inference.live.stream import Stream, StreamState, StreamStatus
from inference.outcome import NotAnalysed, Outcome, Reason
from inference.source_info import SourceInfo
from inference.sources.base import LiveSource, RecordedSource
from inference.spacing import PixelSpacing

if TYPE_CHECKING:
    from inference.live.ring import Held, Ring
    from inference.live.truth import Truth
    from inference.recording.recorder import Recorder


class Session:
    """Holds what is open.

    Args:
        open_source: opens a request or refuses it; called in the loader thread.
        load_model: loads a model file or refuses it; called in the loader thread.
    """

    def __init__(
        self,
        open_source: Callable[[SourceRequest], Opened | Refusal],
        load_model: Callable[[Path | None], Model | Refusal],
    ) -> None:
        self._open_source, self._load_model = open_source, load_model
        self._loader = Loader()
        self._stream: Stream | None = None
        self.request: SourceRequest | None = None
        self.playback: Playback | None = None
        self.live: LiveSource | None = None
        self.feed: Feed | None = None
        self.truth: Truth | None = None
        self.model: Model | None = None
        self.source_refusal = self.model_refusal = ""
        self.without_scale = self.band = False
        self.chosen = True
        """Whether the user wants this very model, a demonstration model too, on what is live."""
        self._waiting = False
        self._sentry: Sentry | None = None
        self._ring: Ring | None = None
        self._recorder: Recorder | None = None

    def open(self, request: SourceRequest) -> None:
        """Begin to open a source; the old one stays until the new one is there."""
        self.request, self.source_refusal = request, ""
        self._loader.submit("source", lambda: self._open_source(request))

    def peek(self, request: SourceRequest) -> Opened | Refusal:
        """Open a source for whoever only wants to look at it, in the caller's thread; to be closed by the caller."""
        if self.live is not None and self.request is not None and request.text == self.request.text:
            return Refusal("It is open now.")
        return self._open_source(request)

    def load(self, path: Path | None, *, chosen: bool = True) -> None:
        """Begin to load a model, the bundled one for None; the old one analyses no further frame.

        Args:
            path: the .onnx.
            chosen: by the user, and not only because there is no other.
        """
        self.model, self.model_refusal, self.chosen = None, "", chosen
        self._loader.submit("model", lambda: self._load_model(path))

    def poll(self) -> set[str]:
        """Take over what has been loaded: the names `source` and `model` where something changed."""
        changed = set()
        for kind, loaded in self._loader.done():
            self._take_over(kind, loaded)
            changed.add(kind)
        return changed

    def take(self) -> Outcome | None:
        """The newest outcome nobody has seen; never waits."""
        return None if self._stream is None else self._stream.take()

    def take_frame(self) -> Frame | None:
        """The newest frame nobody has seen, analysed or not; never waits."""
        return None if self._stream is None else self._stream.take_frame()

    def status(self) -> StreamStatus | None:
        """How the stream goes, None while there is none."""
        return None if self._stream is None else self._stream.status()

    @property
    def info(self) -> SourceInfo | None:
        """What is known of the open source, None while there is none."""
        feed = self.playback or self.live
        return None if feed is None else feed.info

    @property
    def ready(self) -> bool:
        """Whether frames are being analysed."""
        return self._stream is not None and self.model is not None

    def analyse_without_scale(self) -> None:
        """The user's choice, until another source is opened."""
        self.without_scale = True
        self._redeliver()

    def want_band(self, wanted: bool) -> None:
        """Ask for the uncertainty band from the next frame on, or no longer."""
        self.band = wanted
        if self.model is not None:
            self.model.want_band(wanted)
        self._redeliver()

    def crop(self, rect: Rect | None) -> None:
        """Use this part of the picture, or all of it, from the next frame on."""
        if self.feed is not None:
            self.feed.cropping.rect = rect
            self._redeliver()

    def calibrate(self, spacing: PixelSpacing) -> None:
        """Use this scale from the next frame on."""
        feed = self.playback or self.live
        if feed is not None:
            feed.set_spacing(spacing)

    def forget_held(self) -> None:
        """Let go of the last half minute: nobody knows how old it is."""
        if self._ring is not None:
            self._ring.clear()

    def held(self) -> "Held | None":
        """The last half minute of a live source, as it is now; None for a recorded one, and before the first frame."""
        return None if self._ring is None or len(self._ring) == 0 else self._ring.held()

    def record_to(self, recorder: "Recorder | None") -> None:
        """Give every frame and outcome of this source to a recorder, or no longer."""
        self._recorder = recorder
        if self.feed is not None:
            self.feed.tap = None if recorder is None else recorder.frame

    @property
    def ringing(self) -> tuple[Finding, ...]:
        """The guards' alarms at the newest frame."""
        return () if self._sentry is None else self._sentry.ringing

    def guard_events(self) -> tuple[Event, ...]:
        """Begins and ends of the guards' alarms since last asked, for a record; each is given once."""
        return () if self._sentry is None else self._sentry.events()

    def condition(self, shown: Outcome | None) -> Condition:
        """The health of source and model while `shown` is on the screen."""
        if self._stream is None:
            return self._without_stream()
        status = self._stream.status()
        if status.state is StreamState.FAILED:
            return Condition(Health.BROKEN, sentence=status.error)
        if self.model is None and self.model_refusal:
            return Condition(Health.MODEL_REFUSED, sentence=self.model_refusal)
        if self.model is None or not is_answer_of(self.model, shown):
            return Condition(Health.LOADING)
        if self.playback is not None and not self.playback.playing:
            return Condition(Health.PAUSED, failures_in_a_row=status.consecutive_failures)
        if status.state is StreamState.ENDED:
            return Condition(Health.ENDED)
        judged = judge(self._freshness(status, shown), status.consecutive_failures)
        frozen = None if self._sentry is None else self._sentry.frozen
        return judged if frozen is None else standing_still(judged, monotonic() - frozen.since, frozen.sentence)

    def close(self) -> None:
        """Stop and join every thread.

        Raises:
            RuntimeError: if one lives on.
        """
        self._close_source()
        self._loader.close()

    def _take_over(self, kind: str, loaded: Loaded) -> None:
        if isinstance(loaded, Refusal):
            if kind == "source":
                self.source_refusal = loaded.sentence
            else:
                self.model_refusal = loaded.sentence
                self._go_on()
        elif isinstance(loaded, Model):
            loaded.want_band(self.band)
            self.model = loaded
            self._go_on()
        else:
            self._close_source()
            self._start(loaded)

    def _start(self, opened: Opened) -> None:
        """Stream a new source; until the model is there, the first frame of a recording stands still."""
        source = opened.source if isinstance(opened, Compared) else opened
        self.truth = opened.truth if isinstance(opened, Compared) else None
        self.without_scale, self._recorder = False, None
        self._waiting = "model" in self._loader.pending
        self._ready_room(live=not isinstance(source, RecordedSource))
        if isinstance(source, RecordedSource):
            self.playback = Playback(source)
            if self._waiting or len(source) == 1:
                self.playback.pause()
            self.feed = Feed(self.playback, self._look)
        else:
            self.live, self.feed = source, Feed(source, self._look)
        self._stream = Stream(self.feed, self._analyse)
        self._stream.start()

    def _ready_room(self, *, live: bool) -> None:
        """Fresh guards, and an empty half minute for what is live."""
        from inference.live.ring import Ring

        self._sentry = Sentry()
        self._ring = Ring() if live else None

    def _go_on(self) -> None:
        """The model is there, or refused: show the current frame anew, and run if that was all we waited for."""
        if self.playback is None:
            return
        self.playback.redeliver()
        if self._waiting and len(self.playback) > 1:
            self.playback.play()
        self._waiting = False

    def _redeliver(self) -> None:
        if self.playback is not None:
            self.playback.redeliver()

    def _look(self, frame: Frame) -> Frame:
        """Runs in the capture thread: the guards see every frame, however slow the model is."""
        model = self.model
        seen = None if model is None else model.contract.input.seen
        return frame if self._sentry is None else self._sentry.look(frame, seen)

    def _analyse(self, frame: Frame) -> Outcome:
        """Runs in the analysis thread; what is live is kept for half a minute."""
        outcome = self._answer(frame)
        if self._ring is not None:
            self._ring.add(outcome)
        if (recorder := self._recorder) is not None:
            recorder.outcome(outcome)
        return outcome

    def _answer(self, frame: Frame) -> Outcome:
        """The answer of whatever model is loaded; a guard's word comes before the network's."""
        model = self.model
        if (finding := forbidding(frame.findings)) is not None:
            return not_analysed(frame, finding)
        if model is None:
            return NotAnalysed(frame, Reason.OFF, self.model_refusal or "The model is being loaded.")
        if unchosen(model, frame, chosen=self.chosen):
            return NotAnalysed(frame, Reason.DEMONSTRATION, DEMONSTRATION_ONLY)
        outcome = (model.analyse_without_scale if self.without_scale else model.analyse)(frame)
        return said(outcome, model.contract.input.seen)

    def _without_stream(self) -> Condition:
        if "source" in self._loader.pending and self.request is not None:
            return Condition(Health.OPENING, sentence=self.request.text)
        if self.source_refusal:
            return Condition(Health.REFUSED, sentence=self.source_refusal)
        return Condition(Health.EMPTY)

    def _freshness(self, status: StreamStatus, shown: Outcome | None) -> Freshness:
        now = monotonic()
        return Freshness(
            live=self.live is not None,
            source_s=None if status.last_frame_at is None else now - status.last_frame_at,
            shown_s=None if shown is None else now - shown.frame.captured_at,
            interval_s=0.0 if self.playback is None else _interval_s(self.playback),
        )

    def _close_source(self) -> None:
        if self._stream is not None:
            self._stream.stop()
        if self.truth is not None:
            self.truth.close()
        self._stream = self.playback = self.live = self.feed = self.truth = None


def _interval_s(playback: Playback) -> float:
    """Between two frames of a recording at its present speed."""
    return 1.0 / ((playback.info.fps or SWEEP_FPS) * playback.speed)
