"""Position of everything: top bar, picture and readout, transport and trace, research line, panels over the picture."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from inference.live.paint_meter import Painted
from inference.readout.readout_state import Offer
from inference.readout.screen_state import ScreenState
from viewer.keymap import AnyAction
from viewer.layout.footer import Footer
from viewer.layout.pictures import Pictures
from viewer.layout.readout import Readout
from viewer.layout.second_screen import SecondScreen
from viewer.layout.tool_column import ToolColumn
from viewer.layout.top_bar import TopBar
from viewer.layout.trace import Trace
from viewer.layout.transport import Transport
from viewer.panels.calibration import CalibrationPanel
from viewer.panels.correction import CorrectionPanel
from viewer.panels.folder import FolderPanel
from viewer.panels.keys import KeysPanel
from viewer.panels.marking import MarkingPanel
from viewer.panels.model_card import ModelPanel
from viewer.panels.performance import PerformancePanel
from viewer.panels.phase import PhasePanel
from viewer.panels.record import QuitPanel, RecordPanel
from viewer.panels.record_list import RecordListPanel
from viewer.panels.source import SourcePanel
from viewer.panels.welcome import WelcomePanel
from viewer.picture.canvas import Canvas
from viewer.style.theme import Sizes


class Layout(QWidget):
    """Lays out every widget of the window.

    Args:
        actions: all of them, for the help and the footer.
        act: runs an action by its name.
        accept: runs what a card offers.
        painted: called with what each paint event put on the screen.
        live_painted: the same for the live pane, if there are two.
    """

    def __init__(
        self,
        actions: Sequence[AnyAction],
        act: Callable[[str], None],
        accept: Callable[[Offer], None],
        painted: Callable[[Painted], None],
        live_painted: Callable[[Painted], None],
    ) -> None:
        super().__init__()
        self._sizes = Sizes()
        self._drawn: ScreenState | None = None
        self.setObjectName("ground")
        self.pictures = Pictures(painted, live_painted)
        self.canvas, self.live, self.beside = self.pictures.canvas, self.pictures.live, self.pictures.beside
        self.picture_area, self.readout = self.pictures.area, Readout(accept)
        self.second: SecondScreen | None = None
        self.top, self.transport, self.trace = TopBar(act), Transport(act), Trace()
        self.tools = ToolColumn(act)
        self.controls, self.footer = QWidget(), Footer(actions)
        self.calibration, self.source = CalibrationPanel(self.picture_area), SourcePanel(self.picture_area)
        self.model_card, self.timing = ModelPanel(self.picture_area), PerformancePanel(self.picture_area)
        self.keys, self.welcome = KeysPanel(actions, act, self.picture_area), WelcomePanel(self.picture_area)
        self.marking, self.records = MarkingPanel(self.picture_area), RecordListPanel(self.picture_area)
        self.phase, self.correction = PhasePanel(self.picture_area), CorrectionPanel(self.picture_area)
        self.record, self.quit = RecordPanel(self.picture_area), QuitPanel(self.picture_area)
        self.folder = FolderPanel(self.picture_area)
        for panel in (
            self.marking,
            self.phase,
            self.correction,
            self.calibration,
            self.source,
            self.model_card,
            self.timing,
            self.keys,
            self.welcome,
            self.record,
            self.records,
            self.folder,
            self.quit,
        ):
            self.picture_area.add(panel)
        self._lay_out()
        self.picture_area.panel_opened.connect(self._make_way)
        self.picture_area.panel_closed.connect(self._make_way)

    def _lay_out(self) -> None:
        self.controls.setObjectName("controls")
        self.controls.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        middle, controls, column = QHBoxLayout(), QHBoxLayout(self.controls), QVBoxLayout(self)
        middle.setSpacing(0)
        middle.addWidget(self.picture_area, 1)
        middle.addWidget(self.tools)
        middle.addWidget(self.readout)
        controls.setContentsMargins(0, 0, 0, 0)
        controls.addWidget(self.transport, 1)
        controls.addWidget(self.trace)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addLayout(middle, 1)
        column.addWidget(self.controls)
        column.addWidget(self.footer)

    def _make_way(self) -> None:
        """Let the picture fill the window while something is marked on it: nothing is measured or controlled then."""
        marking = not (self.calibration.isHidden() and self.marking.isHidden())
        for part in (self.tools, self.readout, self.controls):
            part.setVisible(not marking)
        if (layout := self.layout()) is not None:
            layout.activate()  # at once: nothing may move once the panel is there

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        for part in (self.top, self.tools, self.readout, self.transport, self.trace, self.footer):
            part.apply(sizes)
        self.pictures.apply(sizes)

    def draw(self, screen: ScreenState) -> None:
        """Draw the present screen state; parts that have not changed are left alone."""
        before, self._drawn = self._drawn, screen
        shown = screen.whole or (None if screen.outcome is None else screen.outcome.frame)
        self.transport.show_frame(None if shown is None else shown.index)
        self.top.show_source(screen.info, screen.condition, standing=screen.standing)
        self.top.show_phase(screen.phase)
        self.phase.show_phase(screen.phase)
        self.tools.draw(screen.tools)
        # Words first: drawing paints at once, and number and contour must come and go in the same round of painting.
        if before is None or screen.readout != before.readout:
            self.readout.show_state(screen.readout)
        self.pictures.draw(screen)
        self.trace.draw(screen.trend)
        if self.second is not None:
            self.second.draw(screen)

    def clear(self) -> None:
        """Remove every picture."""
        self.pictures.clear()

    def show_panes(self, *, two: bool) -> None:
        """Show one pane or two; chosen when a model is loaded, never in between."""
        self.pictures.show_panes(two=two)
        self.readout.show_caption("SEGMENTED AREA · ANALYSED PICTURE" if two else "SEGMENTED AREA")

    @property
    def front(self) -> Canvas:
        """The pane that takes clicks: the live one, if there are two."""
        return self.live if self.picture_area.two_panes else self.canvas

    def widen(self, width: float) -> None:
        """Set the width of the contour, px at 1280×800."""
        self.pictures.widen(width * self._sizes.scale)
        if self.second is not None:
            self.second.widen(width)
