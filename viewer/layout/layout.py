"""What is where: top bar, picture and readout, transport and trace, research line, and the panels over the picture."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viewer.layout.footer import ResearchLine
from viewer.layout.picture_area import Stage
from viewer.layout.top_bar import TopBar
from viewer.layout.trace import Trace
from viewer.layout.transport import Transport
from viewer.paint_meter import Painted
from viewer.panels.calibration import CalibrationPanel
from viewer.panels.keys import KeysPanel
from viewer.panels.marking import MarkingPanel
from viewer.panels.model_card import ModelPanel
from viewer.panels.performance import PerformancePanel
from viewer.panels.record import QuitPanel, RecordPanel
from viewer.panels.source import SourcePanel
from viewer.panels.welcome import WelcomePanel
from viewer.picture.canvas import Canvas
from viewer.picture.overlay import EMPTY
from viewer.picture.panes import NOT_YET
from viewer.readout.readout import Readout
from viewer.readout.readout_state import Offer
from viewer.style.theme import Theme


class Screen(QWidget):
    """Every widget of the window, laid out.

    Args:
        act: carries out an action by its name.
        accept: carries out what a card offers.
        painted: told what each paint event put on the screen.
        live_painted: the same of the live pane, where there are two.
    """

    def __init__(
        self,
        act: Callable[[str], None],
        accept: Callable[[Offer], None],
        painted: Callable[[Painted], None],
        live_painted: Callable[[Painted], None],
    ) -> None:
        super().__init__()
        self._look = Theme()
        self.setObjectName("ground")
        self.canvas, self.live = Canvas(painted), Canvas(live_painted)
        self.stage, self.readout = Stage(self.canvas, self.live), Readout(accept)
        self.top, self.transport, self.trace = TopBar(act), Transport(act), Trace()
        self.foot, self.research = QWidget(), ResearchLine()
        self.calibration, self.source = CalibrationPanel(self.stage), SourcePanel(self.stage)
        self.model_card, self.timing = ModelPanel(self.stage), PerformancePanel(self.stage)
        self.keys, self.welcome = KeysPanel(act, self.stage), WelcomePanel(self.stage)
        self.marking = MarkingPanel(self.stage)
        self.record, self.quit = RecordPanel(self.stage), QuitPanel(self.stage)
        for sheet in (
            self.marking,
            self.calibration,
            self.source,
            self.model_card,
            self.timing,
            self.keys,
            self.welcome,
            self.record,
            self.quit,
        ):
            self.stage.add(sheet)
        self._lay_out()

    def _lay_out(self) -> None:
        self.foot.setObjectName("foot")
        self.foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        middle, foot, column = QHBoxLayout(), QHBoxLayout(self.foot), QVBoxLayout(self)
        middle.setSpacing(0)
        middle.addWidget(self.stage, 1)
        middle.addWidget(self.readout)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.addWidget(self.transport, 1)
        foot.addWidget(self.trace)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addLayout(middle, 1)
        column.addWidget(self.foot)
        column.addWidget(self.research)

    def apply(self, look: Theme) -> None:
        """Use these sizes."""
        self._look = look
        for part in (self.top, self.readout, self.transport, self.trace, self.canvas, self.live, self.research):
            part.apply(look)
        self.stage.apply(look)
        self.foot.setFixedHeight(look.px(100))

    def show_panes(self, *, two: bool) -> None:
        """One pane, or two; chosen when a model is loaded, never in between."""
        self.stage.show_panes(two=two)
        self.canvas.empty = NOT_YET if two else EMPTY
        self.readout.show_caption("SEGMENTED AREA · ANALYSED PICTURE" if two else "SEGMENTED AREA")

    @property
    def front(self) -> Canvas:
        """The pane that is clicked on: the live one of two."""
        return self.live if self.stage.two_panes else self.canvas

    def widen(self, width: float) -> None:
        """Draw the contour this wide, px at 1280×800."""
        self.canvas.set_line_width(width * self._look.scale)
