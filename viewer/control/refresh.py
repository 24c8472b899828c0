"""Every 16 ms: take over what is new in the session, resolve what the screen shows, and draw it."""

from dataclasses import replace
from datetime import datetime
from time import monotonic

from inference.assets import bundled_model
from inference.crop import Rect
from inference.frame import Frame
from inference.live.health import OPENING_AFTER_S, SLOW_MS
from inference.live.moment import Moment
from inference.live.notices import Notices
from inference.live.requests import lasting, named
from inference.outcome import Tumour
from inference.readout import facts
from inference.readout.formatting import clock_words
from inference.readout.look import AS_IT_CAME
from inference.readout.marks import Tone
from inference.readout.screen_state import Marking, ScreenInputs, resolve
from inference.readout.side_by_side import Beside
from inference.readout.trend import TrendState
from inference.sources import device_names
from viewer.control.app_state import AppState
from viewer.control.calibration import APPLIED, DIFFERENT, Calibration
from viewer.control.correcting import Correcting
from viewer.control.keyboard import Keyboard
from viewer.control.records import Records
from viewer.control.side_by_side import SideBySide
from viewer.picture.canvas import Canvas

CHANGED = "The picture has changed: nothing that was marked on the one before is used. Press C to calibrate this one."
TRYING = "Opening {}… {:.0f} s. Esc: give up."
SLOW_S = 0.2
"""Facts, trend and transport are updated this rarely; picture, contour, number and state with every frame."""


class Refresh:
    """Shows the state of the session.

    Args:
        state: read and kept up to date.
        calibration: told of every new source.
        keyboard: kept away from hidden widgets.
        records: the list of records, filled as they are looked at.
        side_by_side: forgets what was kept of another source.
        correcting: has the correction of what is shown.
    """

    def __init__(
        self,
        state: AppState,
        calibration: Calibration,
        keyboard: Keyboard,
        records: Records,
        side_by_side: SideBySide,
        correcting: Correcting,
    ) -> None:
        self._calibration, self._keyboard, self._records = calibration, keyboard, records
        self._side_by_side, self._correcting = side_by_side, correcting
        self._state, self._view, self._session = state, state.view, state.session
        self._slow_at = 0.0
        self._notices = Notices()
        self._trend: TrendState | None = None

    def tick(self) -> None:
        """Take over what is new, resolve what the screen shows, and draw it."""
        now = monotonic()
        pointing = self._state.caliper is not None or self._state.calibrating or self._correcting.on
        for pane in (self._view.canvas, self._view.live):
            pane.keys.keep(wanted=pointing and pane is self._state.pointed)
            pane.lens.keep(wanted=pane is self._state.pointed and self._placing(pane))
        self._keyboard.keep()
        moment = self._session.tick()
        if moment.source_changed:
            self._source_changed(now)
        if moment.model_changed:
            self._model_changed(now)
        if moment.interruption:
            self._interrupted(now, moment.interruption)
        if moment.shown is not None and self._session.standing(moment.shown) is None:
            self._state.caliper = None  # whatever set the picture going: nobody measures on a moving one
        self._state.trend.follow(moment, self._session.info, self._state.phase, now)
        self._calibration.follow(moment.shown)
        self._calibration.look_for_interruption(moment.answer or self._session.newest)
        screen = self._state.screen = resolve(self._inputs(now, moment))
        self._view.draw(screen)
        self._calibration.read_screen()
        if now - self._slow_at >= SLOW_S:
            self._slow_at = now
            self._show_slowly(now)

    def _inputs(self, now: float, moment: Moment) -> ScreenInputs:
        """Everything that decides what the screen shows."""
        state, outcome, model = self._state, moment.shown, self._session.model
        playback = self._session.playback
        tumour = outcome if isinstance(outcome, Tumour) else None
        held = state.held_warning.update(None if tumour is None else tumour.size, now)
        failing = state.held_warning.failing(tumour is not None and tumour.likely_to_fail, now)
        whole, two_panes = self._whole(moment.picture), self._view.picture_area.two_panes
        sector = self._sector(moment.picture if outcome is None or two_panes else outcome.frame)
        return ScreenInputs(
            now=now,
            moment=moment,
            info=self._session.info,
            contract=None if model is None else model.contract,
            notes=state.notes,
            held=held,
            failing=failing,
            comparison=state.comparisons.of(outcome, self._session.truth),
            face_row=state.sector.top,
            marking=self._marking() if state.calibrating else None,
            whole=whole,
            live_frame=self._view.live.picture.frame,
            two_panes=two_panes,
            caliper=state.caliper,
            correction=self._correcting.follow(outcome),
            carried=self._correcting.proposed(outcome),
            correcting=self._correcting.on,
            wrong=outcome is not None and state.recording.is_wrong(outcome),
            disagreement=state.disagreement,
            contour_off=now < state.overlay_off_until or self._view.tools.hiding_contour,
            trend=self._collect_trend(now, moment),
            beside=state.beside if self._view.picture_area.room_beside else Beside.NOTHING,
            earlier=state.earlier,
            earlier_correction=None if state.earlier is None else state.corrections.of(state.earlier.outcome.frame),
            earlier_wrong=state.earlier is not None and state.recording.is_wrong(state.earlier.outcome),
            frames=None if playback is None else len(playback),
            playing=playback is not None and playback.playing,
            recorded_s=state.recording.seconds,
            look=state.look,
            overruled=self._session.source is not None and bool(self._session.source.overruled),
            sector=sector,
        )

    def _collect_trend(self, now: float, moment: Moment) -> TrendState | None:
        """The area over time: a few times a second, and with every frame of a view that stands."""
        session, trend, shown = self._session, self._state.trend, moment.shown
        steps = moment.new and session.standing(shown) is not None
        if now - self._slow_at < SLOW_S and not steps:
            return self._trend
        limit = None if session.model is None else session.model.contract.reliability.min_reliable_area_mm2
        if session.review is not None:
            self._trend = trend.of_frozen(session.review.held, shown, limit)
        elif session.playback is not None:
            self._trend = trend.of_recording(session.playback, shown, limit)
        else:
            self._trend = None if session.info is None else trend.of_stream(session.held(), now, shown, limit)
        return self._trend

    def _whole(self, picture: Frame | None) -> Frame | None:
        """One picture, with the scanner's text and ruler, which stands still while something is marked on it."""
        if not self._state.calibrating:
            self._state.marked_on = None
        elif self._state.marked_on is None:
            frame = picture or self._view.front.picture.frame
            self._state.marked_on = self._raw(frame) or frame
        return self._state.marked_on

    def _raw(self, frame: Frame | None) -> Frame | None:
        """This frame as the scanner drew it; None if the source removes nothing."""
        source = self._session.source
        if source is None or frame is None or (pixels := source.whole()) is None:
            return None
        return replace(frame, pixels=pixels) if pixels.shape == frame.pixels.shape else None

    def _sector(self, frame: Frame | None) -> Rect | None:
        """The box around the tissue seen so far."""
        frame, source = frame or self._view.front.picture.frame, self._session.source
        return None if frame is None or source is None else self._state.sector.grow(frame, source.rect)

    def _placing(self, pane: Canvas) -> bool:
        """Whether a point or a rectangle is being placed on this picture, and a magnifier helps."""
        points = self._view.calibration.points
        by_hand = pane.underMouse() and (len(points) < 2 or not self._view.marking.isHidden())
        return self._state.calibrating and (by_hand or not pane.keys.isHidden())

    def _marking(self) -> Marking:
        panel = self._view.calibration
        points = () if panel.isHidden() else panel.points
        read = () if panel.isHidden() else panel.read
        return Marking(points, panel.preview, self._state.ruler, read, self._calibration.framed)

    def _interrupted(self, now: float, sentence: str) -> None:
        """Remove everything from before a sleep: none of it may appear as live."""
        self._stop_marking()
        self._state.freezing.put_away()
        self._state.caliper = None
        self._state.held_warning.reset()
        self._view.clear()
        self._view.picture_area.say(sentence, now)

    def _show_slowly(self, now: float) -> None:
        """Update everything that nobody reads thirty times a second."""
        state, status, model = self._state, self._session.status(), self._session.model
        found = facts.facts(state.shown, model, status, state.meter, now, calibrating=state.calibrating)
        for name in facts.FACTS:
            self._view.readout.show_fact(name, found[name])
        self._view.transport.update_place()
        self._view.source.tell(self._trying())
        self._view.picture_area.expire(now)
        if not self._view.timing.isHidden():
            self._view.timing.show_details(found)
            self._view.timing.show_numbers(state.meter, state.live_meter, status, model)
            self._view.timing.show_screen(state.wake.words)
        if (preview := state.previews.poll()) is not None:
            self._view.source.list.show_preview(preview)
        self._records.poll()
        if (glances := state.model_glances.poll()) is not None:
            self._view.model_card.show_models(glances, model)
        self._view.top.show_clock(clock_words(datetime.now().astimezone()))
        state.recording.show()
        self._tell_notice(now)
        sleepy = state.wake.keep(self._session.live is not None)
        if sentence := state.faults.take() or sleepy:
            self._view.picture_area.say(sentence, now)
        elif (told := state.snapshots.poll() or state.background.take() or state.memory.take()) is not None:
            self._view.picture_area.say(told[0], now, told[1])

    def _trying(self) -> str:
        """What is being opened, for how long, and how to give it up; empty while nothing is, or not for long."""
        opening, request = self._session.opening, self._session.request
        if opening is None or request is None or opening.seconds < OPENING_AFTER_S:
            return ""
        return TRYING.format(named(request.text), opening.seconds)

    def _source_changed(self, now: float) -> None:
        """React to a source that was opened or refused."""
        refusal, info, state = self._session.source_refusal, self._session.info, self._state
        self._view.source.complain(refusal)
        self._offer_regions()
        if refusal:
            if info is not None and self._view.source.isHidden():
                self._view.picture_area.say(refusal, now)
            return
        self._forget()
        self._view.transport.set_source(self._session.playback, live=self._session.live is not None)
        self._recall()
        if self._session.request is not None:
            state.remember(state.settings.with_recent(lasting(self._session.request.text)))
            self._view.source.dismiss()
        self._calibration.source_opened()
        self._tell_notice(now)

    def _tell_notice(self, now: float) -> None:
        """Say what the source has to say of itself, also if it says so only later."""
        if notice := self._notices.news(self._session.info):
            self._view.picture_area.say(notice, now, Tone.NOTICE)

    def _offer_regions(self) -> None:
        """Offer the regions of a picture that has several; ask for one where none was chosen."""
        session, panel = self._session, self._view.source
        panel.show_regions(session.regions, None if session.request is None else session.request.region)
        if session.source_refusal and session.regions and panel.isHidden():
            panel.list.show_sources(device_names(), self._state.settings)
            self._view.picture_area.toggle(panel)
        self._view.picture_area.refit()

    def _forget(self) -> None:
        """Remove everything about the former source, so that none of it stands beside the new one."""
        state = self._state
        self._view.picture_area.take_back(self._notices.forget(), APPLIED, DIFFERENT)
        self._stop_marking()
        state.freezing.put_away()
        state.marked_on = state.caliper = None
        state.look = AS_IT_CAME
        state.sector.forget()
        state.held_warning.reset()
        state.meter.reset()
        state.live_meter.reset()
        state.trend.clear()
        state.corrections.clear()
        state.proposals.clear()
        self._side_by_side.put_away()
        self._trend = None
        self._view.clear()

    def _stop_marking(self) -> None:
        """Close what marks the picture: points and rectangles are of the picture, and the pane, where they were set."""
        if self._state.calibrating:
            self._view.picture_area.dismiss()
            self._view.picture_area.say(CHANGED, monotonic(), Tone.NOTICE)

    def _recall(self) -> None:
        """Draw what the user judged when the open record was made."""
        judgements, state = self._session.judgements, self._state
        state.recording.source_opened(judgements)
        if judgements is not None:
            state.corrections.recall(judgements.corrections)
            state.trend.recall_wrong(judgements.wrong)

    def _model_changed(self, now: float) -> None:
        """React to a model that was loaded or refused."""
        model, refusal = self._session.model, self._session.model_refusal
        self._view.model_card.show_model(model, refusal)
        self._view.picture_area.take_back(self._state.loading)
        if refusal and model is not None:
            self._view.picture_area.say(f"{refusal} {model.contract.identity.name} goes on.", now)
            return
        if self._session.live is not None:
            self._state.freezing.put_away()  # the session has left a frozen view
        self._state.held_warning.reset()
        self._state.meter.reset()
        self._state.live_meter.reset()
        if model is not None:
            two = model.warm_up_ms > SLOW_MS
            if two is not self._view.picture_area.two_panes:
                self._stop_marking()
            self._view.show_panes(two=two)
        self._state.trend.void(now)
        if model is not None and model.path != bundled_model():
            self._state.remember(self._state.settings.with_model(str(model.path)))
        self._state.look_for_models()
