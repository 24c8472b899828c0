"""Colour inside the sector: Doppler or elastography covers the tissue, and its grey values are not echoes."""

import cv2
import numpy as np

from inference.guards.thumbnail import Thumbnail

SHARE = 0.003
"""Share of the content: a vessel of 6 mm in a sector of 100 cm². A coloured letter covers less."""


def coloured(thumbnail: Thumbnail) -> bool:
    """Whether a picture was coloured before its source turned it to grey."""
    return coloured_share(thumbnail) > SHARE


def coloured_share(thumbnail: Thumbnail) -> float:
    """Coloured share of the pixels inside sector and crop, which are those that are not 0."""
    colour = thumbnail.frame.colour
    if colour is None:
        return 0.0
    rows, cols = colour.shape
    inside = cv2.resize(thumbnail.small, (cols, rows), interpolation=cv2.INTER_AREA) > 0
    return int(np.count_nonzero(inside & (colour > 0))) / max(1, int(np.count_nonzero(inside)))
