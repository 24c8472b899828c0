"""One session: a source, recorded or live, a model, and everything to show, record and send.

Source and model are opened in loader threads. The window, or `ius-segment live`, calls `tick` and gets one `Moment`.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from inference import safety
from inference.alarms import Alarm, Event, Finding
from inference.contract import Seen
from inference.crop import Rect
from inference.errors import ChoiceError
from inference.frame import Frame
from inference.live import policy
from inference.live.chain import Chain
from inference.live.disposal import Disposal
from inference.live.guarded_source import GuardedSource
from inference.live.health import OPENING_AFTER_S, Condition, Health, judge, standing_still
from inference.live.loader import Loader
from inference.live.model import Model
from inference.live.moment import Moment
from inference.live.playback import Playback
from inference.live.publisher import Publisher
from inference.live.requests import Loaded, Opened, Refusal, SourceRequest, named
from inference.live.review import FrozenView, Review
from inference.live.standstill import Standstill
from inference.live.stream import StreamState, StreamStatus
from inference.live.thorough import ThoroughAnalysis
from inference.model.time_limit import give_up_all
from inference.outcome import LOADING, NotAnalysed, Outcome, Reason
from inference.patience import ANSWER_S
from inference.source_info import SourceInfo
from inference.sources.base import LiveSource
from inference.sources.sleepless import sleepless
from inference.spacing import PixelSpacing
from inference.view_notes import Phase, ViewNotes

if TYPE_CHECKING:
    from inference.live.neighbours import Neighbours
    from inference.live.ring import Held
    from inference.live.session_record import Corrected, SessionRecord
    from inference.live.truth import Truth
    from inference.recording.judgements import Judgements

OWN = "That is what this program itself sends: choose the computer and port of the scanner's pictures."
FORMER = "{}. The picture is still that of the source before."


class Session:
    """Holds the open source and the loaded model. Call every method from one thread, the window's.

    Args:
        open_source: opens a request or refuses it; called in the loader thread.
        load_model: loads a model file or refuses it; called in the loader thread.

    Attributes:
        request: the last request to open a source.
        opened: the request of the source that is open, while another one may be waited for, or was refused.
        model: the loaded model; None while there is none.
        source_refusal: why the last request was refused; empty if it was not.
        model_refusal: the same for the last model; the one before it, if any, goes on.
        regions: number and words of each region that can be picked in the last source, if there are several.
        without_scale: the user's choice to analyse frames of unknown scale, until another source is opened.
        band: whether the uncertainty band is wanted.
        model_chosen: whether the user chose this model for live sources, even if it is a demonstration model.
        notes: the user's notes on the view.
        shown: the outcome on the screen.
        answered: called in the analysis thread when there is a new answer, so that nobody has to ask for it; for every
            source opened after it was set.
    """

    def __init__(
        self,
        open_source: Callable[[SourceRequest], Opened | Refusal],
        load_model: Callable[[Path | None], Model | Refusal],
    ) -> None:
        self._open_source, self._load_model = open_source, load_model
        self._disposal = Disposal()
        self._loader, self._standstill = Loader(self._disposal.take), Standstill()
        self._thorough, self._publisher = ThoroughAnalysis(), Publisher()
        self._chain: Chain | None = None
        self._frozen_view = FrozenView()
        self._waiting, self._not_before, self._asked_at = False, 0.0, 0.0
        self.request: SourceRequest | None = None
        self.opened: SourceRequest | None = None
        self.model: Model | None = None
        self.source_refusal = self.model_refusal = ""
        self.regions: tuple[tuple[int, str], ...] = ()
        self.without_scale = self.band = False
        self.model_chosen = self._next_chosen = True
        self.notes = ViewNotes()
        self._own_phase = self.notes.phase
        self.shown: Outcome | None = None
        self.answered: Callable[[], None] = lambda: None

    # ── what is asked of it ─────────────────────────────────────────────────────────────────────────────────────

    def open(self, request: SourceRequest) -> None:
        """Start to open a source; the old one stays until the new one is open."""
        self.request, self.source_refusal, self.regions = request, "", ()
        self._asked_at = monotonic()
        self._loader.submit("source", lambda: self._open_foreign(request))

    def give_up(self) -> str:
        """Wait no longer for the source that is being opened; what is open stays.

        Returns:
            What a person calls that source; empty if none was waited for.
        """
        if self.request is None or not self._loader.drop("source"):
            return ""
        given_up, self.request = self.request, self.opened
        self.regions = () if self.info is None else self.info.regions
        return named(given_up.text)

    def peek(self, request: SourceRequest) -> Opened | Refusal:
        """Open a source only to look at it, in the caller's thread; the caller closes it."""
        known = (self.opened, self.request)
        if self.live is not None and request.text in (one.text for one in known if one is not None):
            return Refusal("It is open now.")
        return self._open_foreign(request)

    def load(self, path: Path | None, *, chosen: bool = True) -> None:
        """Start to load a model; None loads the bundled one. The present model goes on until the new one is ready.

        Args:
            path: the .onnx file.
            chosen: whether the user chose it, rather than it being the only one there is.
        """
        self.model_refusal, self._next_chosen = "", chosen
        self._loader.submit("model", lambda: self._load_model(path))

    def analyse_without_scale(self) -> None:
        """Analyse frames of unknown scale, by the user's choice, until another source is opened."""
        self.without_scale = True
        self._redeliver()

    def overrule(self, alarm: Alarm) -> None:
        """Take the user's word that this alarm is false, until another source is opened or it is heeded again."""
        if self.source is not None:
            self.source.overrule(alarm)
            self._redeliver()

    def heed(self, alarm: Alarm) -> None:
        """Heed an overruled alarm again."""
        if self.source is not None:
            self.source.heed(alarm)
            self._redeliver()

    def want_band(self, wanted: bool) -> None:
        """Switch the uncertainty band on or off from the next frame on."""
        self.band = wanted
        if self.model is not None:
            self.model.want_band(wanted)
        self._redeliver()

    def crop(self, rect: Rect | None) -> None:
        """Use this part of the picture from the next frame on; None uses all of it."""
        if self.source is not None:
            self.source.cropping.rect = rect
            self._redeliver()

    def calibrate(self, spacing: PixelSpacing | None) -> None:
        """Use this scale from the next frame on; None goes back to the source's own, if it has one."""
        source = self.playback or self.live
        if source is not None:
            source.set_spacing(spacing)

    def leave(self, how: str) -> None:
        """Blank what other programs show, and end the record; the source goes on until `close`.

        Args:
            how: an `inference.recording.schema.End`, or the name of the signal that ends the program.
        """
        self.publish_to(Publisher())
        self.stop_record(how)

    def publish_to(self, publisher: Publisher) -> None:
        """Send answers through this publisher from now on; it is closed with the session."""
        self._publisher.close()
        self._publisher = publisher

    def freeze(self) -> bool:
        """Freeze the view of a live source. False if there is nothing to freeze, or if it is frozen already."""
        return self._frozen_view.freeze(self.held(), self.shown)

    def thaw(self) -> bool:
        """Return to the running view. False if it is running already."""
        return self._frozen_view.thaw()

    def start_record(
        self, path: Path, case_code: str = "", *, limit_s: float = ANSWER_S, corrected: "Corrected | None" = None
    ) -> "SessionRecord":
        """Record every frame and answer of this source until it ends or `stop_record` is called.

        Args:
            path: the new file; must not exist yet.
            case_code: code typed by the user, already checked.
            limit_s: how long the disk may take to create the file, which the caller waits for.
            corrected: what is corrected already of a recording that is played; see `SessionRecord`.

        Raises:
            ChoiceError: if no source is open, or it is being recorded already: only `stop_record` ends that record.
            OutputError: if the file cannot be created.
            SourceError: if its drive does not answer.
        """
        from inference.live.session_record import SessionRecord, nobody

        if self._chain is None:
            raise ChoiceError("Open a source first: there is nothing to record.")
        if self._chain.record is not None:
            raise ChoiceError("A recording is running: stop it before another one begins.")
        record = SessionRecord(path, self._chain.source, case_code, limit_s=limit_s, corrected=corrected or nobody)
        record.begin(self.notes, self.model)
        self._chain.record = record
        return record

    def stop_record(self, how: str) -> None:
        """Give the record no more frames. The caller that holds it has to finish it.

        Args:
            how: an `inference.recording.schema.End`, or the name of the signal that ends the program.
        """
        if self._chain is not None and self._chain.record is not None:
            self._chain.record.end(how)
            self._chain.record = None

    def close(self) -> None:
        """Stop every thread, and wait a few seconds for them; one that hangs is left to end with the program."""
        self._publisher.close()
        self._let_go()
        self._disposal.take(self._thorough.close)
        give_up_all()
        self._loader.close()
        self._disposal.close()

    # ── what is open ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def info(self) -> SourceInfo | None:
        """The open source's info; None while no source is open."""
        return None if self._chain is None else self._chain.source.info

    @property
    def source(self) -> GuardedSource | None:
        """The open source with its guards."""
        return None if self._chain is None else self._chain.source

    @property
    def playback(self) -> Playback | None:
        """The playback of the open recording; None if none is open."""
        return None if self._chain is None else self._chain.playback

    @property
    def live(self) -> LiveSource | None:
        """The open live source; None if none is open."""
        return None if self._chain is None else self._chain.live

    @property
    def truth(self) -> "Truth | None":
        """The true masks of the open recording, if they were given."""
        return None if self._chain is None else self._chain.truth

    @property
    def judgements(self) -> "Judgements | None":
        """What the user judged when the open record was made; None if no record is open."""
        return None if self._chain is None else self._chain.judgements

    @property
    def of_phase(self) -> tuple[str, ...]:
        """The result of `safety.of_phase` for the loaded model in this phase of surgery."""
        model = self.model
        return safety.of_phase(self.notes.phase, None if model is None else model.contract.population.phases)

    @property
    def record(self) -> "SessionRecord | None":
        """The record being written of the open source; None if there is none."""
        return None if self._chain is None else self._chain.record

    @property
    def review(self) -> Review | None:
        """The last half minute while the view is frozen; None while it runs."""
        return self._frozen_view.review

    @property
    def newest(self) -> Outcome | None:
        """The source's own newest outcome, even while the view is frozen."""
        return self._frozen_view.behind(self.shown)

    @property
    def ready(self) -> bool:
        """Whether frames are being analysed."""
        return self._chain is not None and self.model is not None

    @property
    def ringing(self) -> tuple[Finding, ...]:
        """The guards' alarms on the newest frame."""
        return () if self.source is None else self.source.ringing

    def guard_events(self) -> tuple[Event, ...]:
        """Alarms that began or ended since the last call; each event is given once."""
        return () if self.source is None else self.source.guard_events()

    def status(self) -> StreamStatus | None:
        """The stream's state and counts; None while there is no stream."""
        return None if self._chain is None else self._chain.status()

    def held(self) -> "Held | None":
        """The last half minute of a live source up to now; None for a recording, and before the first frame."""
        ring = None if self._chain is None else self._chain.ring
        return None if ring is None or len(ring) == 0 else ring.held()

    def standing(self, outcome: Outcome | None) -> Outcome | None:
        """The same outcome if the picture is still; None while anything moves."""
        paused = self.playback is not None and not self.playback.playing
        stands = self.review is not None and not self.review.playing
        return outcome if paused or stands else None

    def neighbours(self, frame: Frame) -> "Neighbours | None":
        """The frames beside one that stands; None if nothing else is at hand."""
        from inference.live import neighbours  # loads the half minute's packing: only when it is wanted

        if self.review is not None:
            return neighbours.in_half_minute(self.review.held, frame)
        if self.playback is None or self.source is None:
            return None
        return neighbours.in_recording(self.playback, self.source, frame)

    def condition(self, shown: Outcome | None) -> Condition:
        """The health of source and model while `shown` is on the screen."""
        chain = self._chain
        if chain is None:
            return self._without_source()
        status = chain.status()
        if status.state is StreamState.FAILED:
            return Condition(Health.BROKEN, sentence=status.error)
        if self.model is None and self.model_refusal:
            return Condition(Health.MODEL_REFUSED, sentence=self.model_refusal)
        if self.model is None or not policy.is_answer_of(self.model.sha256, shown):
            return Condition(Health.LOADING)
        if chain.playback is not None and not chain.playback.playing:
            return Condition(Health.PAUSED, failures_in_a_row=status.consecutive_failures)
        if status.state is StreamState.ENDED:
            return Condition(Health.ENDED)
        judged = judge(chain.freshness(shown), status.consecutive_failures)
        frozen = chain.source.frozen
        return judged if frozen is None else standing_still(judged, monotonic() - frozen.since, frozen.sentence)

    # ── once a tick ─────────────────────────────────────────────────────────────────────────────────────────────

    def wait(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for an answer that has not been taken yet."""
        if self._chain is None:
            self._loader.wait(timeout)
        else:
            self._chain.wait(timeout)

    def tick(self) -> Moment:
        """Take over all news, send and record it, and return what to show. Never waits."""
        changed = self._take_over_loaded()
        interruption = self._look_for_standstill()
        picture, newest = self._news()
        live = self._unless_opening(self.condition(newest or self.newest))
        self._publisher.update(newest, live, self.notes, self.of_phase)
        chosen = self._frozen_view.choose(newest)
        thorough = self._thorough.follow(self.standing(chosen or self.shown), self.model)
        outcome = thorough or chosen
        self.shown = outcome or self.shown
        if self.record is not None:
            self.record.follow(self.notes, self.model)
        return Moment(
            source_changed="source" in changed,
            model_changed="model" in changed,
            interruption=interruption,
            picture=picture,
            answer=newest,
            shown=self.shown,
            new=outcome is not None,
            live=live,
            condition=self._condition_shown(),
            mode=self._thorough.words(self.standing(self.shown), self.model),
        )

    def _news(self) -> tuple[Frame | None, Outcome | None]:
        """The newest frame and the newest answer, unless they date from before a standstill."""
        if self._chain is None:
            return None, None
        picture, newest = self._chain.news(without_scale=self.without_scale)
        if picture is not None and picture.captured_at < self._not_before:
            picture = None
        if newest is not None and newest.frame.captured_at < self._not_before:
            newest = None
        return picture, newest

    def _condition_shown(self) -> Condition:
        """The source's condition, or that of a view that the user froze."""
        review = self._frozen_view.review
        if review is None:
            return self._unless_opening(self.condition(self.shown))
        frozen = Condition(Health.VIEW_FROZEN, review.behind_s, replayed=review.playing)
        return self._unless_opening(frozen)

    def _look_for_standstill(self) -> str:
        """Detect a standstill. After one, nothing from before is live, and the last half minute has no known age."""
        now = monotonic()
        sentence = self._standstill.look(now, sleepless())
        if not sentence or self._chain is None or self._chain.ring is None:
            return ""
        self._not_before = now
        self._frozen_view.forget()
        self._chain.ring.clear(now)
        self.shown = None
        return sentence

    def _take_over_loaded(self) -> set[str]:
        """Take over everything that was loaded. Returns `source` and `model` for those that changed."""
        changed = set()
        for kind, loaded in self._loader.done():
            self._take_over(kind, loaded)
            changed.add(kind)
        return changed

    def _take_over(self, kind: str, loaded: Loaded) -> None:
        if isinstance(loaded, Refusal):
            if kind == "source":
                self.source_refusal, self.regions = loaded.sentence, loaded.regions
            else:
                self.model_refusal = loaded.sentence
                self._go_on()
        elif isinstance(loaded, Model):
            loaded.want_band(self.band)
            loaded.tell_start(self._network_starts)
            self._frozen_view.thaw()
            # In this order: the analysis thread may have a frame in between.
            self.model_chosen = self._next_chosen
            self.model = loaded
            # What the half minute holds is of the former model, and would stand under the new one's name.
            if self._chain is not None and self._chain.ring is not None:
                self._chain.ring.clear(monotonic())
            self._go_on()
        else:
            self._start(loaded)

    def _start(self, opened: Opened) -> None:
        """Run a new source; a recording waits on its first frame until the model is loaded."""
        self._note_own_phase()
        self._let_go()
        self._frozen_view.forget()
        self.without_scale, self.shown = False, None
        self._waiting = self.model is None and "model" in self._loader.pending
        self._chain = Chain(opened, self._analyse, self._seen, self.answered, paused=self._waiting)
        self.opened = self.request  # the loader gives what was asked for last, and nothing else
        info = self._chain.source.info
        self.regions = info.regions
        self.notes = replace(self.notes, phase=self._own_phase).of_source(info.phase, info.flip, info.marker)

    def _note_own_phase(self) -> None:
        """Tell the phase that the user set from that of an open record, which goes with the record."""
        info = self.info
        if info is None or not info.phase or self.notes.phase is not Phase(info.phase):
            self._own_phase = self.notes.phase

    def _go_on(self) -> None:
        """The model is loaded or refused: deliver the current frame again, and play if that was the only wait."""
        if self.playback is None:
            return
        self.playback.redeliver()
        if self._waiting and len(self.playback) > 1:
            self.playback.play()
        self._waiting = False

    def _open_foreign(self, request: SourceRequest) -> Opened | Refusal:
        """Open a source, but never what is sent from here: a picture would go round and round, and stand as live."""
        return Refusal(OWN) if self._publisher.sends_at(request.text) else self._open_source(request)

    def _redeliver(self) -> None:
        if self._chain is not None:
            self._chain.redeliver()

    def _seen(self) -> Seen | None:
        """What the loaded model saw in training; called in the capture thread."""
        model = self.model
        return None if model is None else model.contract.input.seen

    def _analyse(self, frame: Frame) -> Outcome:
        """The policy's answer with the currently loaded model; called in the analysis thread."""
        model = self.model
        if model is None:
            sentence = self.model_refusal or LOADING
            return policy.forbidden(frame) or NotAnalysed(frame, Reason.OFF, sentence)
        analyse = model.analyse_without_scale if self.without_scale else model.analyse
        return policy.answer(frame, analyse, model.contract, model_chosen=self.model_chosen)

    def _network_starts(self) -> None:
        """Pass on that the network begins; called in the thread of any analysis."""
        if (chain := self._chain) is not None:
            chain.network_starts()

    @property
    def opening(self) -> Condition | None:
        """What is being opened, and since when; None while nothing is."""
        if self.request is None or "source" not in self._loader.pending:
            return None
        words = named(self.request.text)
        sentence = words if self._chain is None else FORMER.format(words)
        return Condition(Health.OPENING, monotonic() - self._asked_at, sentence)

    def _unless_opening(self, condition: Condition) -> Condition:
        """The condition, unless another source is waited for: the user no longer expects the picture that is there."""
        opening = self.opening
        return condition if opening is None or opening.seconds < OPENING_AFTER_S else opening

    def _without_source(self) -> Condition:
        if (opening := self.opening) is not None:
            return opening
        if self.source_refusal:
            return Condition(Health.REFUSED, sentence=self.source_refusal)
        return Condition(Health.EMPTY)

    def _let_go(self) -> None:
        """Stop the source at once; its record, if any, gets no more frames. What it still does ends behind our back."""
        if self.record is not None:
            from inference.recording.schema import End

            self.stop_record(End.SOURCE)
        chain, self._chain = self._chain, None
        if chain is not None:
            chain.stop()
            self._disposal.take(chain.close)
