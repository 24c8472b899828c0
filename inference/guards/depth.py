"""Depth changed: the scanner's depth text or ruler is no longer what it was when the scale was given.

The text lies outside the sector, so that frames no longer show it. A live source therefore compares its pictures while
they are whole (`DepthWatch`), and its frames only carry since when the depth has been another one (`DepthAlarm`).
"""

from inference.alarms import Alarm, Finding
from inference.guards.thumbnail import Thumbnail


class DepthAlarm:
    """Tells what the source found while its picture was whole."""

    def look(self, thumbnail: Thumbnail) -> Finding | None:
        """The source's verdict, which came with the frame."""
        since = thumbnail.frame.depth_changed_at
        return None if since is None else Finding(Alarm.DEPTH, since, Alarm.DEPTH.sentence)
