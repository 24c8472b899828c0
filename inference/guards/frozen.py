"""Scanner frozen: the signal runs but the sector stands still. The clock on its screen runs on, so it doesn't count."""

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.alarms import Alarm, Finding
from inference.frame import Frame
from inference.guards.thumbnail import Thumbnail

AFTER_S = 1.0
"""A hand is never still for a second: speckle changes with every pulse, even on a resting probe."""
CODEC = 0.02
"""Change of a block that lossy video causes in a still picture, as a share of the brightest grey."""
BLOCK = 8
"""Side of a block, pixels: its mean removes codec noise and keeps moving speckle."""


class FrozenGuard:
    """Compares each frame with the last one that moved."""

    def __init__(self) -> None:
        self._moved: NDArray[np.float32] | None = None
        self._since = 0.0

    def look(self, thumbnail: Thumbnail) -> Finding | None:
        """A finding once nothing has moved for `AFTER_S`; only on a live signal, since a replay may be paused."""
        frame = thumbnail.frame
        if not frame.origin.live:
            return None
        blocks = _blocks(frame)
        if self._moved is None or self._moved.shape != blocks.shape or _moves(self._moved, blocks):
            self._moved, self._since = blocks, frame.captured_at
            return None
        if frame.captured_at - self._since < AFTER_S:
            return None
        return Finding(Alarm.FROZEN, self._since, Alarm.FROZEN.sentence)


def _blocks(frame: Frame) -> NDArray[np.float32]:
    """Mean grey of each block, as a share of the brightest value."""
    size = (max(1, frame.cols // BLOCK), max(1, frame.rows // BLOCK))
    top = 255.0 if frame.pixels.dtype == np.uint8 else max(1e-9, float(frame.pixels.max()))
    small = cv2.resize(frame.pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return (small / np.float32(top)).astype(np.float32)


def _moves(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    """Whether a twentieth of the tissue's blocks changed by more than a codec does."""
    tissue = (before > 0) | (now > 0)
    if not tissue.any():
        return False
    return bool(np.mean(np.abs(now - before)[tissue] > CODEC) > 0.05)
