"""The characters that can be read on a screen, each known in several fonts."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.assets import glyphs_path

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz%/+"
"""The columns of the picture of glyphs. Most letters are there so that they are not taken for digits."""
CELL = (20, 32)
"""(rows, cols) of a cell of that picture; a character fills the rows."""
SIDE = (20, 14)
"""(rows, cols) to which a character is brought to be compared."""
SQUASHED = 0.25
"""What a character loses of its likeness when it is e times as wide as the known one."""


@cache
def _known() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
    """Each known glyph as a unit vector, the logarithm of its width over height, and its place in `CHARACTERS`."""
    sheet = np.asarray(cv2.imread(str(glyphs_path()), cv2.IMREAD_GRAYSCALE), np.uint8)
    rows, cols = CELL
    cells = sheet.reshape(-1, rows, len(CHARACTERS), cols).swapaxes(1, 2).reshape(-1, rows, cols)
    wide = [max(1, int(np.flatnonzero(cell.max(axis=0) > 64).max()) + 1) for cell in cells]
    vectors = np.stack([_vector(cell[:, :width]) for cell, width in zip(cells, wide, strict=True)])
    return vectors, np.log(np.array(wide, np.float32) / rows), np.arange(len(cells)) % len(CHARACTERS)


def _vector(ink: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A character's box at the size for comparison, without its mean and of length 1."""
    small = cv2.resize(ink, SIDE[::-1], interpolation=cv2.INTER_AREA if ink.shape[0] > SIDE[0] else cv2.INTER_LINEAR)
    flat = cv2.GaussianBlur(small.astype(np.float32), (3, 3), 0).ravel()
    flat -= flat.mean()
    return (flat / max(float(np.linalg.norm(flat)), 1e-6)).astype(np.float32)


def likeness(ink: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How like each of `CHARACTERS` a box of ink is, up to 1 for the same in some font.

    Args:
        ink: (rows, cols) uint8, the tight box around one character, bright on black.
    """
    vectors, wide, which = _known()
    alike = vectors @ _vector(ink) - SQUASHED * np.abs(wide - np.float32(np.log(ink.shape[1] / ink.shape[0])))
    best = np.full(len(CHARACTERS), -1.0, np.float32)
    np.maximum.at(best, which, alike)
    return best
