"""Depth changed: the scanner's depth text or ruler no longer looks as it did when the scale was given.

The text lies outside the sector, so the frames no longer show it. A live source therefore compares its whole pictures
(`DepthWatch`), and each frame only carries the time at which the depth changed (`DepthAlarm`).
"""

from inference.alarms import Alarm, Finding
from inference.guards.thumbnail import Thumbnail


class DepthAlarm:
    """Reports what the source found in its whole picture."""

    def look(self, thumbnail: Thumbnail) -> Finding | None:
        """The source's verdict, which came with the frame."""
        since = thumbnail.frame.depth_changed_at
        return None if since is None else Finding(Alarm.DEPTH, since, Alarm.DEPTH.sentence)
