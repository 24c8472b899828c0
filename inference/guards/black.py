"""Black picture: a signal without content, be it black or the even blue of a grabber that gets none."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import View
from inference.guards.thumbnail import DARK, Sketch

STROKES = (3, 7)
"""Pixels: the strokes of a text are thinner, in a small picture and in a large one."""
LARGE = 48
"""Rows for each pixel of a stroke."""
EVEN = 8
"""Grey of 255 by which an even picture varies after all: noise of a cable."""
CALM = 0.9
"""Share of the picture that is even in itself: all but a text; living speckle is not."""
SENTENCE = "The picture is black or even: is the probe connected, and the right input chosen on the grabber?"


def black(sketch: Sketch) -> str:
    """The sentence for a picture without content. A volume's slices are left alone: some are empty.

    A text on it is no content, since its strokes are thin.
    """
    return SENTENCE if sketch.frame.origin.view is not View.SLICE and empty(sketch.full) else ""


def empty(picture: NDArray[Any]) -> bool:
    """Whether nothing wider than a stroke stands out from the rest of what is inside the sector.

    Args:
        picture: (rows, cols) uint8, 0 outside the sector.
    """
    side = int(np.clip(picture.shape[0] // LARGE, *STROKES))
    patch = np.ones((side, side), np.uint8)
    least = cv2.erode(picture, patch)
    brightest = int(least.max())
    if brightest <= DARK:
        return True
    if brightest - cv2.mean(picture, least)[0] > EVEN:  # soon told of nearly every good picture
        return False
    most = cv2.dilate(picture, patch)
    inside = least > 0
    calm = (most - least)[inside] <= EVEN
    return bool(calm.mean() >= CALM and brightest - int(most[inside].min()) <= EVEN)
