"""The list of all guards. Loads OpenCV, so import it when a source is opened, not when the window is."""

from inference.alarms import Alarm
from inference.guards.base import Sight
from inference.guards.black import black
from inference.guards.coloured import coloured
from inference.guards.damaged import damaged
from inference.guards.depth import DepthAlarm
from inference.guards.frozen import FrozenGuard
from inference.guards.graphics import Graphics
from inference.guards.lifted import lifted
from inference.guards.panes import panes
from inference.guards.unlike import unlike_training
from inference.guards.watch import Watch


def every_guard() -> Watch:
    """A new set of guards for a newly opened source. The screen shows the first finding that forbids the analysis."""
    return Watch(
        (
            Sight(Alarm.DAMAGED, damaged),
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
