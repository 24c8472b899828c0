"""The window: actions, and the 16 ms pull. Nobody pushes pictures at it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QMainWindow

from inference.reading import Outcome, Tumour
from inference.sources import device_names
from inference.sources.paths import shown_address
from inference.spacing import PixelSpacing
from viewer import facts, settings
from viewer.actions import ACTIONS
from viewer.canvas import Painted
from viewer.condition import Condition, Health
from viewer.decor import Decor, Marker, decor_of, face_row
from viewer.face import Context, Face, Line, Offer
from viewer.faults import Faults
from viewer.flip import Flip
from viewer.freezing import Freezing
from viewer.hold import WarningHold
from viewer.meter import Meter
from viewer.outlet import Outlet
from viewer.phase import Phase
from viewer.review import Review
from viewer.screen import Screen
from viewer.session import Session, SourceRequest
from viewer.settings import Settings
from viewer.snapshots import Snapshots
from viewer.states import face, region_lines
from viewer.stylesheet import stylesheet
from viewer.theme import Theme

TICK_MS = 16
SLOW_S = 0.2
"""Facts, trace and transport follow this slowly; picture, contour, number and state follow every frame."""
OVERLAY_OFF_S = 3.0


class MainWindow(QMainWindow):
    """Shows one session.

    Args:
        session: what is open; closed with the window.
        remembered: settings read at start.
        faults: unexpected errors, polled.
        phase: phase of surgery to begin with.
    """

    def __init__(
        self, session: Session, remembered: Settings, faults: Faults | None = None, phase: Phase = Phase.UNSET
    ) -> None:
        super().__init__()
        self.setWindowTitle("ius-viewer")
        self.outlet, self.snapshots = Outlet(), Snapshots(settings.exports_folder())
        self.setMinimumSize(1120, 700)
        self.setAcceptDrops(True)
        self.session, self.settings, self.phase = session, remembered, phase
        self._faults = faults or Faults()
        self.meter, self._hold = Meter(), WarningHold()
        self.shown: Outcome | None = None
        self._condition = Condition(Health.EMPTY)
        self.face: Face | None = None
        self._drawn: tuple[tuple[Line, ...], bool] = ((), False)
        self._marker, self.flip = Marker.UNSET, Flip()
        self._face_row: int | None = None
        self._overlay_off_until = self._slow_at = 0.0
        self._look: Theme | None = None
        self.view = Screen(self.act, self._accept, self._painted)
        self.freezing = Freezing(session, self.view)
        self.setCentralWidget(self.view)
        self._connect()
        self.view.top.show_phase(phase)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._timer.start(TICK_MS)

    def _connect(self) -> None:
        for action in ACTIONS:
            for keys in action.keys:
                QShortcut(QKeySequence(keys), self, self._actor(action.name))
        self.view.canvas.clicked.connect(self._clicked)
        self.view.canvas.marker_clicked.connect(self._turn_marker)
        self.view.transport.scrubber.touched.connect(lambda _: self._hold.reset())
        self.view.calibration.calibrated.connect(self._calibrated)
        self.view.source.chosen.connect(self.open_source)
        self.view.model_card.chosen.connect(self.open_model)
        self.view.welcome.closed.connect(self._introduced)

    def _actor(self, name: str) -> Callable[[], None]:
        return lambda: self.act(name)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Sizes follow the window's."""
        super().resizeEvent(event)
        look = Theme.for_window(self.width(), self.height())
        if look != self._look:
            self._look = look
            self.apply(look)

    def apply(self, look: Theme) -> None:
        """Use these sizes."""
        self.setStyleSheet(stylesheet(look))
        self.view.apply(look)
        self.view.canvas.set_line_width(self.settings.line_width * look.scale)

    # ── the pull ────────────────────────────────────────────────────────────────────────────────────────────

    def tick(self) -> None:
        """Take over what is new and show it."""
        now = monotonic()
        changed = self.session.poll()
        if "source" in changed:
            self._source_changed(now)
        if "model" in changed:
            self._model_changed()
        newest = self.session.take()
        self.outlet.update(newest, self.session.condition(newest or self.freezing.behind(self.shown)))
        if newest is not None:
            self.view.trace.add(now, newest.area_mm2 if isinstance(newest, Tumour) else None)
        outcome = self.freezing.choose(newest)
        self.shown = outcome or self.shown
        self._show(now, new=outcome is not None)
        if now - self._slow_at >= SLOW_S:
            self._slow_at = now
            self._show_slowly(now)

    def _show(self, now: float, *, new: bool) -> None:
        """Bring picture, contour, number and state to this moment."""
        outcome, model = self.shown, self.session.model
        condition = self._condition = self._condition_of(outcome)
        held = self._hold.update(outcome.size if isinstance(outcome, Tumour) else None, now)
        contract = None if model is None else model.contract
        shown = face(outcome, condition, Context(contract, self.phase, held))
        self.view.top.show_source(self.session.info, condition)
        if outcome is not None:
            lines = region_lines(outcome, held) if shown.contour and isinstance(outcome, Tumour) else ()
            self._draw(outcome, lines, shown, new=new)
        if shown != self.face:
            self.face = shown
            self.view.readout.show_face(shown)
        self.view.canvas.hide_contour(now < self._overlay_off_until)

    def _condition_of(self, outcome: Outcome | None) -> Condition:
        """The source's, or that of a view the user froze: then the source's own stands in the inset."""
        review = self.review
        return self.session.condition(outcome) if review is None else Condition(Health.VIEW_FROZEN, review.behind_s)

    @property
    def review(self) -> Review | None:
        """The last half minute while the view is frozen."""
        return self.freezing.review

    def _draw(self, outcome: Outcome, lines: tuple[Line, ...], shown: Face, *, new: bool) -> None:
        """Paint a new outcome, or the same one in another style."""
        self.view.canvas.set_decor(self._decor(outcome, shown))
        if new:
            self.view.canvas.show_outcome(outcome, lines, dimmed=shown.dimmed)
        elif (lines, shown.dimmed) != self._drawn:
            self.view.canvas.show_lines(outcome, lines, dimmed=shown.dimmed)
        self._drawn = (lines, shown.dimmed)

    def _decor(self, outcome: Outcome, shown: Face) -> Decor:
        """The marks around this outcome's picture."""
        info = self.session.info
        if info is None:
            return Decor()
        if self._face_row is None:
            self._face_row = face_row(outcome.frame)
        decor = decor_of(outcome.frame, info, self._marker, self._face_row, self.flip)
        points = () if self.view.calibration.isHidden() else self.view.calibration.points
        frozen = self.review is not None
        return replace(decor, phase=self.phase.words, banner=shown.banner, points=points, framed=frozen)

    def _painted(self, painted: Painted) -> None:
        """Count what was painted, but not the picture that waits for its model, nor a frozen one."""
        if self._condition.health not in (Health.LOADING, Health.VIEW_FROZEN):
            self.meter.record(painted)

    def _show_slowly(self, now: float) -> None:
        """Bring everything that nobody reads at thirty a second to this moment."""
        status, model = self.session.status(), self.session.model
        for name, value in facts.facts(self.shown, model, status, self.meter, now).items():
            self.view.readout.show_fact(name, value)
        self.view.trace.refresh()
        self.view.transport.update_place()
        self.view.stage.expire(now)
        if not self.view.timing.isHidden():
            self.view.timing.show_numbers(self.meter, status, model)
        if (sentence := self._faults.take() or self.snapshots.poll()) is not None:
            self.view.stage.say(sentence, now)

    def _source_changed(self, now: float) -> None:
        """A source was opened or refused."""
        refusal, info = self.session.source_refusal, self.session.info
        self.view.source.complain(refusal)
        if refusal:
            if info is not None:
                self.view.stage.say(refusal, now)
            return
        self.freezing.forget()
        self._turn_over(Flip())
        self.shown, self._marker, self._face_row = None, Marker.UNSET, None
        self._hold.reset()
        self.meter.reset()
        self.view.trace.clear()
        self.view.canvas.clear()
        if info is not None:
            self.view.canvas.set_source(info)
        self.view.transport.set_source(self.session.playback, live=self.session.live is not None)
        if self.session.request is not None:
            self._remember(self.settings.with_recent(shown_address(self.session.request.text)))
            self.view.source.dismiss()

    def _model_changed(self) -> None:
        """A model was loaded or refused."""
        model = self.session.model
        self.meter.reset()
        self.view.model_card.show_model(model, self.session.model_refusal)
        self.view.trace.set_limit(None if model is None else model.contract.reliability.min_reliable_area_mm2)

    # ── actions ─────────────────────────────────────────────────────────────────────────────────────────────

    def act(self, name: str) -> None:
        """Carry out an action of `ACTIONS`."""
        does: dict[str, Callable[[], None]] = {
            "play": self._play_or_pause,
            "back": lambda: self._step(-1),
            "forward": lambda: self._step(1),
            "open": self._open_panel,
            "calibrate": lambda: self.view.stage.toggle(self.view.calibration),
            "model": lambda: self.view.stage.toggle(self.view.model_card),
            "phase": lambda: self.set_phase(self.phase.following),
            "overlay": self._overlay_off,
            "snapshot": self._snapshot,
            "wider": lambda: self._widen(0.5),
            "narrower": lambda: self._widen(-0.5),
            "mirror": lambda: self._turn_over(self.flip.across),
            "invert": lambda: self._turn_over(self.flip.over),
            "fullscreen": self._full_screen,
            "performance": lambda: self.view.stage.toggle(self.view.timing),
            "help": lambda: self.view.stage.toggle(self.view.keys),
            "dismiss": self.view.stage.dismiss,
        }
        does[name]()

    def open_source(self, request: SourceRequest) -> None:
        """Begin to open a source."""
        self.view.source.current = request.text
        self.session.open(request)

    def open_model(self, path: Path | None) -> None:
        """Begin to load a model."""
        self.thaw()
        self.session.load(path)
        self.view.model_card.show_model(None, "")

    def set_phase(self, phase: Phase) -> None:
        """Set the phase of surgery."""
        self.phase = phase
        self.view.top.show_phase(phase)

    def introduce(self) -> None:
        """Explain the screen, once."""
        self.view.stage.toggle(self.view.welcome)

    def freeze(self) -> None:
        """Hold the view of a live source, with the last half minute to scrub through."""
        if self.freezing.freeze(self.shown):
            self._hold.reset()

    def thaw(self) -> None:
        """Back to the running view."""
        if self.freezing.thaw():
            self._hold.reset()

    def _play_or_pause(self) -> None:
        if self.session.live is not None:
            (self.freeze if self.review is None else self.thaw)()
        playback = self.session.playback
        if playback is not None and len(playback) > 1:
            (playback.pause if playback.playing else playback.play)()
            self.view.transport.update_place()

    def _step(self, by: int) -> None:
        if self.session.live is not None:
            self.freeze()
        tape = self.review or self.session.playback
        if tape is not None:
            self._hold.reset()
            tape.step(by)
            self.view.transport.update_place()

    def _open_panel(self) -> None:
        self.view.source.show_recent(self.settings.recent)
        self.view.source.show_devices(device_names())
        self.view.stage.toggle(self.view.source)

    def _snapshot(self) -> None:
        """Write what is on the screen; nothing is analysed anew."""
        if self.shown is not None and self.session.info is not None:
            self.snapshots.take(self.shown, self.session.info.levels, (self.phase.words,), self.flip)

    def _overlay_off(self) -> None:
        self._overlay_off_until = monotonic() + OVERLAY_OFF_S

    def _widen(self, by: float) -> None:
        self._remember(self.settings.with_width(by))
        scale = self._look.scale if self._look else 1.0
        self.view.canvas.set_line_width(self.settings.line_width * scale)

    def _full_screen(self) -> None:
        (self.showNormal if self.isFullScreen() else self.showFullScreen)()

    def _turn_marker(self) -> None:
        self._marker = self._marker.following

    def _turn_over(self, flip: Flip) -> None:
        """Turn over what is shown, contour and all; what is analysed and measured stays as it came."""
        self.flip = flip
        self.view.canvas.set_flip(flip)
        self.view.stage.inset.set_flip(flip)

    def _clicked(self, x: float, y: float) -> None:
        if not self.view.calibration.isHidden():
            self.view.calibration.click(x, y)

    def _calibrated(self, spacing: PixelSpacing) -> None:
        self.thaw()
        self._hold.reset()
        self.view.trace.clear()
        self.session.calibrate(spacing)

    def _accept(self, offer: Offer) -> None:
        does: dict[Offer, Callable[[], None]] = {
            Offer.CALIBRATE: lambda: self.view.stage.toggle(self.view.calibration),
            Offer.WITHOUT_SCALE: self.session.analyse_without_scale,
            Offer.OPEN: self._open_panel,
            Offer.MODEL: lambda: self.view.stage.toggle(self.view.model_card),
        }
        does[offer]()

    def _introduced(self) -> None:
        self._remember(replace(self.settings, introduced=True))

    def _remember(self, changed: Settings) -> None:
        self.settings = changed
        settings.save(changed)

    # ── files dropped, and the end ──────────────────────────────────────────────────────────────────────────

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first file; an .onnx is a model."""
        path = Path(next(url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()))
        event.acceptProposedAction()
        if path.suffix.lower() == ".onnx":
            self.open_model(path)
        else:
            self.open_source(self.view.source.request(str(path)))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the pull, join every thread."""
        self._timer.stop()
        self.outlet.close()
        self.session.close()
        self.snapshots.close()
        super().closeEvent(event)
