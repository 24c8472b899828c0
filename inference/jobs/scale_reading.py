"""The scale that a screen states, read outside the window's thread while the user calibrates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.crop import Rect
from inference.frame import Frame
from inference.jobs.newest import Newest

if TYPE_CHECKING:
    from inference.screen.scale import ScaleProposal

NO_SCREEN = "A picture of more than 8 bits shows no ruler: click two points."

AROUND = 3
"""Pixels of black around each part of an excerpt."""


@dataclass(frozen=True, slots=True, eq=False)
class ScaleReading:
    """What was read from one frame.

    Attributes:
        frame: the frame, with the scanner's text and ruler.
        proposal: the scale, for a person to confirm; None if none was read.
        reason: why none was read, in one sentence; empty if one was.
        excerpt: (rows, cols), the texts that were read, side by side as they stand on the screen; None without any.
    """

    frame: Frame
    proposal: "ScaleProposal | None"
    reason: str = ""
    excerpt: NDArray[np.uint8] | None = None


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
    pixels = frame.pixels.astype(np.uint8)
    found = read_scale(pixels, aspect)
    if isinstance(found, NoProposal):
        return ScaleReading(frame, None, found.reason)
    return ScaleReading(frame, found, excerpt=side_by_side(pixels, [text.rect for text in found.texts]))


def side_by_side(pixels: NDArray[np.uint8], rects: Sequence[Rect]) -> NDArray[np.uint8]:
    """These parts of a picture in a row, each in the middle of its height."""
    tall = max(rect.rows for rect in rects) + 2 * AROUND
    parts = []
    for rect in rects:
        part = pixels[rect.where]
        above = (tall - part.shape[0]) // 2
        below = tall - part.shape[0] - above
        parts.append(np.pad(part, ((above, below), (AROUND, AROUND))))
    return np.hstack(parts)
