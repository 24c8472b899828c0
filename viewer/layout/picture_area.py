"""The picture and what may cover it: one panel at a time, and a passing notice."""

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from inference.readout.marks import Tone
from inference.readout.screen_state import ScreenState
from viewer.panels.base import Panel
from viewer.picture.canvas import EDGE, SIDE, Canvas
from viewer.picture.inset import Inset
from viewer.style.theme import TONES, Sizes
from viewer.style.widgets import breakable, label, set_text

LEAST = (640, 240)
"""Least size, px; smaller only on a screen that has no room for it."""
NOTICE_S = 12.0
NOTICE_ROOM = 300
"""A notice stands beside an open panel, whose buttons it would cover, where there is this much room, px at 1280×800."""
PANE_SIDE, PANE_EDGE = 12, 48
"""Margins of the analysed pane of two, px at 1280×800."""
LEAST_PANE = 330
"""Width of a picture side by side with another; beside a panel that leaves less, one stands alone, px at 1280×800."""
LARGEST_INSET, INSET_SHARE = 220, 0.22
"""Width of the small live picture: px at 1280×800, and its share of the area in a small window."""


class PictureArea(QWidget):
    """Holds one or two panes, the panels and the notice.

    Args:
        canvas: the picture with its contour; alone, it fills the area.
        live: the live picture without a contour, the larger of two panes.
        beside: the picture that the user wants beside the one shown.
    """

    panel_opened = Signal()
    panel_closed = Signal()

    def __init__(self, canvas: Canvas, live: Canvas, beside: Canvas) -> None:
        super().__init__()
        self._sizes = Sizes()
        self._panels: list[Panel] = []
        self._until, self._tone = 0.0, Tone.NOTICE
        self._canvas, self._live, self._beside = canvas, live, beside
        for pane in (live, beside, canvas):
            pane.setParent(self)
        live.hide()
        beside.hide()
        beside.leave_free(PANE_SIDE, PANE_EDGE)
        self.setObjectName("picture_area")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.notice = label(wrap=True)
        self.notice.setParent(self)
        self.notice.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        self.notice.hide()
        self.inset = Inset(self)
        self._beside_inset = False

    def add(self, panel: Panel) -> None:
        """Add a panel."""
        self._panels.append(panel)
        panel.closed.connect(self._place)
        panel.closed.connect(self.panel_closed)

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        self._sizes = sizes
        self.setMinimumSize(*(min(side, sizes.px(side)) for side in LEAST))
        self.notice.setFont(sizes.font(14))
        self._colour_notice()
        self.inset.apply(sizes)
        for panel in self._panels:
            panel.apply(sizes)
        self._place()

    @property
    def two_panes(self) -> bool:
        """Whether the live picture stands beside the analysed one."""
        return not self._live.isHidden()

    @property
    def room_beside(self) -> bool:
        """Whether two pictures side by side are large enough to be judged beside the open panel."""
        taken = max((panel.footprint for panel in self._panels), default=0)
        return self.width() - taken >= 2 * self._sizes.px(LEAST_PANE)

    def show_panes(self, *, two: bool) -> None:
        """Show one pane, or two at the same scale."""
        self._live.setVisible(two)
        self._live.leave_free(SIDE, PANE_EDGE)
        self._fit_panes()

    def show_beside(self, *, shown: bool) -> None:
        """Show another picture to the left of the one shown, or that one alone."""
        if shown is self._beside.isHidden():
            self._beside.setVisible(shown)
            self._fit_panes()

    def _fit_panes(self) -> None:
        """Give one picture of several less margin than one that stands alone."""
        several = self.two_panes or not self._beside.isHidden()
        self._canvas.leave_free(*((PANE_SIDE, PANE_EDGE) if several else (SIDE, EDGE)))
        self._place()

    def toggle(self, panel: Panel) -> None:
        """Open a panel and close any other; or close it if it is open."""
        opening = panel.isHidden()
        self.dismiss()
        if opening:
            panel.show()
            panel.raise_()
            self.panel_opened.emit()
            self._place()
            panel.take_keyboard()

    @property
    def open_panel(self) -> Panel | None:
        """The panel over the picture; None if there is none."""
        return next((panel for panel in self._panels if not panel.isHidden()), None)

    def dismiss(self) -> None:
        """Close the open panel."""
        for panel in self._panels:
            panel.dismiss()

    def draw_inset(self, screen: ScreenState) -> None:
        """Show the small live picture over a frozen view, in a black corner or else beside it; or take it away."""
        before = self.inset.isHidden()
        self.inset.set_flip(screen.flip)
        self.inset.draw(screen.inset, screen.info)
        if self.inset.isHidden() is not before:
            self._beside_inset = False
            self._place()
        if self.inset.isHidden() or self._strip_width or self._beside_inset:
            return
        corner = self.inset.geometry().translated(-self._canvas.pos())
        if self._canvas.shows_tissue(corner):
            # Until the area changes: a picture that comes and goes must not move the view.
            self._beside_inset = True
            self._make_room()

    def refit(self) -> None:
        """Fit the open panel again, after its words have changed."""
        self._place()

    def say(self, sentence: str, now: float, tone: Tone = Tone.FAULT) -> None:
        """Show a sentence for some time."""
        self._tone = tone
        self._colour_notice()
        self._until = now + NOTICE_S
        set_text(self.notice, breakable(sentence))
        self.notice.setAccessibleName(sentence)
        self.notice.show()
        self._place()
        self.notice.raise_()

    def _colour_notice(self) -> None:
        colours, px = TONES[self._tone], self._sizes.px
        self.notice.setStyleSheet(
            f"background: {colours.fill}; color: {colours.title}; border: 1px solid {colours.border};"
            f"border-radius: {px(6)}px; padding: {px(10)}px {px(14)}px;"
        )

    def expire(self, now: float) -> None:
        """Remove an old notice."""
        if now > self._until and not self.notice.isHidden():
            self._end_notice()

    def take_back(self, *sentences: str) -> None:
        """Remove the notice if it is one of these, which what is shown now contradicts."""
        if not self.notice.isHidden() and self.notice.accessibleName() in sentences:
            self._end_notice()

    def _end_notice(self) -> None:
        self.notice.hide()
        self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep panels and notice in place."""
        super().resizeEvent(event)
        self._beside_inset = False
        self._place()

    def _place(self) -> None:
        # First of all: the room of everything else depends on its size.
        self.inset.fit(min(self._sizes.px(LARGEST_INSET), round(INSET_SHARE * self.width())))
        for panel in self._panels:
            if not panel.isHidden():
                panel.place(self)
        margin = self._sizes.px(14)
        left = self._strip_width
        room = self.width() - left - max((panel.footprint for panel in self._panels), default=0)
        if room < self._sizes.px(NOTICE_ROOM):  # a panel that fills a small window
            room = self.width() - left
        width = min(self._sizes.px(560), room - 2 * margin)
        height = max(self._sizes.touch, self.notice.heightForWidth(width))
        x = left + (room - width) // 2
        self.notice.setGeometry(x, self.height() - height - margin, width, height)
        self._make_room()

    def _make_room(self) -> None:
        """End the pictures where a panel or the notice begins; both panes leave their picture the same room."""
        taken = max((panel.footprint for panel in self._panels), default=0)
        room, live = self.width() - taken, 0
        height = self.height() if self.notice.isHidden() else self.notice.y() - self._sizes.px(6)
        alone = self.two_panes and any(panel.marks and not panel.isHidden() for panel in self._panels)
        self._canvas.setVisible(not alone)
        if alone:
            self._live.setGeometry(0, 0, room, height)
            return
        if self.two_panes:
            live = (room + 2 * (self._sizes.px(SIDE) - self._sizes.px(PANE_SIDE))) // 2
            self._live.setGeometry(0, 0, live, height)
        elif not self._beside.isHidden():
            live = room // 2
            if self._strip_width:
                height = min(height, self.height() - self.inset.height() - 2 * self._sizes.px(14))
            self._beside.setGeometry(0, 0, live, height)
        self._canvas.setGeometry(live, 0, room - live, height)
        self._place_inset()

    @property
    def _strip_width(self) -> int:
        """Width of the inset where it stands below two pictures side by side; 0 where it does not."""
        below = not (self._beside.isHidden() or self.inset.isHidden())
        return self.inset.width() + self._sizes.px(14) if below else 0

    def _place_inset(self) -> None:
        """The inset: in the corner that a sector leaves free, or below two pictures side by side."""
        margin = self._sizes.px(14)
        top = max(self._sizes.touch + 2 * margin, self._canvas.strips[0] + self._sizes.px(6))
        if self._strip_width:
            top = self.height() - self.inset.height() - margin
        self.inset.move(margin, top)  # the ruler is on the right
        taken = self.inset.geometry().bottomRight() + QPoint(margin, margin)
        beside = self._beside_inset and not self._strip_width
        self._canvas.leave_corner(QSize(taken.x(), taken.y()) if beside else QSize(0, 0))
