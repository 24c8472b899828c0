"""What a click, Enter and the arrow keys do on the picture: points of the calibration and of the caliper."""

from time import monotonic

from inference.outcome import Tumour
from inference.readout.marks import Tone
from viewer.control.app_state import AppState
from viewer.control.correcting import Correcting
from viewer.picture.canvas import Canvas

NOTHING_TO_POINT_AT = "Take the caliper (D), correct the contour (A) or calibrate (C) first: then the arrow keys point."


class Pointing:
    """Sets points on the picture, by mouse or by keys.

    A point of the calibration that was just clicked follows the arrow keys, pixel by pixel, until Enter or the next
    click; one that was set by Enter stays.

    Args:
        state: the state that the points change.
        correcting: corrects the contour that is shown.
    """

    def __init__(self, state: AppState, correcting: Correcting) -> None:
        self._state, self._view, self._correcting = state, state.view, correcting
        self._moving = False

    @property
    def setting_points(self) -> bool:
        """Whether points are set, by whatever means."""
        return self._state.caliper is not None or self._state.calibrating

    @property
    def wanted(self) -> bool:
        """Whether there is anything to point at."""
        return self.setting_points or self._correcting.on

    def click(self, pane: Canvas, x: float, y: float) -> None:
        """Set a point where the mouse clicked, in picture pixels; the first one of a calibration can then be moved."""
        self._set(pane, x, y)
        panel = self._view.calibration
        self._moving = not panel.isHidden() and len(panel.points) == 1
        if self._moving:
            pane.point_by_keys(x, y)

    def enter(self, pane: Canvas, x: float, y: float) -> None:
        """Set a point where the keys point, or let go of the one that they move."""
        panel = self._view.calibration
        if not self._moving or panel.isHidden() or not panel.points:
            self._set(pane, x, y)
        elif len(panel.points) == 2:
            panel.ask_length()
        self._moving = False

    def lead(self, x: float, y: float) -> None:
        """Take the point that the keys move along, in picture pixels."""
        panel = self._view.calibration
        if self._moving and not panel.isHidden() and panel.points:
            panel.move_last(x, y)

    def point_by_keys(self) -> None:
        """Let the arrow keys point on the picture, for whatever is set or drawn there; say so if nothing is."""
        pane, shown, panel = self._state.pointed, self._state.shown, self._view.calibration
        placement = pane.placement
        if placement is None or not self.wanted:
            self._view.picture_area.say(NOTHING_TO_POINT_AT, monotonic(), Tone.NOTICE)
            return
        start = placement.centre
        if not panel.isHidden() and panel.points:
            start = panel.points[-1]
        elif isinstance(shown, Tumour):  # in the largest contour's middle, where most hands would go
            x, y = shown.largest.contours[0].mean(axis=0)
            start = float(x), float(y)
        self._moving = not panel.isHidden() and len(panel.points) == 2
        pane.point_by_keys(*start)

    def _set(self, pane: Canvas, x: float, y: float) -> None:
        state, shown = self._state, self._state.shown
        if not self._view.calibration.isHidden():
            self._view.calibration.click(x, y)
        elif state.caliper is not None and shown is not None and pane is self._view.canvas:
            state.caliper = state.caliper.clicked(shown.frame, x, y)
