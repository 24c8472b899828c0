"""The guards' view of a frame: the frame itself and a small picture of it, made once for all guards."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.contract import Seen
from inference.frame import Frame

SIDE = 192
"""Longest side, pixels: a speckle becomes one pixel, and the strokes of text become faint."""


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """A frame, with an eight-bit copy and a small one.

    Attributes:
        frame: the frame itself.
        full: (rows, cols) uint8, 255 is white.
        small: uint8, each pixel the mean of `factor` by `factor` pixels, the longer side at most `SIDE`.
        factor: pixels of `full` per pixel of `small`, along each side.
        seen: what the loaded model saw in training; None while no model is loaded.
    """

    frame: Frame
    full: NDArray[Any]
    small: NDArray[Any]
    factor: int
    seen: Seen | None = None

    @classmethod
    def of(cls, frame: Frame, seen: Seen | None = None, *, white: float | None = None) -> "Thumbnail":
        """The thumbnail of one frame.

        Args:
            frame: any frame.
            seen: what the loaded model saw in training.
            white: grey value shown as white, for frames of more than eight bits; None takes the frame's brightest.
        """
        full = _eight_bits(frame, white)
        factor = -(-max(full.shape) // SIDE)
        small = full if factor == 1 else _mean_of(full, factor)
        return cls(frame, full, small, factor, seen)


class ThumbnailMaker:
    """Makes thumbnails of one source's frames. White is the brightest value so far, so black frames stay black."""

    def __init__(self) -> None:
        self._white = 0.0

    def __call__(self, frame: Frame, seen: Seen | None) -> Thumbnail:
        """The frame's thumbnail."""
        if frame.pixels.dtype != np.uint8:
            self._white = max(self._white, float(frame.pixels.max()))
        return Thumbnail.of(frame, seen, white=self._white)


def _mean_of(full: NDArray[Any], factor: int) -> NDArray[Any]:
    """The mean of every `factor` by `factor` pixels. Pixels left over at the far edges would make it slow."""
    rows, cols = (max(1, side // factor) for side in full.shape)
    whole = full[: rows * factor, : cols * factor]
    return cv2.resize(whole, (cols, rows), interpolation=cv2.INTER_AREA)


def _eight_bits(frame: Frame, white: float | None) -> NDArray[Any]:
    pixels = frame.pixels
    if pixels.dtype == np.uint8:
        return pixels
    top = float(pixels.max()) if white is None else white
    return cv2.convertScaleAbs(np.maximum(pixels, 0), alpha=255.0 / top if top > 0 else 0.0)
