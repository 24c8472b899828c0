"""What lies on the desk: everything that actions change and the pull reads."""

from dataclasses import dataclass, field

from inference.live.health import Condition, Health
from inference.live.publisher import Outlet
from inference.live.session import Session
from inference.live.thorough import CloserLook
from inference.outcome import Outcome
from inference.view_notes import Flip, Marker, Phase, Standing
from viewer import settings
from viewer.control.freezing import Freezing
from viewer.control.record_export import Exporting
from viewer.control.recording import Recording
from viewer.exception_hooks import Faults
from viewer.jobs.background import Chores
from viewer.jobs.preview import Previews
from viewer.jobs.snapshots import Snapshots
from viewer.jobs.wake import Wake, holders
from viewer.layout.layout import Screen
from viewer.paint_meter import Meter
from viewer.picture.caliper import Caliper
from viewer.picture.ruler import Point
from viewer.readout.readout_state import Face, WarningHold
from viewer.settings import Settings


@dataclass(slots=True, eq=False)
class Desk:
    """Shared by the window, its actions and its pull; used in the window's thread only.

    Attributes:
        session: what is open.
        view: every widget.
        freezing: the frozen view, if there is one.
        settings: remembered choices.
        faults: unexpected errors, polled.
        phase: of surgery.
        outlet: what goes to other programs.
        snapshots: what is being written.
        recording: what is being recorded.
        exporting: the open record being exported.
        chores: jobs behind the window.
        meter: what was really painted.
        live_meter: the same of the live pane, where there are two.
        hold: the size warning's memory.
        shown: the outcome on the screen.
        condition: of source and model while it is there.
        face: what the readout says of it.
        marker: the probe's marker side.
        flip: which way the picture is turned over.
        face_row: row of the probe face in this source's pictures; None where unknown.
        ruler: two points (x, y) on the scanner's depth scale, where the scale was measured on it.
        wake: keeps the screen on while something is live.
        previews: first pictures of sources that are selected.
        caliper: the one being set, on a picture that stands; None while it is put away.
        closer: the thorough analysis of what stands.
        disagreement: whether the map of where its passes disagree is wanted over it.
        overlay_off_until: `time.monotonic()` until which the contour is hidden.
    """

    session: Session
    view: Screen
    freezing: Freezing
    settings: Settings
    faults: Faults
    phase: Phase
    snapshots: Snapshots
    recording: Recording
    exporting: Exporting
    chores: Chores
    outlet: Outlet = field(default_factory=Outlet)
    meter: Meter = field(default_factory=Meter)
    live_meter: Meter = field(default_factory=lambda: Meter(contours=False))
    hold: WarningHold = field(default_factory=WarningHold)
    shown: Outcome | None = None
    condition: Condition = field(default_factory=lambda: Condition(Health.EMPTY))
    face: Face | None = None
    marker: Marker = Marker.UNSET
    flip: Flip = field(default_factory=Flip)
    face_row: int | None = None
    ruler: tuple[Point, Point] | None = None
    wake: Wake = field(default_factory=lambda: Wake(holders()))
    caliper: Caliper | None = None
    previews: Previews = field(init=False)
    closer: CloserLook = field(default_factory=CloserLook)
    disagreement: bool = False
    overlay_off_until: float = 0.0

    def __post_init__(self) -> None:
        """Look at sources as the session opens them."""
        self.previews = Previews(self.session.peek)

    @property
    def calibrating(self) -> bool:
        """Whether points or a rectangle are being marked on the picture."""
        return not (self.view.calibration.isHidden() and self.view.marking.isHidden())

    @property
    def standing(self) -> Standing:
        """What the user has said of the view."""
        return Standing(self.phase, self.flip, self.marker)

    def remember(self, changed: Settings) -> None:
        """Take and keep these settings."""
        self.settings = changed
        settings.save(changed)

    def turn_over(self, flip: Flip) -> None:
        """Turn over what is shown, contour and all; what is analysed and measured stays as it came."""
        self.flip = flip
        self.view.canvas.set_flip(flip)
        self.view.live.set_flip(flip)
        self.view.stage.inset.set_flip(flip)

    def thaw(self) -> None:
        """Back to the running view."""
        if self.freezing.thaw():
            self.hold.reset()
