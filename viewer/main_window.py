"""The window: wires what is shown to what can be done, and pulls every 16 ms."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QResizeEvent,
    QScreen,
    QShortcut,
)
from PySide6.QtWidgets import QMainWindow

from inference.live.health import Health
from inference.live.review import Review
from inference.live.session import Session
from inference.outcome import Outcome
from inference.view_notes import Flip, Phase
from viewer import keymap, settings
from viewer.actions import ACTIONS
from viewer.control.action_handlers import Deeds
from viewer.control.app_state import Desk
from viewer.control.calibration import Calibrating
from viewer.control.freezing import Freezing
from viewer.control.presets import Presets
from viewer.control.record_export import Exporting
from viewer.control.recording import Recording
from viewer.control.refresh import Pull
from viewer.exception_hooks import Faults
from viewer.jobs.background import Chores
from viewer.jobs.snapshots import Snapshots
from viewer.keymap import KeyConflictError
from viewer.layout.layout import Screen
from viewer.paint_meter import Meter, Painted
from viewer.readout.readout_state import Face, Offer
from viewer.settings import Settings
from viewer.style.stylesheet import stylesheet
from viewer.style.theme import Theme

TICK_MS = 16
ONE_MONITOR = "There is no other monitor: plug one in, or press F to fill this one."
MONITOR_LOST = "The monitor {name} was removed: whoever looked at it sees nothing now."


class MainWindow(QMainWindow):
    """Shows one session.

    Args:
        session: what is open; closed with the window.
        remembered: settings read at start.
        faults: unexpected errors, polled.
        phase: phase of surgery to begin with.

    Attributes:
        desk: what actions change and the pull reads.
        deeds: what the actions do.
        pull: brings the screen to this moment.
    """

    def __init__(
        self, session: Session, remembered: Settings, faults: Faults | None = None, phase: Phase = Phase.UNSET
    ) -> None:
        super().__init__()
        self.setWindowTitle("ius-viewer")
        self.setMinimumSize(1120, 700)
        self.setAcceptDrops(True)
        self._look: Theme | None = None
        self.session, self.view = session, Screen(self.act, self._accept, self._painted, self._live_painted)
        self.freezing = Freezing(session, self.view)
        snapshots = Snapshots(settings.exports_folder())
        chores = Chores()
        self.desk = Desk(
            session,
            self.view,
            self.freezing,
            remembered,
            faults or Faults(),
            phase,
            snapshots,
            Recording(session, self.view.top.badge, settings.exports_folder(), chores),
            Exporting(session, chores),
            chores,
        )
        self.calibrating = Calibrating(self.desk, Presets())
        self.deeds = Deeds(
            self.desk, self.calibrating, {"fullscreen": self._full_screen, "monitor": self._other_monitor}
        )
        self.pull = Pull(self.desk, self.calibrating)
        self.setCentralWidget(self.view)
        self._connect()
        self.view.top.show_phase(phase)
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.screenRemoved.connect(self._monitor_lost)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.pull.tick)
        self._timer.start(TICK_MS)

    def _connect(self) -> None:
        self._shortcuts: list[QShortcut] = []
        self._keymap, complaint = keymap.read(self.desk.settings.keys)
        self._use_keys()
        if complaint:
            self.view.stage.say(complaint, monotonic())
        self.view.keys.taught.connect(self._teach)
        for pane in (self.view.canvas, self.view.live):
            pane.clicked.connect(partial(self.deeds.click, pane))
            pane.marker_clicked.connect(self.deeds.turn_marker)
        self.view.transport.scrubber.touched.connect(lambda _: self.desk.hold.reset())
        self.view.calibration.calibrated.connect(self.deeds.calibrate)
        self.view.source.chosen.connect(self.deeds.open_source)
        self.view.source.preview_wanted.connect(self.desk.previews.ask)
        self.view.model_card.chosen.connect(self.deeds.open_model)
        self.view.welcome.closed.connect(self.deeds.introduced)
        self.view.record.started.connect(self.deeds.start_recording)
        self.view.quit.agreed.connect(self._stop_and_close)

    def _use_keys(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = [
            QShortcut(QKeySequence(key), self, self._actor(action.name))
            for action in ACTIONS
            for key in self._keymap.keys(action)
        ]
        self.view.keys.show_keymap(self._keymap)

    def _teach(self, name: str, key: str) -> None:
        """Give an action one more key, and keep it; or take back those that were given."""
        try:
            self._keymap = self._keymap.give(name, key) if key else self._keymap.without(name)
        except KeyConflictError as error:
            self.view.keys.say(str(error))
            return
        kept = {given: ", ".join(keys) for given, keys in self._keymap.given.items()}
        self.desk.remember(replace(self.desk.settings, keys=kept))
        self._use_keys()

    def _actor(self, name: str) -> Callable[[], None]:
        return lambda: self.act(name)

    def act(self, name: str) -> None:
        """Carry out an action of `ACTIONS`."""
        self.deeds.act(name)

    def introduce(self) -> None:
        """Explain the screen, once."""
        self.view.stage.toggle(self.view.welcome)

    # ── what is shown, for whoever looks at the window from outside ─────────────────────────────────────────────

    @property
    def shown(self) -> Outcome | None:
        """The outcome on the screen."""
        return self.desk.shown

    @property
    def face(self) -> Face | None:
        """What the readout says of it."""
        return self.desk.face

    @property
    def phase(self) -> Phase:
        """The phase of surgery."""
        return self.desk.phase

    @property
    def flip(self) -> Flip:
        """Which way the picture is turned over."""
        return self.desk.flip

    @property
    def meter(self) -> Meter:
        """What was really painted."""
        return self.desk.meter

    @property
    def review(self) -> Review | None:
        """The last half minute while the view is frozen."""
        return self.freezing.review

    # ── sizes ───────────────────────────────────────────────────────────────────────────────────────────────────

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
        self.view.widen(self.desk.settings.line_width)

    def _full_screen(self) -> None:
        (self.showNormal if self.isFullScreen() else self.showFullScreen)()

    def _other_monitor(self) -> None:
        """Fill the next monitor, with everything that is on this one."""
        screens = QGuiApplication.screens()
        there = screens[(screens.index(self.screen()) + 1) % len(screens)]
        if there is self.screen():
            self.view.stage.say(ONE_MONITOR, monotonic())
            return
        self.showNormal()
        if (handle := self.windowHandle()) is not None:
            handle.setScreen(there)
        self.setGeometry(there.geometry())
        self.showFullScreen()

    def _monitor_lost(self, screen: QScreen) -> None:
        self.view.stage.say(MONITOR_LOST.format(name=screen.name() or "One"), monotonic())

    def _accept(self, offer: Offer) -> None:
        self.deeds.accept(offer)

    def _painted(self, painted: Painted) -> None:
        """Count what was painted, but not the picture that waits for its model, nor a frozen one."""
        if self.desk.condition.health not in (Health.LOADING, Health.VIEW_FROZEN, Health.CALIBRATING):
            self.desk.meter.record(painted)

    def _live_painted(self, painted: Painted) -> None:
        """Count the pictures of the live pane, which never has a contour."""
        self.desk.live_meter.record(painted)

    # ── files dropped, and the end ──────────────────────────────────────────────────────────────────────────────

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first file; an .onnx is a model."""
        path = Path(next(url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()))
        event.acceptProposedAction()
        if path.suffix.lower() == ".onnx":
            self.deeds.open_model(path)
        else:
            self.deeds.open_source(self.view.source.request(str(path)))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the pull, join every thread; while recording, ask first."""
        if self.desk.recording.running:
            event.ignore()
            if self.view.quit.isHidden():
                self.view.stage.toggle(self.view.quit)
            return
        self._timer.stop()
        self.desk.outlet.close()
        self.desk.wake.close()
        self.desk.previews.close()
        self.desk.closer.close()
        self.session.close()
        self.desk.exporting.close()
        self.desk.chores.close()
        self.desk.snapshots.close()
        super().closeEvent(event)

    def _stop_and_close(self) -> None:
        self.desk.recording.stop()
        self.close()
