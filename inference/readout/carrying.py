"""A corrected contour carried to the frames beside its own. A carried one is a proposal until the user confirms it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from inference.alarms import forbidding
from inference.frame import Frame, Mask
from inference.readout.correction import Correction, frame_key, traced

CARRIED = "CARRIED"
MOST = 50
"""Frames on each side to which a contour is carried at most: each has to be confirmed by a person."""
ALIKE = 0.9
"""Correlation of the contour's surroundings below which the picture is no longer the one that was corrected.

Of what is carried on simulated sweeps 3 % is wrong by it, and 17 % at 0.85 (tests/benchmarks/bench_carrying.py).
"""


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """The proposal for one frame.

    Attributes:
        frame: the frame that it was computed for.
        mask: (rows, cols) 0/1.
        outlines: of the mask, each (n, 2) float32 of (x, y) in pixels.
        touches_edge: whether the edge of sector or picture cuts it.
        origin: the correction that was carried, on its own frame.
        places: frames from that one to this, negative if this one came before.
        likeness: correlation of the contour's surroundings in both pictures, `ALIKE` to 1.
    """

    frame: Frame
    mask: Mask
    outlines: tuple[NDArray[np.float32], ...]
    touches_edge: bool
    origin: Correction
    places: int
    likeness: float

    @property
    def words(self) -> str:
        """From where it was carried, and that nobody has confirmed it; a proposal has no area."""
        count = abs(self.places)
        frames = "1 frame" if count == 1 else f"{count} frames"
        return f"{CARRIED} from {frames} {'before' if self.places > 0 else 'later'}: not confirmed"


def carried_on(made: Correction, frames: Iterable[Frame], direction: int) -> Iterator[Carried]:
    """Carry a correction from frame to frame, until a picture no longer matches or nothing of it is left.

    Every frame is registered to the corrected one itself, from the motion of the frame before it: nothing adds up.

    Args:
        made: the correction; its mask is not empty.
        frames: those beside its frame, the nearest first.
        direction: 1 if they come later, -1 if they came before.
    """
    from inference.readout import motion  # imports OpenCV: only after the window has appeared

    own = made.frame
    reference = motion.reference_of(own.pixels, made.mask)
    if reference is None:
        return
    matrix = motion.STILL
    for place, frame in enumerate(islice(frames, MOST), 1):
        if frame.pixels.shape != own.pixels.shape or frame.spacing != own.spacing or forbidding(frame.findings):
            return
        found = motion.moved(reference, frame.pixels, matrix)
        if found is None:
            return
        likeness = motion.likeness(reference, frame.pixels, found)
        mask = motion.carry(made.mask, found)
        if likeness < ALIKE or not mask.any():
            return
        matrix = found
        outlines, touches_edge = traced(frame, mask)
        yield Carried(frame, mask, outlines, touches_edge, made, direction * place, likeness)


class Proposals:
    """The proposals for the frames of one source, for as long as it is open."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, float], Carried] = {}

    def offer(self, carried: Iterable[Carried]) -> None:
        """Take these in the place of those for the same frames."""
        self._open |= {frame_key(one.frame): one for one in carried}

    def of(self, frame: Frame) -> Carried | None:
        """The proposal for this very frame, at the scale it was computed for; None if there is none."""
        found = self._open.get(frame_key(frame))
        fits = found is not None and found.mask.shape == frame.pixels.shape and found.frame.spacing == frame.spacing
        return found if fits else None

    def settle(self, frame: Frame) -> None:
        """The user has judged this frame: its proposal goes, and so does what was carried from it."""
        key = frame_key(frame)
        self._open = {
            other: one for other, one in self._open.items() if other != key and frame_key(one.origin.frame) != key
        }

    def clear(self) -> None:
        """Forget all, for another source."""
        self._open.clear()
