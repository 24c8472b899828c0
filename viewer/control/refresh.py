"""The 16 ms pull: takes over what is new and brings the screen to this moment. Nobody pushes pictures at it."""

from dataclasses import replace
from datetime import datetime
from time import monotonic

from inference.errors import SourceError
from inference.frame import Frame
from inference.live.health import SLOW_MS, Condition, Health
from inference.live.session import Moment
from inference.live.thorough import disagreement_of
from inference.outcome import Outcome, Tumour
from inference.sources.paths import shown_address
from viewer.control.app_state import Desk
from viewer.control.calibration import Calibrating
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

    def tick(self) -> None:
        """Take over what is new and show it."""
        now, desk = monotonic(), self._desk
        moment = self._session.tick()
        if moment.source_changed:
            self._source_changed(now)
        if moment.model_changed:
            self._model_changed()
        if moment.interruption:
            self._interrupted(now, moment.interruption)
        if moment.answer is not None:
            self._view.trace.add(now, moment.answer.area_mm2 if isinstance(moment.answer, Tumour) else None)
        if desk.freezing.review is not None:
            desk.freezing.show_inset(moment)
        whole = self._whole(moment.picture)
        shown = self._show(now, moment, new=moment.new or self._whole_shown)
        if self._view.stage.two_panes:
            self._show_live(moment, whole or moment.picture, shown)
        elif whole is not None:
            self._view.canvas.show_frame(whole)
        self._whole_shown = whole is not None
        if now - self._slow_at >= SLOW_S:
            self._slow_at = now
            self._show_slowly(now)

    def _interrupted(self, now: float, sentence: str) -> None:
        """Nothing from before a sleep may stand as live: the session dropped it, and the screen does."""
        desk = self._desk
        desk.freezing.put_away()
        desk.hold.reset()
        self._view.canvas.clear()
        self._view.live.clear()
        self._view.stage.say(sentence, now)

    def hurry(self) -> None:
        """Bring what follows slowly to the moment of the next tick."""
        self._slow_at = 0.0

    def _show(self, now: float, moment: Moment, *, new: bool) -> Face:
        """Bring picture, contour, number and state to this moment."""
        desk, outcome, model = self._desk, moment.shown, self._session.model
        condition = desk.condition = self._condition_of(moment)
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
            self._draw(outcome, moment.mode, lines, shown, now, new=new)
        self._view.canvas.hide_contour(now < desk.overlay_off_until)
        return shown

    def _condition_of(self, moment: Moment) -> Condition:
        """That of what is shown; while points are marked on the whole picture, its own."""
        condition = moment.condition
        if condition.health is Health.VIEW_FROZEN:
            return condition
        whole = self._whole_shown and not self._view.stage.two_panes
        return Condition(Health.CALIBRATING) if whole and condition.flowing else condition

    def _whole(self, picture: Frame | None) -> Frame | None:
        """The newest picture with the scanner's text and ruler, while something is marked on it."""
        source, before = self._session.source, self._view.front.picture.frame
        frame = picture or before
        if source is None or frame is None or not self._desk.calibrating or (pixels := source.whole()) is None:
            return None
        if before is not None and before.pixels is pixels:
            return before
        return replace(frame, pixels=pixels) if pixels.shape == frame.pixels.shape else None

    def _draw(
        self, outcome: Outcome, mode: str, lines: tuple[Line, ...], shown: Face, now: float, *, new: bool
    ) -> None:
        """Paint a new outcome, or the same one in another style."""
        if new:
            self._compare(outcome)
        band = shown.contour and isinstance(outcome, Tumour) and outcome.band is not None
        decor = replace(self._decor(outcome.frame, shown), band=BAND_WORDS if band else "", truth=self._dice_words)
        spread = disagreement_of(outcome) if self._desk.disagreement and self._desk.condition.flowing else None
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

    def _show_live(self, moment: Moment, picture: Frame | None, shown: Face) -> None:
        """Bring the live one of two panes to this moment: every picture of the source, none with a contour."""
        live = self._view.live
        if picture is not None:
            live.show_frame(picture)
        if live.picture.frame is not None:
            live.set_decor(live_decor(self._decor(live.picture.frame, shown), self._session.info, moment.live))
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
        if info is not None and info.notice:
            self._view.stage.say(info.notice, now, Tone.NOTICE)

    def _forget(self) -> None:
        """Nothing of the former source may stand beside the new one."""
        desk = self._desk
        desk.freezing.put_away()
        self._view.top.show_phase(desk.phase)  # a replay must not be believed by the phase of another operation
        desk.turn_over(desk.flip)
        desk.face_row = None
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
