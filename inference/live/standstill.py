"""Notices when the computer slept or this program was stopped, by comparing two clocks."""

JUMP_S = 2.0
"""Ticks come every 16 ms, so a pause of two seconds is more than a hiccup."""


class Standstill:
    """Compares two clocks at every tick: one may stop while the computer sleeps, the other does not.

    Neither is the clock of the day, which a network sets by minutes in the middle of a sitting.
    """

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def look(self, monotonic: float, sleepless: float) -> str:
        """What happened since the last call, one sentence; empty if nothing did.

        Args:
            monotonic: `time.monotonic()` seconds, which on some systems do not count sleep.
            sleepless: seconds that do.
        """
        last, self._last = self._last, (monotonic, sleepless)
        if last is None:
            return ""
        passed, slept = monotonic - last[0], (sleepless - last[1]) - (monotonic - last[0])
        if passed > JUMP_S:
            return f"The window stood still for {passed:.0f} s: what it showed was not live."
        if abs(slept) > JUMP_S:
            return f"The computer slept for {slept:.0f} s: what was on the screen is gone, until new pictures come."
        return ""
