"""The 16 ms pull: takes over what is new and brings the screen to this moment. Nobody pushes pictures at it."""

from dataclasses import replace
from datetime import datetime
from time import monotonic, time

from inference.errors import SourceError
from inference.frame import Frame
from inference.live.health import SLOW_MS, Condition, Health
from inference.live.policy import Precedence
from inference.live.thorough import disagreement_of
from inference.outcome import Outcome, Tumour
from inference.sources.paths import shown_address
from inference.view_notes import Flip, Marker, Phase
from viewer.control.app_state import Desk
from viewer.control.calibration import Calibrating
from viewer.jobs.wake import Vigil
from viewer.picture.annotations import Decor, Ticks, decor_of, face_row
from viewer.picture.graphics_items import Outlines
from viewer.picture.panes import analysed_decor, live_decor
from viewer.readout import facts
from viewer.readout.readout_state import Context, Face
from viewer.readout.states import face, region_lines
from viewer.style.marks import Line, Tone

MAP_WORDS = "pink: where passes or folds disagree, not a margin"
BAND_WORDS = "thin lines: model 25-75 %, not a margin"
SLOW_S = 0.2
"""Facts, trace and transport follow this slowly; picture, contour, number and state follow every frame."""


class Pull:
    """Shows what the session has.

    Args:
        desk: read and kept up to date.
        calibrating: told of every new source.
    """

    def __init__(self, desk: Desk, calibrating: Calibrating) -> None:
        self._calibrating, self._whole_shown = calibrating, False
        self._desk, self._view, self._session = desk, desk.view, desk.session
        self._drawn: tuple[tuple[Line, ...], bool] = ((), False)
        self._slow_at = 0.0
        self._true: Outlines = ()
        self._dice_words = ""
        self._vigil, self._not_before = Vigil(), 0.0
        self._precedence = Precedence()

    def tick(self) -> None:
        """Take over what is new and show it."""
        now, desk = monotonic(), self._desk
        changed = self._session.poll()
        if "source" in changed:
            self._source_changed(now)
        if "model" in changed:
            self._model_changed()
        if (slept := self._vigil.look(now, time())) and self._session.live is not None:
            self._drop_all(now, slept)
        picture, newest = self._session.take_frame(), self._session.take()
        newest = self._precedence.choose(newest, picture, without_scale=self._session.without_scale)
        if newest is not None and newest.frame.captured_at < self._not_before:
            newest = None
        running = self._session.condition(newest or desk.freezing.behind(desk.shown))
        desk.outlet.update(newest, running, desk.phase, desk.marker)
        if newest is not None:
            self._view.trace.add(now, newest.area_mm2 if isinstance(newest, Tumour) else None)
        outcome = desk.freezing.choose(newest)
        outcome = desk.closer.follow(self._standing(outcome or desk.shown), self._session.model) or outcome
        desk.shown = outcome or desk.shown
        whole = self._whole(picture)
        shown = self._show(now, new=outcome is not None or self._whole_shown)
        desk.recording.follow(desk.standing)
        if self._view.stage.two_panes:
            self._show_live(whole or picture, shown)
        elif whole is not None:
            self._view.canvas.show_frame(whole)
        self._whole_shown = whole is not None
        if now - self._slow_at >= SLOW_S:
            self._slow_at = now
            self._show_slowly(now)

    def _standing(self, outcome: Outcome | None) -> Outcome | None:
        """What is on the screen, where it stands."""
        playback = self._session.playback
        paused = playback is not None and not playback.playing
        return outcome if paused or self._desk.freezing.review is not None else None

    def _drop_all(self, now: float, sentence: str) -> None:
        """Nothing from before a sleep may stand as live, and nobody knows how old the last half minute is."""
        desk, self._not_before = self._desk, now
        desk.thaw()
        self._session.forget_held()
        desk.shown = None
        desk.hold.reset()
        self._view.canvas.clear()
        self._view.live.clear()
        self._view.stage.say(sentence, now)

    def hurry(self) -> None:
        """Bring what follows slowly to the moment of the next tick."""
        self._slow_at = 0.0

    def _show(self, now: float, *, new: bool) -> Face:
        """Bring picture, contour, number and state to this moment."""
        desk, outcome, model = self._desk, self._desk.shown, self._session.model
        condition = desk.condition = self._condition_of(outcome)
        held = desk.hold.update(outcome.size if isinstance(outcome, Tumour) else None, now)
        contract = None if model is None else model.contract
        shown = face(outcome, condition, Context(contract, desk.phase, held))
        self._view.top.show_source(self._session.info, condition)
        # The words first: drawing paints at once, and number and contour must come and go in one round of painting.
        if shown != desk.face:
            desk.face = shown
            self._view.readout.show_face(shown)
        if outcome is not None:
            lines = region_lines(outcome, held) if shown.contour and isinstance(outcome, Tumour) else ()
            self._draw(outcome, lines, shown, now, new=new)
        self._view.canvas.hide_contour(now < desk.overlay_off_until)
        return shown

    def _condition_of(self, outcome: Outcome | None) -> Condition:
        """The source's, or that of a view the user froze: then the source's own stands in the inset."""
        review = self._desk.freezing.review
        if review is not None:
            return Condition(Health.VIEW_FROZEN, review.behind_s)
        condition = self._session.condition(outcome)
        whole = self._whole_shown and not self._view.stage.two_panes
        return Condition(Health.CALIBRATING) if whole and condition.flowing else condition

    def _whole(self, picture: Frame | None) -> Frame | None:
        """The newest picture with the scanner's text and ruler, while something is marked on it."""
        feed, before = self._session.feed, self._view.front.picture.frame
        frame = picture or before
        if feed is None or frame is None or not self._desk.calibrating or (pixels := feed.whole()) is None:
            return None
        if before is not None and before.pixels is pixels:
            return before
        return replace(frame, pixels=pixels) if pixels.shape == frame.pixels.shape else None

    def _draw(self, outcome: Outcome, lines: tuple[Line, ...], shown: Face, now: float, *, new: bool) -> None:
        """Paint a new outcome, or the same one in another style."""
        if new:
            self._compare(outcome)
        band = shown.contour and isinstance(outcome, Tumour) and outcome.band is not None
        decor = replace(self._decor(outcome.frame, shown), band=BAND_WORDS if band else "", truth=self._dice_words)
        spread = disagreement_of(outcome) if self._desk.disagreement and self._desk.condition.flowing else None
        mode = self._desk.closer.words(self._standing(outcome), self._session.model)
        decor = replace(decor, mode=mode, disagreement="" if spread is None else MAP_WORDS)
        caliper = self._desk.caliper
        if caliper is not None and (points := caliper.on(outcome.frame)):
            decor = replace(decor, caliper=points, distance=caliper.words)
        if self._view.stage.two_panes:
            decor = analysed_decor(decor, outcome, self._desk.condition, self._view.live.picture.frame, now)
        self._view.canvas.set_decor(decor)
        if new:
            self._view.canvas.show_outcome(outcome, lines, dimmed=shown.dimmed, truth=self._true)
        elif (lines, shown.dimmed) != self._drawn:
            self._view.canvas.show_lines(outcome, lines, dimmed=shown.dimmed, truth=self._true)
        self._view.canvas.show_map(outcome.frame, spread)
        self._drawn = (lines, shown.dimmed)

    def _compare(self, outcome: Outcome) -> None:
        """Beside a replay with its truth: the true outlines of this very frame, and Dice."""
        self._true, self._dice_words = (), ""
        if (truth := self._session.truth) is None:
            return
        try:
            self._true, score = truth.outlines(outcome.frame.index), truth.dice(outcome)
        except SourceError as error:
            self._dice_words = str(error)
            return
        self._dice_words = "true contour (pink)" + ("" if score is None else f": Dice {score:.2f} on this frame")

    def _show_live(self, picture: Frame | None, shown: Face) -> None:
        """Bring the live one of two panes to this moment: every picture of the source, none with a contour."""
        live = self._view.live
        if picture is not None:
            live.show_frame(picture)
        if live.picture.frame is not None:
            source = self._session.condition(self._desk.freezing.behind(self._desk.shown))
            live.set_decor(live_decor(self._decor(live.picture.frame, shown), self._session.info, source))
        live.dim(shown.dimmed)

    def _decor(self, frame: Frame, shown: Face) -> Decor:
        """The marks around this picture."""
        desk, info = self._desk, self._session.info
        if info is None:
            return Decor()
        if desk.face_row is None:
            desk.face_row = face_row(frame)
        decor = decor_of(frame, info, desk.marker, desk.face_row, desk.flip)
        points = () if self._view.calibration.isHidden() else self._view.calibration.points
        decor = replace(decor, ticks=self._ticks(frame))
        frozen = desk.freezing.review is not None
        return replace(decor, phase=desk.phase.words, banner=shown.banner, points=points, framed=frozen)

    def _ticks(self, frame: Frame) -> Ticks | None:
        """Our own centimetres beside the scanner's: those of the points clicked so far, or of the scale in use."""
        if not self._desk.calibrating:
            return None
        preview = self._view.calibration.preview
        if preview is not None:
            return Ticks.along(*preview)
        ruler, spacing = self._desk.ruler, frame.spacing
        return None if ruler is None or spacing is None else Ticks.along(ruler, spacing)

    def _show_slowly(self, now: float) -> None:
        """Bring everything that nobody reads at thirty a second to this moment."""
        desk, status, model = self._desk, self._session.status(), self._session.model
        for name, value in facts.facts(desk.shown, model, status, desk.meter, now).items():
            self._view.readout.show_fact(name, value)
        self._view.trace.refresh()
        self._view.transport.update_place()
        self._view.stage.expire(now)
        if not self._view.timing.isHidden():
            self._view.timing.show_numbers(desk.meter, desk.live_meter, status, model)
            self._view.timing.show_screen(desk.wake.words)
        if (preview := desk.previews.poll()) is not None:
            self._view.source.list.show_preview(preview)
        self._view.top.show_clock(f"{datetime.now().astimezone():%H:%M:%S}")
        desk.recording.show()
        sleepy = desk.wake.keep(self._session.live is not None)
        if sentence := desk.faults.take() or desk.snapshots.poll() or sleepy:
            self._view.stage.say(sentence, now)
        elif (told := desk.chores.take()) is not None:
            self._view.stage.say(told[0], now, told[1])

    def _source_changed(self, now: float) -> None:
        """A source was opened or refused."""
        refusal, info, desk = self._session.source_refusal, self._session.info, self._desk
        self._view.source.complain(refusal)
        if refusal:
            if info is not None:
                self._view.stage.say(refusal, now)
            return
        self._forget()
        if info is not None:
            self._view.canvas.set_source(info)
            self._view.live.set_source(info)
        self._view.transport.set_source(self._session.playback, live=self._session.live is not None)
        if self._session.request is not None:
            desk.remember(desk.settings.with_recent(shown_address(self._session.request.text)))
            self._view.source.dismiss()
        self._calibrating.source_opened()
        if info is not None and info.phase:
            desk.phase = Phase(info.phase)  # a replay must not be believed by the phase of another operation
            self._view.top.show_phase(desk.phase)
            desk.turn_over(Flip.parse(info.flip))
            desk.marker = Marker(info.marker) if info.marker else Marker.UNSET
        if info is not None and info.notice:
            self._view.stage.say(info.notice, now, Tone.NOTICE)

    def _forget(self) -> None:
        """Nothing of the former source may stand beside the new one."""
        desk = self._desk
        desk.freezing.forget()
        desk.turn_over(Flip())
        desk.shown, desk.marker, desk.face_row = None, Marker.UNSET, None
        desk.hold.reset()
        desk.meter.reset()
        desk.live_meter.reset()
        self._view.trace.clear()
        self._view.canvas.clear()
        self._view.live.clear()

    def _model_changed(self) -> None:
        """A model was loaded or refused."""
        model = self._session.model
        self._desk.meter.reset()
        self._desk.live_meter.reset()
        if model is not None:
            self._view.show_panes(two=model.warm_up_ms > SLOW_MS)
        self._view.model_card.show_model(model, self._session.model_refusal)
        self._view.trace.set_limit(None if model is None else model.contract.reliability.min_reliable_area_mm2)
