"""Which guards look at a source. Loads OpenCV: imported when a source is opened, not when the window is."""

from inference.alarms import Alarm
from inference.guards.base import Sight
from inference.guards.black import black
from inference.guards.coloured import coloured
from inference.guards.depth import DepthAlarm
from inference.guards.frozen import FrozenGuard
from inference.guards.graphics import Graphics
from inference.guards.lifted import lifted
from inference.guards.panes import panes
from inference.guards.unlike import unlike_training
from inference.guards.watch import Watch


def every_guard() -> Watch:
    """A fresh set for a newly opened source; of several findings the first that forbids the analysis is shown."""
    return Watch(
        (
            Sight(Alarm.BLACK, black),
            Sight(Alarm.LIFTED, lifted),
            Sight(Alarm.COLOUR, coloured),
            Sight(Alarm.PANES, panes),
            Sight(Alarm.GRAPHICS, Graphics()),
            DepthAlarm(),
            FrozenGuard(),
            Sight(Alarm.UNLIKE_TRAINING, unlike_training),
        )
    )
