"""Which guards look at a source. Loads OpenCV: imported when a source is opened, not when the window is."""

from inference.guards.depth import DepthAlarm
from inference.guards.frozen import FrozenGuard
from inference.guards.watch import Watch


def every_guard() -> Watch:
    """A fresh set for a newly opened source."""
    return Watch((DepthAlarm(), FrozenGuard()))
