"""Rectangles that the user draws on the picture: the crop, and where the scanner's depth text and ruler stand."""

from collections.abc import Callable
from dataclasses import dataclass

from inference.crop import Rect, propose_crop
from inference.errors import SpacingError
from viewer.control.app_state import AppState

CROP = "Drag the rectangle around the part that is to be analysed. What is outside counts as black."


@dataclass(frozen=True, slots=True)
class Step:
    """One of the rectangles that are watched.

    Attributes:
        words: what to frame.
        absent: the button for a screen that does not show it.
    """

    words: str
    absent: str


STEPS = (
    Step("1 of 2  Drag a rectangle around the scanner's depth text.", "There is no depth text"),
    Step("2 of 2  Drag one around its ruler. If text or ruler changes, the scale is void.", "There is no ruler"),
)


class RegionMarking:
    """Serves the panel beside the rectangle that is being drawn.

    Args:
        state: what is open and shown.
        changed: called when another crop is used or other regions are watched.

    Attributes:
        taken: the regions marked so far, to be watched once all are.
    """

    def __init__(self, state: AppState, changed: Callable[[], None]) -> None:
        self._state, self._changed = state, changed
        self._step: int | None = None
        self.taken: list[Rect] = []
        panel = state.view.marking
        panel.accepted.connect(self.accept)
        panel.without.connect(self.go_without)
        panel.closed.connect(self._put_away)
        for pane in (state.view.canvas, state.view.live):
            pane.region.changed.connect(lambda _: panel.allow(ready=True))

    def mark_depth(self) -> None:
        """Have the user mark the depth text, then the ruler."""
        source = self._state.session.source
        if source is not None and source.whole() is not None:
            self.taken = []
            self._ask(0)

    def mark_crop(self) -> None:
        """Have the user adjust the crop; the sector that stands out is proposed."""
        source, shown = self._state.session.source, self._state.shown
        if source is not None and shown is not None:
            self._step = None
            self._begin(source.cropping.rect or propose_crop([shown.frame.pixels]), CROP, "Whole picture")

    def accept(self) -> None:
        """Use the rectangle drawn."""
        rect = self._state.view.front.region.rect_marked
        if rect is None:
            return
        if self._step is None:
            self._crop(rect)
        else:
            self._take(rect)

    def go_without(self) -> None:
        """Use the whole picture, or do without this of the two regions."""
        if self._step is None:
            self._crop(None)
        else:
            self._go_on()

    def _ask(self, step: int) -> None:
        source = self._state.session.source
        before = () if source is None else source.watched
        self._step = step
        self._begin(before[step] if step < len(before) else None, STEPS[step].words, STEPS[step].absent)

    def _begin(self, rect: Rect | None, words: str, without: str) -> None:
        view = self._state.view
        if view.marking.isHidden():
            view.picture_area.toggle(view.marking)
        view.marking.begin(words, without)
        view.marking.allow(ready=rect is not None)
        view.picture_area.refit()
        view.front.region.begin(rect)

    def _take(self, rect: Rect) -> None:
        """Take a rectangle in which something can change."""
        from inference.sources.depth_watch import DepthGuard  # loads OpenCV: only once the window is open

        frame = self._state.marked_on
        if frame is None:
            return
        try:
            DepthGuard(frame.pixels, rect)
        except SpacingError as error:
            self._complain(error)
            return
        self.taken.append(rect)
        self._go_on()

    def _go_on(self) -> None:
        """Ask for the next rectangle; after the last one, watch all."""
        if self._step == 0:
            self._ask(1)
            return
        source, frame = self._state.session.source, self._state.marked_on
        if source is None or frame is None:
            return
        try:
            source.watch(self.taken, frame.pixels)  # what the user saw: a depth changed meanwhile shows in the next
        except SpacingError as error:
            self._complain(error)
            return
        self._back()

    def _crop(self, rect: Rect | None) -> None:
        self._state.session.crop(rect)
        self._back()

    def _complain(self, error: SpacingError) -> None:
        self._state.view.marking.complain(str(error))
        self._state.view.picture_area.refit()

    def _back(self) -> None:
        """Return to the calibration panel."""
        self._changed()
        self._state.view.picture_area.toggle(self._state.view.calibration)

    def _put_away(self) -> None:
        self.taken = []
        for pane in (self._state.view.canvas, self._state.view.live):
            pane.region.hide()
