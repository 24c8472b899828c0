"""Every 16 ms: take over what the session has new, and bring the screen up to date. Nobody pushes pictures at it."""

from dataclasses import replace
from datetime import datetime
from time import monotonic

from inference.errors import SourceError
from inference.frame import Frame
from inference.live.health import SLOW_MS, Condition, Health
from inference.live.session import Moment
from inference.live.thorough import disagreement_of
from inference.outcome import Outcome, Tumour
from inference.readout import facts
from inference.readout.annotations import Annotations, Ticks, annotations_of, face_row
from inference.readout.marks import Line, Tone
from inference.readout.panes import analysed_annotations, live_annotations
from inference.readout.readout_state import Context, ReadoutState
from inference.readout.states import readout_of, region_lines
from inference.sources.paths import shown_address
from viewer.control.app_state import AppState
from viewer.control.calibration import Calibration
from viewer.picture.graphics_items import Outlines

MAP_WORDS = "pink: where passes or folds disagree, not a margin"
BAND_WORDS = "thin lines: model 25-75 %, not a margin"
SLOW_S = 0.2
"""Facts, trace and transport follow this slowly; picture, contour, number and state follow every frame."""


class Refresh:
    """Shows what the session has.

    Args:
        state: read, and kept up to date.
        calibration: told of every new source.
    """

    def __init__(self, state: AppState, calibration: Calibration) -> None:
        self._calibration, self._whole_shown = calibration, False
        self._state, self._view, self._session = state, state.view, state.session
        self._drawn: tuple[tuple[Line, ...], bool] = ((), False)
        self._slow_at = 0.0
        self._true: Outlines = ()
        self._dice_words = ""

    def tick(self) -> None:
        """Take over what is new and show it."""
        now, state = monotonic(), self._state
        moment = self._session.tick()
        if moment.source_changed:
            self._source_changed(now)
        if moment.model_changed:
            self._model_changed()
        if moment.interruption:
            self._interrupted(now, moment.interruption)
        if moment.answer is not None:
            self._view.trace.add(now, moment.answer.area_mm2 if isinstance(moment.answer, Tumour) else None)
        if state.freezing.review is not None:
            state.freezing.show_inset(moment)
        whole = self._whole(moment.picture)
        shown = self._show(now, moment, new=moment.new or self._whole_shown)
        if self._view.picture_area.two_panes:
            self._show_live(moment, whole or moment.picture, shown)
        elif whole is not None:
            self._view.canvas.show_frame(whole)
        self._whole_shown = whole is not None
        if now - self._slow_at >= SLOW_S:
            self._slow_at = now
            self._show_slowly(now)

    def _interrupted(self, now: float, sentence: str) -> None:
        """Nothing from before a sleep may stand as live: the session dropped it, and the screen does."""
        state = self._state
        state.freezing.put_away()
        state.held_warning.reset()
        self._view.canvas.clear()
        self._view.live.clear()
        self._view.picture_area.say(sentence, now)

    def hurry(self) -> None:
        """Bring what follows slowly to the moment of the next tick."""
        self._slow_at = 0.0

    def _show(self, now: float, moment: Moment, *, new: bool) -> ReadoutState:
        """Bring picture, contour, number and state to this moment."""
        state, outcome, model = self._state, moment.shown, self._session.model
        condition = state.condition = self._condition_of(moment)
        held = state.held_warning.update(outcome.size if isinstance(outcome, Tumour) else None, now)
        contract = None if model is None else model.contract
        shown = readout_of(outcome, condition, Context(contract, state.phase, held))
        self._view.top.show_source(self._session.info, condition)
        # The words first: drawing paints at once, and number and contour must come and go in one round of painting.
        if shown != state.readout_state:
            state.readout_state = shown
            self._view.readout.show_state(shown)
        if outcome is not None:
            lines = region_lines(outcome, held) if shown.contour and isinstance(outcome, Tumour) else ()
            self._draw(outcome, moment.mode, lines, shown, now, new=new)
        self._view.canvas.hide_contour(now < state.overlay_off_until)
        return shown

    def _condition_of(self, moment: Moment) -> Condition:
        """That of what is shown; while points are marked on the whole picture, its own."""
        condition = moment.condition
        if condition.health is Health.VIEW_FROZEN:
            return condition
        whole = self._whole_shown and not self._view.picture_area.two_panes
        return Condition(Health.CALIBRATING) if whole and condition.flowing else condition

    def _whole(self, picture: Frame | None) -> Frame | None:
        """The newest picture with the scanner's text and ruler, while something is marked on it."""
        source, before = self._session.source, self._view.front.picture.frame
        frame = picture or before
        if source is None or frame is None or not self._state.calibrating or (pixels := source.whole()) is None:
            return None
        if before is not None and before.pixels is pixels:
            return before
        return replace(frame, pixels=pixels) if pixels.shape == frame.pixels.shape else None

    def _draw(
        self, outcome: Outcome, mode: str, lines: tuple[Line, ...], shown: ReadoutState, now: float, *, new: bool
    ) -> None:
        """Paint a new outcome, or the same one in another style."""
        if new:
            self._compare(outcome)
        band = shown.contour and isinstance(outcome, Tumour) and outcome.band is not None
        annotations = replace(
            self._annotations(outcome.frame, shown), band=BAND_WORDS if band else "", truth=self._dice_words
        )
        spread = disagreement_of(outcome) if self._state.disagreement and self._state.condition.flowing else None
        annotations = replace(annotations, mode=mode, disagreement="" if spread is None else MAP_WORDS)
        caliper = self._state.caliper
        if caliper is not None and (points := caliper.on(outcome.frame)):
            annotations = replace(annotations, caliper=points, distance=caliper.words)
        if self._view.picture_area.two_panes:
            annotations = analysed_annotations(
                annotations, outcome, self._state.condition, self._view.live.picture.frame, now
            )
        self._view.canvas.set_annotations(annotations)
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

    def _show_live(self, moment: Moment, picture: Frame | None, shown: ReadoutState) -> None:
        """Bring the live one of two panes to this moment: every picture of the source, none with a contour."""
        live = self._view.live
        if picture is not None:
            live.show_frame(picture)
        if live.picture.frame is not None:
            live.set_annotations(
                live_annotations(self._annotations(live.picture.frame, shown), self._session.info, moment.live)
            )
        live.dim(shown.dimmed)

    def _annotations(self, frame: Frame, shown: ReadoutState) -> Annotations:
        """The marks around this picture."""
        state, info = self._state, self._session.info
        if info is None:
            return Annotations()
        if state.face_row is None:
            state.face_row = face_row(frame)
        annotations = annotations_of(frame, info, state.marker, state.face_row, state.flip)
        points = () if self._view.calibration.isHidden() else self._view.calibration.points
        annotations = replace(annotations, ticks=self._ticks(frame))
        frozen = state.freezing.review is not None
        return replace(annotations, phase=state.phase.words, banner=shown.banner, points=points, framed=frozen)

    def _ticks(self, frame: Frame) -> Ticks | None:
        """Our own centimetres beside the scanner's: those of the points clicked so far, or of the scale in use."""
        if not self._state.calibrating:
            return None
        preview = self._view.calibration.preview
        if preview is not None:
            return Ticks.along(*preview)
        ruler, spacing = self._state.ruler, frame.spacing
        return None if ruler is None or spacing is None else Ticks.along(ruler, spacing)

    def _show_slowly(self, now: float) -> None:
        """Bring everything that nobody reads at thirty a second to this moment."""
        state, status, model = self._state, self._session.status(), self._session.model
        for name, value in facts.facts(state.shown, model, status, state.meter, now).items():
            self._view.readout.show_fact(name, value)
        self._view.trace.refresh()
        self._view.transport.update_place()
        self._view.picture_area.expire(now)
        if not self._view.timing.isHidden():
            self._view.timing.show_numbers(state.meter, state.live_meter, status, model)
            self._view.timing.show_screen(state.wake.words)
        if (preview := state.previews.poll()) is not None:
            self._view.source.list.show_preview(preview)
        self._view.top.show_clock(f"{datetime.now().astimezone():%H:%M:%S}")
        state.recording.show()
        sleepy = state.wake.keep(self._session.live is not None)
        if sentence := state.faults.take() or state.snapshots.poll() or sleepy:
            self._view.picture_area.say(sentence, now)
        elif (told := state.background.take()) is not None:
            self._view.picture_area.say(told[0], now, told[1])

    def _source_changed(self, now: float) -> None:
        """A source was opened or refused."""
        refusal, info, state = self._session.source_refusal, self._session.info, self._state
        self._view.source.complain(refusal)
        if refusal:
            if info is not None:
                self._view.picture_area.say(refusal, now)
            return
        self._forget()
        if info is not None:
            self._view.canvas.set_source(info)
            self._view.live.set_source(info)
        self._view.transport.set_source(self._session.playback, live=self._session.live is not None)
        if self._session.request is not None:
            state.remember(state.settings.with_recent(shown_address(self._session.request.text)))
            self._view.source.dismiss()
        self._calibration.source_opened()
        if info is not None and info.notice:
            self._view.picture_area.say(info.notice, now, Tone.NOTICE)

    def _forget(self) -> None:
        """Nothing of the former source may stand beside the new one."""
        state = self._state
        state.freezing.put_away()
        self._view.top.show_phase(state.phase)  # a replay must not be believed by the phase of another operation
        state.flip_view(state.flip)
        state.face_row = None
        state.held_warning.reset()
        state.meter.reset()
        state.live_meter.reset()
        self._view.trace.clear()
        self._view.canvas.clear()
        self._view.live.clear()

    def _model_changed(self) -> None:
        """A model was loaded or refused."""
        model = self._session.model
        self._state.meter.reset()
        self._state.live_meter.reset()
        if model is not None:
            self._view.show_panes(two=model.warm_up_ms > SLOW_MS)
        self._view.model_card.show_model(model, self._session.model_refusal)
        self._view.trace.set_limit(None if model is None else model.contract.reliability.min_reliable_area_mm2)
