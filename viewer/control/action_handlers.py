"""What the actions do. Which there are, and their keys, stands in `actions`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

from inference.frame import View
from inference.live.requests import SourceRequest
from inference.live.thorough import NOT_YET, disagreement_of
from inference.sources import device_names
from inference.spacing import PixelSpacing
from inference.view_notes import Marker, Phase
from viewer.control.app_state import Desk
from viewer.control.calibration import Calibrating
from viewer.picture.caliper import Caliper
from viewer.picture.canvas import Canvas
from viewer.readout.readout_state import Offer
from viewer.style.marks import Tone

OVERLAY_OFF_S = 3.0


class Deeds:
    """Carries actions out.

    Args:
        desk: what they change.
        calibrating: serves the calibration panel.
        window: what only a window can do, by the action's name: `fullscreen`.
    """

    def __init__(self, desk: Desk, calibrating: Calibrating, window: dict[str, Callable[[], None]]) -> None:
        self._desk, self._view, self._session = desk, desk.view, desk.session
        self._calibrating = calibrating
        toggle, view = desk.view.stage.toggle, desk.view
        self._does: dict[str, Callable[[], None]] = {
            "play": self._play_or_pause,
            "back": lambda: self._step(-1),
            "forward": lambda: self._step(1),
            "open": self._open_panel,
            "calibrate": self._calibration_panel,
            "model": lambda: toggle(view.model_card),
            "phase": lambda: self.set_phase(desk.phase.following),
            "overlay": self._overlay_off,
            "band": lambda: desk.session.want_band(not desk.session.band),
            "disagreement": self._disagreement,
            "caliper": self._caliper,
            "snapshot": self._snapshot,
            "record": self._record,
            "keep": lambda: desk.recording.keep(desk.standing),
            "export": lambda: desk.exporting.toggle(desk.shown),
            "wrong": lambda: desk.recording.mark_wrong(desk.shown),
            "wider": lambda: self._widen(0.5),
            "narrower": lambda: self._widen(-0.5),
            "mirror": lambda: desk.turn_over(desk.flip.across),
            "invert": lambda: desk.turn_over(desk.flip.over),
            "performance": lambda: toggle(view.timing),
            "help": lambda: toggle(view.keys),
            "dismiss": view.stage.dismiss,
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
            Offer.MODEL: lambda: self._view.stage.toggle(self._view.model_card),
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
        self._desk.thaw()
        self._session.load(path, chosen=chosen)
        self._view.model_card.show_model(None, "")

    def set_phase(self, phase: Phase) -> None:
        """Set the phase of surgery."""
        self._desk.phase = phase
        self._view.top.show_phase(phase)

    def calibrate(self, spacing: PixelSpacing) -> None:
        """Use this scale from the next frame on."""
        self._desk.thaw()
        self._desk.hold.reset()
        self._view.trace.clear()
        self._session.calibrate(spacing)
        self._calibrating.calibrated(spacing)

    def click(self, pane: Canvas, x: float, y: float) -> None:
        """Take a click on a pane's picture, in its own pixels."""
        desk, shown = self._desk, self._desk.shown
        if not self._view.calibration.isHidden():
            self._view.calibration.click(x, y)
        elif desk.caliper is not None and shown is not None and pane is self._view.canvas:
            desk.caliper = desk.caliper.clicked(shown.frame, x, y)

    def _disagreement(self) -> None:
        """The map of a thorough answer over its frame, or away; a sentence where there is none."""
        desk = self._desk
        desk.disagreement = not desk.disagreement and disagreement_of(desk.shown) is not None
        if not desk.disagreement and disagreement_of(desk.shown) is None:
            self._view.stage.say(NOT_YET, monotonic(), Tone.NOTICE)

    def _caliper(self) -> None:
        """Take the caliper, on a view that stands; or put it away."""
        if self._desk.caliper is not None:
            self._desk.caliper = None
            return
        if self._session.live is not None:
            self.freeze()
        elif self._session.playback is not None:
            self._session.playback.pause()
        self._view.stage.dismiss()
        self._desk.caliper = Caliper()

    def turn_marker(self) -> None:
        """The probe's marker side: left, right, left."""
        self._desk.marker = self._desk.marker.following
        self._calibrating.marker_turned()

    def introduced(self) -> None:
        """The first run's explanation was read."""
        self._desk.remember(replace(self._desk.settings, introduced=True))

    def start_recording(self, case_code: str) -> None:
        """Record from now on; the code holds for this sitting."""
        self._desk.recording.case_code = case_code
        self._desk.recording.start(self._desk.standing)

    def freeze(self) -> None:
        """Hold the view of a live source, with the last half minute to scrub through."""
        if self._desk.freezing.freeze(self._desk.shown):
            self._desk.hold.reset()

    def _play_or_pause(self) -> None:
        self._desk.caliper = None
        if self._session.live is not None:
            (self.freeze if self._desk.freezing.review is None else self._desk.thaw)()
        playback = self._session.playback
        if playback is not None and len(playback) > 1:
            (playback.pause if playback.playing else playback.play)()
            self._view.transport.update_place()

    def _step(self, by: int) -> None:
        if self._session.live is not None:
            self.freeze()
        tape = self._desk.freezing.review or self._session.playback
        if tape is not None:
            self._desk.hold.reset()
            tape.step(by)
            self._view.transport.update_place()

    def _calibration_panel(self) -> None:
        self._desk.thaw()
        self._calibrating.refresh()
        self._view.stage.toggle(self._view.calibration)

    def _open_panel(self) -> None:
        self._view.source.list.show_sources(device_names(), self._desk.settings.recent)
        self._view.stage.toggle(self._view.source)

    def _snapshot(self) -> None:
        """Write what is on the screen; nothing is analysed anew."""
        desk, info = self._desk, self._session.info
        if desk.shown is not None and info is not None:
            notes = tuple(note for note in (desk.phase.words, self._marker().words) if note)
            desk.snapshots.take(desk.shown, info.levels, notes, desk.flip)

    def _marker(self) -> Marker:
        """The probe's marker side; a slice has no probe."""
        info = self._session.info
        return Marker.NONE if info is not None and info.origin.view is View.SLICE else self._desk.marker

    def _record(self) -> None:
        """Start, with the case code asked for once; or stop."""
        recording = self._desk.recording
        if recording.running:
            recording.stop()
        elif recording.case_code is None:
            self._view.stage.toggle(self._view.record)
        else:
            recording.start(self._desk.standing)

    def _overlay_off(self) -> None:
        self._desk.overlay_off_until = monotonic() + OVERLAY_OFF_S

    def _widen(self, by: float) -> None:
        self._desk.remember(self._desk.settings.with_width(by))
        self._view.widen(self._desk.settings.line_width)
