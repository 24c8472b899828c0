"""The size warning comes on at once and goes off half a second after it stopped being true: it never flickers."""

from inference.outcome import SizeState

HOLD_S = 0.5
_SEVERITY = (SizeState.AT_MOST_35, SizeState.AT_MOST_200, SizeState.ABOVE_200)


class WarningHold:
    """Remembers when each size state was last true and answers the gravest of the last half second."""

    def __init__(self) -> None:
        self._last_true: dict[SizeState, float] = {}

    def update(self, state: SizeState | None, now: float) -> SizeState | None:
        """Take the newest frame's state at time `now` (monotonic seconds), and answer the one to show."""
        if state is not None:
            self._last_true[state] = now
        held = [s for s in _SEVERITY if s in self._last_true and now - self._last_true[s] < HOLD_S]
        return held[0] if held else state

    def reset(self) -> None:
        """Forget everything: another source, or another place in it."""
        self._last_true.clear()
