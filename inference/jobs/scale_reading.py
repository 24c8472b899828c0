"""The scale that a screen states, read outside the window's thread while the user calibrates."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from inference.frame import Frame
from inference.jobs.newest import Newest

if TYPE_CHECKING:
    from inference.screen.scale import ScaleProposal

NO_SCREEN = "A picture of more than 8 bits shows no ruler: click two points."


@dataclass(frozen=True, slots=True, eq=False)
class ScaleReading:
    """What was read from one frame.

    Attributes:
        frame: the frame, with the scanner's text and ruler.
        proposal: the scale, for a person to confirm; None if none was read.
        reason: why none was read, in one sentence; empty if one was.
    """

    frame: Frame
    proposal: "ScaleProposal | None"
    reason: str = ""


class ScaleReadings(Newest[ScaleReading]):
    """Reads screens in the background, and answers only the newest request."""

    def __init__(self) -> None:
        super().__init__("ius-scale")

    def ask(self, frame: Frame, aspect: float) -> None:
        """Start reading this frame, whose pixels are `aspect` times as wide as high."""
        self.begin(lambda: reading_of(frame, aspect))


def reading_of(frame: Frame, aspect: float) -> ScaleReading:
    """What the screen in this frame states."""
    from inference.screen.scale import NoProposal, read_scale  # loads OpenCV: only once it is needed

    if frame.pixels.dtype != np.uint8:
        return ScaleReading(frame, None, NO_SCREEN)
    found = read_scale(frame.pixels.astype(np.uint8), aspect)
    return ScaleReading(frame, None, found.reason) if isinstance(found, NoProposal) else ScaleReading(frame, found)
