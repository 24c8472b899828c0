"""Colour inside the sector: Doppler or elastography lies over the tissue, and its grey is no echo."""

import cv2
import numpy as np

from inference.guards.thumbnail import Thumbnail

SHARE = 0.003
"""Of the content: a vessel of 6 mm in a sector of 100 cm². A coloured letter is less."""


def coloured(thumbnail: Thumbnail) -> bool:
    """Whether a picture was coloured before it became grey, as its source tells."""
    return coloured_share(thumbnail) > SHARE


def coloured_share(thumbnail: Thumbnail) -> float:
    """Share of what is inside sector and crop, hence not 0, that was coloured."""
    colour = thumbnail.frame.colour
    if colour is None:
        return 0.0
    rows, cols = colour.shape
    inside = cv2.resize(thumbnail.small, (cols, rows), interpolation=cv2.INTER_AREA) > 0
    return int(np.count_nonzero(inside & (colour > 0))) / max(1, int(np.count_nonzero(inside)))
