"""The state of the window: everything that the actions change and the refresh reads."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from inference.assets import bundled_model
from inference.frame import Frame
from inference.jobs.background import BackgroundJobs
from inference.jobs.comparisons import Comparisons
from inference.jobs.model_glances import ModelGlances
from inference.jobs.preview import Previews
from inference.jobs.record_export import RecordExport
from inference.jobs.snapshots import Snapshots
from inference.live import policy
from inference.live.exception_hooks import Faults
from inference.live.health import Condition, Health
from inference.live.paint_meter import PaintMeter
from inference.live.session import Session
from inference.outcome import Outcome
from inference.readout.caliper import Caliper
from inference.readout.carrying import Proposals
from inference.readout.correction import Corrections
from inference.readout.look import AS_IT_CAME, Look
from inference.readout.readout_state import HeldWarning
from inference.readout.screen_state import ScreenState
from inference.readout.sector_box import SectorBox
from inference.readout.side_by_side import Beside, KeptFrame, KeptFrames
from inference.readout.trend import Trend
from inference.ruler import Point
from inference.view_notes import Flip, Marker, Phase, ViewNotes
from viewer.control.freezing import Freezing
from viewer.control.recording import Recording
from viewer.layout.layout import Layout
from viewer.picture.canvas import Canvas
from viewer.settings import Memory, Settings
from viewer.wake import Wake, wake_locks

STANDS = "This picture stands there to be marked, while answers go on behind it: close the panel first (Esc)."


@dataclass(slots=True, eq=False)
class AppState:
    """Shared by the window, its actions and its refresh; used only in the window's thread.

    Attributes:
        session: the open session.
        view: holds every widget.
        freezing: the frozen view, if there is one.
        settings: remembered choices.
        faults: unexpected errors, polled.
        snapshots: writes captures.
        recording: the recording that is running, if any.
        record_export: exports the open record.
        background: jobs behind the window.
        memory: keeps changed settings.
        meter: counts what was really painted.
        live_meter: the same for the live pane, if there are two.
        held_warning: the gravest warnings of the last half second.
        screen: what is drawn now; None before the first tick.
        ruler: two points (x, y) on the scanner's depth scale, if the scale was measured on it.
        marked_on: the still picture with the scanner's text and ruler on which something is being marked; else None.
        wake: keeps the screen on while something is live.
        comparisons: reads the true masks of what is shown.
        model_glances: reads what model files say of themselves.
        previews: loads the first pictures of selected sources.
        loading: the sentence that a model is being loaded; true until it is loaded or refused.
        caliper: the caliper being set on a still picture; None while it is put away.
        corrections: the user's corrections of this source's contours.
        proposals: corrections carried to other frames, for the user to confirm.
        disagreement: whether the user wants the map of where the passes disagree.
        trend: collects the area over time.
        kept: frames to be compared with later ones.
        beside: what stands beside the picture.
        earlier: the kept frame that stands there, if one does.
        look: the user's zoom, brightness and contrast of the screen.
        sector: the box of this source's pictures that holds tissue.
        overlay_off_until: `time.monotonic()` time until which the contour is hidden.
    """

    session: Session
    view: Layout
    freezing: Freezing
    settings: Settings
    faults: Faults
    snapshots: Snapshots
    recording: Recording
    record_export: RecordExport
    background: BackgroundJobs
    memory: Memory = field(default_factory=Memory)
    meter: PaintMeter = field(default_factory=PaintMeter)
    live_meter: PaintMeter = field(default_factory=lambda: PaintMeter(contours=False))
    held_warning: HeldWarning = field(default_factory=HeldWarning)
    screen: ScreenState | None = None
    ruler: tuple[Point, Point] | None = None
    marked_on: Frame | None = None
    wake: Wake = field(default_factory=lambda: Wake(wake_locks()))
    comparisons: Comparisons = field(default_factory=Comparisons)
    model_glances: ModelGlances = field(default_factory=ModelGlances)
    loading: str = ""
    caliper: Caliper | None = None
    corrections: Corrections = field(default_factory=Corrections)
    proposals: Proposals = field(default_factory=Proposals)
    previews: Previews = field(init=False)
    disagreement: bool = False
    trend: Trend = field(default_factory=Trend)
    kept: KeptFrames = field(default_factory=KeptFrames)
    beside: Beside = Beside.NOTHING
    earlier: KeptFrame | None = None
    look: Look = AS_IT_CAME
    sector: SectorBox = field(default_factory=SectorBox)
    overlay_off_until: float = 0.0

    def __post_init__(self) -> None:
        """Have previews opened in the way the session opens sources."""
        self.previews = Previews(self.session.peek)

    @property
    def calibrating(self) -> bool:
        """Whether points or a rectangle are being marked on the picture."""
        return not (self.view.calibration.isHidden() and self.view.marking.isHidden())

    @property
    def pointed(self) -> Canvas:
        """The picture on which points are set: the live one while calibrating, else the analysed one."""
        return self.view.front if self.calibrating else self.view.canvas

    @property
    def condition(self) -> Condition:
        """Health of source and model, as the screen shows it."""
        return Condition(Health.EMPTY) if self.screen is None else self.screen.condition

    @property
    def shown(self) -> Outcome | None:
        """The outcome on the screen."""
        return self.session.shown

    @property
    def notes(self) -> ViewNotes:
        """What the user has said about the view: phase, flip and marker. The session records and sends it."""
        return self.session.notes

    @property
    def phase(self) -> Phase:
        """The phase of surgery."""
        return self.session.notes.phase

    @phase.setter
    def phase(self, phase: Phase) -> None:
        self.session.notes = replace(self.session.notes, phase=phase)

    @property
    def marker(self) -> Marker:
        """The probe's marker side."""
        return self.session.notes.marker

    @marker.setter
    def marker(self, marker: Marker) -> None:
        self.session.notes = replace(self.session.notes, marker=marker)

    @property
    def flip(self) -> Flip:
        """How the picture is flipped."""
        return self.session.notes.flip

    def remember(self, changed: Settings) -> None:
        """Use these settings, and keep them."""
        before, self.settings = self.settings, changed
        self.memory.keep(changed, before)

    def look_for_models(self) -> None:
        """Start reading the bundled model and those used last, for the panel."""
        self.model_glances.ask([path for path in (bundled_model(), *map(Path, self.settings.models)) if path])

    def flip_view(self, flip: Flip) -> None:
        """Flip what is shown, with its contour; what is analysed and measured is not flipped."""
        self.session.notes = replace(self.session.notes, flip=flip)

    def keep_shown(self) -> bool:
        """Keep the frame that is shown, to be compared with a later one. False if there is none, or if it is kept."""
        shown, model = self.shown, self.session.model
        if shown is None:
            return False
        at = datetime.now().astimezone() - timedelta(seconds=monotonic() - shown.frame.captured_at)
        by_model = model is not None and policy.is_answer_of(model.sha256, shown)
        return self.kept.keep(KeptFrame(shown, self.phase, model.contract if model and by_model else None, at))

    def thaw(self) -> None:
        """Return to the running view; the frame that stood there is kept, to be compared with a later one."""
        if self.freezing.review is not None:
            self.keep_shown()
        if self.freezing.thaw():
            self.held_warning.reset()
