"""A caliper on a still picture: two points and the distance between them."""

import math
from dataclasses import dataclass

from inference.frame import Frame
from inference.ruler import Point


@dataclass(frozen=True, slots=True)
class Caliper:
    """A caliper belongs to one frame; on any other frame it starts again.

    Attributes:
        frame: the frame on which it was set.
        points: none, one or two, (x, y) in pixels.
    """

    frame: Frame | None = None
    points: tuple[Point, ...] = ()

    def clicked(self, frame: Frame, x: float, y: float) -> "Caliper":
        """The caliper with one more point; a third point starts a new caliper."""
        begun = self.points if self.frame is frame and len(self.points) < 2 else ()
        return Caliper(frame, (*begun, (x, y)))

    def on(self, frame: Frame) -> tuple[Point, ...]:
        """The points, if they were set on this frame; else none."""
        return self.points if self.frame is frame else ()

    def asks(self, frame: Frame) -> str:
        """What to do next on this frame; empty once the caliper is set."""
        return ("Caliper: first point (keys: I)", "Caliper: second point", "")[len(self.on(frame))]

    @property
    def words(self) -> str:
        """The distance in mm, or in pixels if the scale is unknown; empty before the second point."""
        if self.frame is None or len(self.points) != 2:
            return ""
        (x0, y0), (x1, y1) = self.points
        spacing = self.frame.spacing
        if spacing is None:
            return f"{math.hypot(x1 - x0, y1 - y0):.0f} px, scale unknown"
        return f"{math.hypot((x1 - x0) * spacing.col_mm, (y1 - y0) * spacing.row_mm):.1f} mm"
