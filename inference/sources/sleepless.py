"""A clock that goes on while the computer sleeps; `time.monotonic` stands still then on Linux and macOS."""

import time

_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""Linux's; macOS's own counts sleep under the other name; Windows has none, and its `time.monotonic` counts it."""


def sleepless() -> float:
    """Seconds since some moment, those of sleep too."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)
