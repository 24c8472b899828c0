"""Finds where a picture is coloured before it is made grey: Doppler and elastography, but not a tint of the whole."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import ColourMap

CELL = 4
"""Side of one cell of the map, pixels."""
DEVIATION = 20
"""Chroma difference, of 255, between a cell and its grey level's usual colour that counts; JPEG's own is below 8."""
BLACK = 16
"""Luma up to which nobody sees a cell's colour."""
SAMPLED = 3
"""Every third cell is used to find the tint."""
LEVELS = 8
"""Number of grey levels with a tint of their own: colour maps run from black through a colour to white."""


def colour_map(picture: NDArray[Any], *, order: str = "RGB") -> ColourMap | None:
    """Where a picture is coloured; None if it is not, which is quickly found for a grey one.

    Args:
        picture: (rows, cols) or (rows, cols, channels), uint8 or uint16; 3 or 4 channels are colour.
        order: order of the channels, "RGB" or "BGR"; a fourth one is ignored.
    """
    if picture.ndim == 2 or picture.shape[2] < 3 or picture.dtype not in (np.uint8, np.uint16):
        return None
    small = _cells(np.ascontiguousarray(picture[..., :3]))
    if small.dtype == np.uint16:
        small = (small >> 8).astype(np.uint8)
    return cells_coloured(small.astype(np.uint8, copy=False), order=order)


def _cells(picture: NDArray[Any]) -> NDArray[Any]:
    """The mean colour of each cell."""
    rows, cols = picture.shape[:2]
    if rows % CELL == cols % CELL == 0:  # OpenCV halves a picture twice in half the time of a quarter
        picture = cv2.resize(picture, (cols // 2, rows // 2), interpolation=cv2.INTER_AREA)
    size = (max(1, cols // CELL), max(1, rows // CELL))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def cells_coloured(small: NDArray[np.uint8], *, order: str = "RGB") -> ColourMap | None:
    """The colour map of a picture that is already scaled down."""
    code = cv2.COLOR_RGB2YCrCb if order == "RGB" else cv2.COLOR_BGR2YCrCb
    cells: NDArray[Any] = cv2.cvtColor(small, code)
    luma, low, high = cells[..., 0], 128 - DEVIATION, 128 + DEVIATION
    usual, dark = cv2.inRange(cells, (0, low, low), (255, high, high)), cv2.inRange(luma, 0, BLACK)
    if cv2.countNonZero(cv2.bitwise_or(usual, dark)) == usual.size:
        return None
    chroma = cells[..., 1:].astype(np.int16) - 128
    chroma[luma <= BLACK] = 0
    away = chroma.astype(np.int32) - _tint(luma, chroma)
    coloured = ((away**2).sum(axis=2) > DEVIATION**2) & (luma > BLACK)
    # A single cell is the rim of coloured text, or a codec's artefact at an edge.
    # (The two anchors keep an even patch from shifting the map.)
    patch = np.ones((2, 2), np.uint8)
    blobs = cv2.dilate(cv2.erode(coloured.astype(np.uint8), patch, anchor=(0, 0)), patch, anchor=(1, 1))
    return blobs.astype(np.uint8, copy=False) if blobs.any() else None


def _tint(luma: NDArray[Any], chroma: NDArray[Any]) -> NDArray[np.int16]:
    """The usual chroma of each cell's grey level in this picture; 0 for a level whose hue differs from the rest."""
    sampled = luma.reshape(-1)[::SAMPLED]
    bright = sampled > BLACK
    greys, colours = sampled[bright].astype(np.int16) * LEVELS // 256, chroma.reshape(-1, 2)[::SAMPLED][bright]
    hue = np.median(colours, axis=0) if len(colours) else np.zeros(2)
    tint = np.zeros((LEVELS, 2), np.int16)
    for level in np.unique(greys):
        usual = np.median(colours[greys == level], axis=0)
        tint[level] = usual if _same_hue(usual, hue) else 0
    return tint[luma.astype(np.int16) * LEVELS // 256]


def _same_hue(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Whether two chromas differ only in strength."""
    length = float(np.hypot(*second))
    if length < DEVIATION / 4:
        return False
    along, across = float(first @ second) / length, float(first[0] * second[1] - first[1] * second[0]) / length
    return along >= 0 and abs(across) <= DEVIATION
