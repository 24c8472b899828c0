"""What stands beside the picture: the same frame without its contour, or an earlier frame that was kept."""

from time import monotonic

from inference.readout.marks import Tone
from inference.readout.side_by_side import Beside
from viewer.control.app_state import STANDS, AppState

NONE_KEPT = "No earlier frame is kept: G keeps the one that is shown, and so does going back to live."
TWO_PANES = "Two panes are in use, since the model is slow: there is no room for another picture."
NARROW = "The open panel leaves no room for two pictures: close it first (Esc)."
ONLY_THIS = "Only the frame that is shown is kept: go on to a later one, and H shows them side by side."
KEPT = "This frame is kept: H shows it beside a later one."


class SideBySide:
    """Serves the actions that put a picture beside the one shown.

    Args:
        state: the state of the window.
    """

    def __init__(self, state: AppState) -> None:
        self._state = state

    def toggle_raw(self) -> None:
        """Show the frame without its contour beside itself, or no longer."""
        if self._has_room():
            self._state.beside = Beside.NOTHING if self._state.beside is Beside.RAW else Beside.RAW

    def next_earlier(self) -> None:
        """Show the newest kept frame beside the one shown; then the one before it; after the oldest, none."""
        state = self._state
        if not self._has_room():
            return
        before = state.earlier if state.beside is Beside.EARLIER else None
        state.earlier = state.kept.before(before, state.shown)
        state.beside = Beside.NOTHING if state.earlier is None else Beside.EARLIER
        if state.earlier is None and before is None:
            self._say(ONLY_THIS if state.kept.holds(state.shown) else NONE_KEPT)
        else:
            state.view.picture_area.take_back(NONE_KEPT, ONLY_THIS)

    def keep(self) -> None:
        """Keep the frame that is shown, to be compared with a later one."""
        if self._state.calibrating:
            self._say(STANDS)
        elif self._state.keep_shown():
            self._say(KEPT, Tone.NEUTRAL)

    def put_away(self) -> None:
        """Forget every kept frame: none of them may stand beside another source's."""
        self._state.beside, self._state.earlier = Beside.NOTHING, None
        self._state.kept.clear()

    def _has_room(self) -> bool:
        if self._state.view.picture_area.two_panes:
            self._say(TWO_PANES)
            return False
        if not self._state.view.picture_area.room_beside:
            self._say(NARROW)
            return False
        return True

    def _say(self, sentence: str, tone: Tone = Tone.NOTICE) -> None:
        self._state.view.picture_area.say(sentence, monotonic(), tone)
