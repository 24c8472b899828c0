"""Interlaced signals weave two half pictures of different moments into one picture."""

import numpy as np
from numpy.typing import NDArray

from inference.frame import Pixels


class Weave:
    """Detects two half pictures of different moments woven into one, and from then on shows the first one alone.

    Where something moves, the lines of an interlaced picture are closer to the line after next than to the next one;
    in a picture of one moment this never happens. Slow motion combs hardly at all and goes unnoticed. The detection is
    final: a picture that switched with the motion would change its texture under the analysis. The size stays too, so
    that a scale remains valid.
    """

    MOVED = 16 / 255
    """Change between two pictures, as a share of the brightest value, that is motion and not noise."""
    LEAST = 500
    """Fewest moving pixels that allow a decision."""
    COMBED = 1.2
    """Mean difference to the next line over that to the line after next: at most 1.02 in whole pictures, even noise."""
    PICTURES = 3
    """This many combed pictures in a row are no accident."""
    COLUMNS = 4
    """Every fourth column is examined."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._in_a_row = 0

    @property
    def found(self) -> bool:
        """Whether the signal is interlaced."""
        return self._in_a_row >= self.PICTURES

    def apply(self, pixels: Pixels) -> Pixels:
        """The same picture; in an interlaced signal, lines of the second half become the mean of their neighbours."""
        if not self.found:
            self._look(pixels)
        return first_field(pixels) if self.found else pixels

    def _look(self, pixels: Pixels) -> None:
        sample = pixels[:, :: self.COLUMNS].astype(np.float32)
        before, self._before = self._before, sample
        if before is None or before.shape != sample.shape:
            return
        moving = np.abs(sample - before)[:-2] > self.MOVED * max(1.0, float(sample.max()))
        if np.count_nonzero(moving) < self.LEAST:
            return
        next_line = np.abs(np.diff(sample, axis=0))[:-1][moving].mean()
        second_next = np.abs(sample[2:] - sample[:-2])[moving].mean()
        self._in_a_row = self._in_a_row + 1 if next_line > self.COMBED * second_next else 0


def first_field(pixels: Pixels) -> Pixels:
    """The picture from lines 0, 2, 4 … alone, the lines between being the mean of their neighbours; same shape."""
    single = pixels.copy()
    above, below = pixels[0:-1:2], pixels[2::2]
    between = single[1::2]
    pairs = below.shape[0]
    mean = (above[:pairs].astype(np.float32) + below.astype(np.float32)) / 2
    between[:pairs] = mean if pixels.dtype == np.float32 else np.rint(mean).astype(pixels.dtype)
    between[pairs:] = pixels[-2] if between.shape[0] > pairs else between[pairs:]
    return single
