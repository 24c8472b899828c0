"""What the actions do. Which there are, and their keys, stands in `actions`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

from inference.frame import View
from inference.live.requests import SourceRequest
from inference.live.thorough import NOT_YET, disagreement_of
from inference.readout.caliper import Caliper
from inference.readout.marks import Tone
from inference.readout.readout_state import Offer
from inference.sources import device_names
from inference.spacing import PixelSpacing
from inference.view_notes import Marker, Phase
from viewer.control.app_state import AppState
from viewer.control.calibration import Calibration
from viewer.picture.canvas import Canvas

OVERLAY_OFF_S = 3.0


class ActionHandlers:
    """Carries actions out.

    Args:
        state: what they change.
        calibrating: serves the calibration panel.
        window: what only a window can do, by the action's name: `fullscreen`.
    """

    def __init__(self, state: AppState, calibration: Calibration, window: dict[str, Callable[[], None]]) -> None:
        self._state, self._view, self._session = state, state.view, state.session
        self._calibration = calibration
        toggle, view = state.view.picture_area.toggle, state.view
        self._does: dict[str, Callable[[], None]] = {
            "play": self._play_or_pause,
            "back": lambda: self._step(-1),
            "forward": lambda: self._step(1),
            "open": self._open_panel,
            "calibrate": self._calibration_panel,
            "model": lambda: toggle(view.model_card),
            "phase": lambda: self.set_phase(state.phase.following),
            "overlay": self._overlay_off,
            "band": lambda: state.session.want_band(not state.session.band),
            "disagreement": self._disagreement,
            "caliper": self._caliper,
            "snapshot": self._snapshot,
            "record": self._record,
            "keep": lambda: state.recording.keep(state.view_notes),
            "export": lambda: state.record_export.toggle(state.shown),
            "wrong": lambda: state.recording.mark_wrong(state.shown),
            "wider": lambda: self._widen(0.5),
            "narrower": lambda: self._widen(-0.5),
            "mirror": lambda: state.turn_over(state.flip.across),
            "invert": lambda: state.turn_over(state.flip.over),
            "performance": lambda: toggle(view.timing),
            "help": lambda: toggle(view.keys),
            "dismiss": view.picture_area.dismiss,
            **window,
        }

    def act(self, name: str) -> None:
        """Carry out an action of `ACTIONS`."""
        self._does[name]()

    def accept(self, offer: Offer) -> None:
        """Carry out what a card offers."""
        does: dict[Offer, Callable[[], None]] = {
            Offer.CALIBRATE: self._calibration_panel,
            Offer.WITHOUT_SCALE: self._session.analyse_without_scale,
            Offer.OPEN: self._open_panel,
            Offer.DEMONSTRATION: self._choose_model,
            Offer.MODEL: lambda: self._view.picture_area.toggle(self._view.model_card),
        }
        does[offer]()

    def open_source(self, request: SourceRequest) -> None:
        """Begin to open a source."""
        self._view.source.current = request.text
        self._session.open(request)

    def _choose_model(self) -> None:
        self._session.chosen = True

    def open_model(self, path: Path | None, *, chosen: bool = True) -> None:
        """Begin to load a model; `chosen` by the user, unless there is no other."""
        self._state.unfreeze()
        self._session.load(path, chosen=chosen)
        self._view.model_card.show_model(None, "")

    def set_phase(self, phase: Phase) -> None:
        """Set the phase of surgery."""
        self._state.phase = phase
        self._view.top.show_phase(phase)

    def calibrate(self, spacing: PixelSpacing) -> None:
        """Use this scale from the next frame on."""
        self._state.unfreeze()
        self._state.held_warning.reset()
        self._view.trace.clear()
        self._session.calibrate(spacing)
        self._calibration.calibrated(spacing)

    def click(self, pane: Canvas, x: float, y: float) -> None:
        """Take a click on a pane's picture, in its own pixels."""
        state, shown = self._state, self._state.shown
        if not self._view.calibration.isHidden():
            self._view.calibration.click(x, y)
        elif state.caliper is not None and shown is not None and pane is self._view.canvas:
            state.caliper = state.caliper.clicked(shown.frame, x, y)

    def _disagreement(self) -> None:
        """The map of a thorough answer over its frame, or away; a sentence where there is none."""
        state = self._state
        state.disagreement = not state.disagreement and disagreement_of(state.shown) is not None
        if not state.disagreement and disagreement_of(state.shown) is None:
            self._view.picture_area.say(NOT_YET, monotonic(), Tone.NOTICE)

    def _caliper(self) -> None:
        """Take the caliper, on a view that stands; or put it away."""
        if self._state.caliper is not None:
            self._state.caliper = None
            return
        if self._session.live is not None:
            self.freeze()
        elif self._session.playback is not None:
            self._session.playback.pause()
        self._view.picture_area.dismiss()
        self._state.caliper = Caliper()

    def turn_marker(self) -> None:
        """The probe's marker side: left, right, left."""
        self._state.marker = self._state.marker.following
        self._calibration.marker_turned()

    def introduced(self) -> None:
        """The first run's explanation was read."""
        self._state.remember(replace(self._state.settings, introduced=True))

    def start_recording(self, case_code: str) -> None:
        """Record from now on; the code holds for this sitting."""
        self._state.recording.case_code = case_code
        self._state.recording.start(self._state.view_notes)

    def freeze(self) -> None:
        """Hold the view of a live source, with the last half minute to scrub through."""
        if self._state.freezing.freeze(self._state.shown):
            self._state.held_warning.reset()

    def _play_or_pause(self) -> None:
        self._state.caliper = None
        if self._session.live is not None:
            (self.freeze if self._state.freezing.review is None else self._state.unfreeze)()
        playback = self._session.playback
        if playback is not None and len(playback) > 1:
            (playback.pause if playback.playing else playback.play)()
            self._view.transport.update_place()

    def _step(self, by: int) -> None:
        if self._session.live is not None:
            self.freeze()
        seekable = self._state.freezing.review or self._session.playback
        if seekable is not None:
            self._state.held_warning.reset()
            seekable.step(by)
            self._view.transport.update_place()

    def _calibration_panel(self) -> None:
        self._state.unfreeze()
        self._calibration.refresh()
        self._view.picture_area.toggle(self._view.calibration)

    def _open_panel(self) -> None:
        self._view.source.list.show_sources(device_names(), self._state.settings.recent)
        self._view.picture_area.toggle(self._view.source)

    def _snapshot(self) -> None:
        """Write what is on the screen; nothing is analysed anew."""
        state, info = self._state, self._session.info
        if state.shown is not None and info is not None:
            notes = tuple(note for note in (state.phase.words, self._marker().words) if note)
            state.snapshots.take(state.shown, info.levels, notes, state.flip)

    def _marker(self) -> Marker:
        """The probe's marker side; a slice has no probe."""
        info = self._session.info
        return Marker.NONE if info is not None and info.origin.view is View.SLICE else self._state.marker

    def _record(self) -> None:
        """Start, with the case code asked for once; or stop."""
        recording = self._state.recording
        if recording.running:
            recording.stop()
        elif recording.case_code is None:
            self._view.picture_area.toggle(self._view.record)
        else:
            recording.start(self._state.view_notes)

    def _overlay_off(self) -> None:
        self._state.overlay_off_until = monotonic() + OVERLAY_OFF_S

    def _widen(self, by: float) -> None:
        self._state.remember(self._state.settings.with_width(by))
        self._view.widen(self._state.settings.line_width)
