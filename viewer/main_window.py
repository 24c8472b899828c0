"""The window: connects what is shown with what can be done, and refreshes the screen.

It does so when an answer has arrived, and otherwise every 16 ms.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QResizeEvent,
)
from PySide6.QtWidgets import QMainWindow

from inference.errors import NotFoundError
from inference.jobs.background import BackgroundJobs
from inference.jobs.record_export import RecordExport
from inference.jobs.snapshots import Snapshots
from inference.live.exception_hooks import Faults
from inference.live.health import Health
from inference.live.paint_meter import Painted, PaintMeter
from inference.live.review import Review
from inference.live.session import Session
from inference.one_thread import all_closed
from inference.outcome import Outcome
from inference.patience import ANSWER_S
from inference.readout.marks import Tone
from inference.readout.readout_state import Offer, ReadoutState
from inference.recording.schema import End
from inference.version import __version__
from inference.view_notes import Flip, Phase
from viewer import settings
from viewer.control.action_handlers import ActionHandlers
from viewer.control.actions import ACTIONS, BY_NAME
from viewer.control.app_state import AppState
from viewer.control.calibration import Calibration
from viewer.control.carrying import Carrying
from viewer.control.correcting import Correcting
from viewer.control.freezing import Freezing
from viewer.control.keyboard import Keyboard
from viewer.control.monitors import Monitors
from viewer.control.news import News
from viewer.control.presets import Presets
from viewer.control.recording import Recording
from viewer.control.records import Records
from viewer.control.refresh import Refresh
from viewer.control.second_screen import SecondScreens
from viewer.control.shortcuts import Shortcuts
from viewer.control.side_by_side import SideBySide
from viewer.layout.layout import Layout
from viewer.settings import Settings
from viewer.style.icons import emblem
from viewer.style.stylesheet import stylesheet
from viewer.style.theme import Sizes, least_on

if TYPE_CHECKING:
    from viewer.layout.manual import ManualWindow

TICK_MS = 16
CLOSING = f"Closing when all is written; what a drive does not answer to for {ANSWER_S:.0f} s is left."


class MainWindow(QMainWindow):
    """Shows one session.

    Args:
        session: the open session; closed with the window.
        remembered: settings read at the start.
        faults: unexpected errors, polled.
        phase: initial phase of surgery.

    Attributes:
        state: what the actions change and the refresh reads.
        handlers: carry out the actions.
        refresh: keeps the screen up to date.
    """

    def __init__(
        self, session: Session, remembered: Settings, faults: Faults | None = None, phase: Phase = Phase.UNSET
    ) -> None:
        super().__init__()
        self.setWindowTitle(f"Tumour on ultrasound, research use only: ius-viewer {__version__}")
        self.setWindowIcon(emblem())
        self.setMinimumSize(least_on(self.screen()))
        self.setAcceptDrops(True)
        self._sizes: Sizes | None = None
        self.manual: ManualWindow | None = None
        session.notes = replace(session.notes, phase=phase)
        self.session, self.view = session, Layout(ACTIONS, self.act, self._accept, self._painted, self._live_painted)
        self.freezing = Freezing(session, self.view)
        exports = settings.exports_folder()
        snapshots = Snapshots(exports)
        background = BackgroundJobs()
        self.state = AppState(
            session,
            self.view,
            self.freezing,
            remembered,
            faults or Faults(),
            snapshots,
            Recording(session, self.view.top.badge, exports, background),
            RecordExport(session, background),
            background,
        )
        presets = Presets()
        self.calibration = Calibration(self.state, presets)
        if remembered.complaint:
            self.view.picture_area.say(remembered.complaint, monotonic())
        self.records = Records(self.state, presets, exports)
        side_by_side = SideBySide(self.state)
        monitors = Monitors(self, self.view.picture_area)
        self.second_screens = SecondScreens(self, self.state)
        correcting = Correcting(self.state, Carrying(self.state), exports / "training-cases")
        self.handlers = ActionHandlers(
            self.state, self.calibration, monitors, self.records, side_by_side, self.second_screens, correcting
        )
        self.setCentralWidget(self.view)
        self.keyboard = Keyboard(self, self.view)
        self.refresh = Refresh(self.state, self.calibration, self.keyboard, self.records, side_by_side, correcting)
        self._connect()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.refresh.tick)
        self._timer.start(TICK_MS)
        news = News(self)
        news.arrived.connect(self._show_news)
        session.answered = news.tell

    def _connect(self) -> None:
        self.view.picture_area.panel_closed.connect(self.keyboard.give_back)
        self._shortcuts = Shortcuts(self, self.state, ACTIONS, self.act)
        for pane in (self.view.canvas, self.view.live):
            pane.clicked.connect(partial(self.handlers.pointing.click, pane))
            pane.entered.connect(partial(self.handlers.pointing.enter, pane))
            pane.led.connect(self.handlers.pointing.lead)
            pane.zoomed.connect(lambda by, x, y: self.handlers.zoom(by, (x, y)))
            pane.dragged.connect(self.handlers.drag)
            pane.marker_clicked.connect(self.handlers.turn_marker)
        self.view.trace.sought.connect(self.handlers.go_to)
        self.view.transport.scrubber.touched.connect(lambda _: self.state.held_warning.reset())
        self.view.calibration.calibrated.connect(self.handlers.calibrate)
        self.view.readout.again_wanted.connect(self.handlers.use_scale_again)
        self.view.source.chosen.connect(self.handlers.open_source)
        self.view.source.preview_wanted.connect(self.state.previews.ask)
        self.view.source.list.keep_wanted.connect(self.handlers.keep_recent)
        self.view.source.list.cleared.connect(self.handlers.clear_recent)
        self.view.welcome.keep_wanted.connect(self.handlers.keep_recent)
        self.view.model_card.chosen.connect(self.handlers.open_model)
        self.view.welcome.closed.connect(self.handlers.introduced)
        self.view.record.chosen.connect(self.handlers.choose_case_code)
        self.view.phase.chosen.connect(self.handlers.set_phase)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)  # noqa: S101 (there is no window without one)
        application.commitDataRequest.connect(self.log_out)
        self.view.quit.agreed.connect(self.end)
        self.view.source.records_wanted.connect(self.records.toggle)
        self.view.source.browse_wanted.connect(self.handlers.browse_sources)
        self.view.model_card.browse_wanted.connect(self.handlers.browse_models)
        self.view.records.opened.connect(lambda path: self.handlers.open_source(self.records.request(path)))
        self.view.records.export_wanted.connect(self.records.export)
        self.view.records.delete_agreed.connect(self.records.delete)
        self.view.keys.manual_wanted.connect(self._show_manual)

    def _show_manual(self) -> None:
        """Open the manual in a window of its own, which closes with this one."""
        from inference.assets import manual_folder
        from viewer.layout.manual import ManualWindow

        try:
            folder = manual_folder()
        except NotFoundError as error:
            self.view.picture_area.say(str(error), monotonic())
            return
        self.view.picture_area.dismiss()
        if self.manual is None:
            self.manual = ManualWindow(folder, self)
        self.manual.apply(self._sizes or Sizes())
        self.manual.open()

    def _show_news(self) -> None:
        """Show an answer as soon as it is there, unless the window closes; the next round is due 16 ms later."""
        if self._timer.isActive():
            self._timer.start()
            self.refresh.tick()

    def act(self, name: str) -> None:
        """Run an action of `ACTIONS`."""
        BY_NAME[name].run(self.handlers)

    def introduce(self) -> None:
        """Show the explanation of the screen, once."""
        self.view.picture_area.toggle(self.view.welcome)

    # ── what is shown, for whoever looks at the window from outside ─────────────────────────────────────────────

    @property
    def shown(self) -> Outcome | None:
        """The outcome on the screen."""
        return self.state.shown

    @property
    def readout_state(self) -> ReadoutState | None:
        """What the readout says about it."""
        return None if self.state.screen is None else self.state.screen.readout

    @property
    def phase(self) -> Phase:
        """The phase of surgery."""
        return self.state.phase

    @property
    def flip(self) -> Flip:
        """How the picture is flipped."""
        return self.state.flip

    @property
    def meter(self) -> PaintMeter:
        """Counts what was really painted."""
        return self.state.meter

    @property
    def review(self) -> Review | None:
        """The last half minute while the view is frozen."""
        return self.freezing.review

    @property
    def unwritten(self) -> tuple[str, ...]:
        """What is to be said of files that could not be written, once the window has closed."""
        return self.state.background.failed + self.state.snapshots.failed + self.state.memory.failed

    # ── sizes ───────────────────────────────────────────────────────────────────────────────────────────────────

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Adapt all sizes to the window's."""
        super().resizeEvent(event)
        sizes = Sizes.for_window(self.width(), self.height())
        if sizes != self._sizes:
            self._sizes = sizes
            self.apply(sizes)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self.setStyleSheet(stylesheet(sizes))
        self.view.apply(sizes)
        self.view.widen(self.state.settings.line_width)

    def _accept(self, offer: Offer) -> None:
        self.handlers.accept(offer)

    def _painted(self, painted: Painted) -> None:
        """Count what was painted, except a picture that still waits for its model and a frozen one."""
        if self.state.condition.health not in (Health.LOADING, Health.VIEW_FROZEN, Health.CALIBRATING):
            self.state.meter.record(painted)

    def _live_painted(self, painted: Painted) -> None:
        """Count the pictures of the live pane, which never has a contour."""
        self.state.live_meter.record(painted)

    # ── files dropped, and the end ──────────────────────────────────────────────────────────────────────────────

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first file, and say so if there are more; an .onnx file is a model."""
        dropped = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        path = Path(dropped[0])
        event.acceptProposedAction()
        if len(dropped) > 1:
            said = f"Of {len(dropped)} files dropped, {path.name} alone is opened: drop one at a time."
            self.view.picture_area.say(said, monotonic(), Tone.NOTICE)
        if path.suffix.lower() == ".onnx":
            self.handlers.open_model(path)
        else:
            self.handlers.open_source(self.view.source.request(str(path)))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the timer and join every thread, unless a drive is dead; during a recording, ask first."""
        if self.state.recording.running:
            event.ignore()
            if self.view.quit.isHidden():
                self.view.picture_area.toggle(self.view.quit)
            return
        self._timer.stop()
        self.state.record_export.close()  # a record that is being finished does not wait for it
        if any(part.busy for part in (self.state.background, self.state.snapshots, self.state.memory)):
            self.view.clear()  # no picture stands as live while the window waits
            self.view.picture_area.say(CLOSING, monotonic(), Tone.NOTICE)
            self.repaint()
        self.second_screens.close()
        if self.manual is not None:
            self.manual.close()
        self.state.wake.close()
        looking = (self.state.previews, self.calibration, self.records, self.state.model_glances)
        writing = (self.state.comparisons, self.state.background, self.state.snapshots, self.state.memory)
        with all_closed(looking + writing):
            self.session.close()
        super().closeEvent(event)

    @Slot()
    def log_out(self) -> None:
        """The desktop's session ends: nobody is there to be asked, and the system waits for the answer."""
        self.end(End.LOGOUT)

    def end(self, how: str = End.CLOSED) -> None:
        """Close without asking: what other programs show is blanked first, then a running record is finished.

        Args:
            how: written into the record: an `End`, or the name of the signal that ends the program.
        """
        self.session.leave(how)
        self.state.recording.stop()
        self.close()
