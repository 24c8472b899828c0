"""The pictures of one window, drawn from a `ScreenState`: the analysed one, the live one of two, one side by side."""

from collections.abc import Callable

from inference.live.paint_meter import Painted
from inference.readout.panes import NOT_YET
from inference.readout.screen_state import ScreenState
from viewer.layout.picture_area import PictureArea
from viewer.picture.canvas import Canvas
from viewer.picture.overlay import EMPTY
from viewer.style.theme import Sizes


def uncounted(painted: Painted) -> None:
    """For pictures that are no new frame on the operator's screen."""


class Pictures:
    """Draws the pictures and what stands over them.

    Args:
        painted: called with what each paint event of the picture put on the screen.
        live_painted: the same for the live pane, if there are two.
        empty: words shown while there is no picture.

    Attributes:
        canvas: the picture with its contour.
        live: the live picture, if there are two panes.
        beside: the picture side by side with it, if one is wanted.
        area: the widget that holds them.
    """

    def __init__(
        self,
        painted: Callable[[Painted], None] = uncounted,
        live_painted: Callable[[Painted], None] = uncounted,
        empty: str = EMPTY,
    ) -> None:
        self._empty = empty
        self.canvas, self.live, self.beside = Canvas(painted), Canvas(live_painted), Canvas(uncounted)
        self.area = PictureArea(self.canvas, self.live, self.beside)
        self._panes = (self.canvas, self.live, self.beside)
        self.canvas.empty = empty

    def apply(self, sizes: Sizes) -> None:
        """Use these sizes."""
        for pane in self._panes:
            pane.apply(sizes)
        self.area.apply(sizes)

    def draw(self, screen: ScreenState) -> None:
        """Draw the pictures of this moment; what is drawn already stays."""
        for pane in self._panes:
            pane.set_flip(screen.flip)
            pane.set_view(screen.sector, screen.look)
            if screen.info is not None:
                pane.set_source(screen.info)
        if screen.annotations is not None:
            self.canvas.set_annotations(screen.annotations)
        self.area.show_beside(shown=screen.beside is not None)
        self.canvas.draw(screen)
        if screen.beside is not None:
            self.beside.set_annotations(screen.beside.annotations)
            self.beside.draw_beside(screen.beside, contour_off=screen.contour_off)
        self._draw_live(screen)
        self._match(self.live if screen.live is not None else self.beside if screen.beside is not None else None)
        self.area.draw_inset(screen)

    def _draw_live(self, screen: ScreenState) -> None:
        """Draw the live picture of two panes; an old one never stays there."""
        if screen.live is None:
            if self.live.picture.frame is not None:
                self.live.clear()
            return
        if screen.live.frame is not self.live.picture.frame:
            self.live.show_frame(screen.live.frame)
        self.live.set_annotations(screen.live.annotations)
        self.live.dim(screen.readout.dimmed)

    def _match(self, other: Canvas | None) -> None:
        """Leave as much room for words in the picture shown as in the other one, so that both are as large."""
        self.canvas.match((0, 0) if other is None else other.strips)
        for pane in (self.live, self.beside):
            pane.match(self.canvas.strips if pane is other else (0, 0))

    def show_panes(self, *, two: bool) -> None:
        """Show one pane or two."""
        if two is not self.area.two_panes:
            self.area.show_panes(two=two)
            self.canvas.empty = NOT_YET if two else self._empty

    def widen(self, width: float) -> None:
        """Set the width of the contour, view pixels."""
        for pane in (self.canvas, self.beside):
            pane.set_line_width(width)

    def clear(self) -> None:
        """Remove every picture."""
        for pane in self._panes:
            pane.clear()
