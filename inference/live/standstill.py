"""Notices when the computer slept or this program was stopped, by comparing two clocks."""

JUMP_S = 2.0
"""Ticks come every 16 ms, so a pause of two seconds is more than a hiccup."""


class Standstill:
    """Compares two clocks at every tick: one may stop while the computer sleeps, the other does not."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def look(self, monotonic: float, wall: float) -> str:
        """What happened since the last call, one sentence; empty if nothing did.

        Args:
            monotonic: `time.monotonic()` seconds, which on some systems do not count sleep.
            wall: `time.time()` seconds, which may be set by hand.
        """
        last, self._last = self._last, (monotonic, wall)
        if last is None:
            return ""
        passed, by_the_clock = monotonic - last[0], wall - last[1]
        if passed > JUMP_S:
            return f"The window stood still for {passed:.0f} s: what it showed was not live."
        if abs(by_the_clock - passed) > JUMP_S:
            return (
                f"The computer slept, or its clock was set, by {by_the_clock - passed:+.0f} s: what was on the screen "
                "is gone, until new pictures come."
            )
        return ""
