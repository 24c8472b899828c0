"""Three keys for everything: to the next button, to the one before, and press. For pedals, which send few keys."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from viewer.control.app_state import AppState
from viewer.style.widgets import Button, Field


class Pedal:
    """Goes from button to button, and on the picture where points are set.

    In an open panel it stays until the panel closes, then goes on behind the last button pressed.

    Args:
        state: the state of the window.
        pointing: whether points are being set or strokes drawn on the picture.
        point: begins to point on the picture.
    """

    def __init__(self, state: AppState, pointing: Callable[[], bool], point: Callable[[], None]) -> None:
        self._state, self._view = state, state.view
        self._pointing, self._point = pointing, point
        self._last: QWidget | None = None

    def step(self, by: int) -> None:
        """Go to the next stop (1) or to the one before (-1); on the picture, move on or turn."""
        pointer, here = self._state.pointed.keys, QApplication.focusWidget()
        if here is pointer:
            if pointer.go() if by > 0 else pointer.turn():
                return
            here, by = (self._last, 0) if self._view.picture_area.open_panel is None else (here, 1)
        stops = self.stops()
        if not stops:
            return
        here = next((stop for stop in (here, self._last) if stop in stops), None)
        at = stops.index(here) + by if here is not None else (0 if by > 0 else -1)
        self._focus(stops[at % len(stops)])

    def press(self) -> None:
        """Press what has the focus, as Enter does; without a focus, show where the first stop is."""
        pressed = QApplication.focusWidget()
        if pressed is None or pressed not in self.stops():
            self.step(1)
            return
        pointed = self._pointing()
        QApplication.sendEvent(pressed, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, NO_MODIFIER))
        if self._pointing() and not pointed and self._view.picture_area.open_panel is None:
            self._point()  # the caliper: there is nothing else to do with it

    def stops(self) -> list[QWidget]:
        """All that can be pressed now: in the open panel, else in the window, from what is used most."""
        view, panel = self._view, self._view.picture_area.open_panel
        pointer: list[QWidget] = [self._state.pointed.keys] if self._pointing() else []
        places: Sequence[QWidget] = (view.tools, view.readout, view.transport, view.top) if panel is None else (panel,)
        return pointer + [stop for place in places for stop in _stops_in(place)]

    def _focus(self, stop: QWidget) -> None:
        if stop is self._state.pointed.keys:
            self._point()
            return
        if self._view.picture_area.open_panel is None:
            self._last = stop
        stop.setFocus(Qt.FocusReason.TabFocusReason)
        parent = stop.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(stop)
            parent = parent.parentWidget()


NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def _stops_in(place: QWidget) -> list[QWidget]:
    """Buttons and fields that a pedal can use, row by row."""
    parts = [*place.findChildren(Button), *place.findChildren(Field)]
    usable = [part for part in parts if part.isVisible() and part.isEnabled() and not part.property("by_hand")]
    return sorted(usable, key=lambda part: _order(part, part.mapTo(place, QPoint())))


def _order(part: QWidget, corner: QPoint) -> tuple[bool, int, int]:
    """As one reads, but what closes a panel last."""
    return bool(part.property("last")), corner.y(), corner.x()
