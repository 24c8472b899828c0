"""Maps grey values to the screen's black and white."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.frame import Pixels

SAMPLE = 1_000_000
"""Number of values used to find the display levels."""


def display_levels(sample: NDArray[Any]) -> tuple[float, float]:
    """The display's black and white: 0 and 255 for 8 bits, else 0 and the 99.5th percentile of the non-zero values."""
    if sample.dtype == np.uint8:
        return 0.0, 255.0
    values = sample.reshape(-1)[:: max(1, sample.size // SAMPLE)]
    values = values[values != 0]
    white = float(np.percentile(values, 99.5)) if values.size else 1.0
    return 0.0, white if white > 0 else 1.0


def grey(pixels: Pixels, levels: tuple[float, float]) -> NDArray[np.uint8]:
    """Map grey values for display, uint8: black at levels[0], white at levels[1]."""
    black, white = levels
    if pixels.dtype == np.uint8 and (black, white) == (0, 255):
        return np.asarray(pixels, np.uint8)
    factor = 255.0 / max(white - black, 1e-6)
    scaled = (pixels.astype(np.float32) - np.float32(black)) * np.float32(factor)
    shown: NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return shown


def toned(shown: NDArray[np.uint8], tones: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Give each grey level another one for display: `tones` is (256,) uint8; None changes nothing."""
    if tones is None:
        return shown
    import cv2  # only after the window has appeared; NumPy takes fifteen times as long

    return np.asarray(cv2.LUT(shown, tones), np.uint8)
