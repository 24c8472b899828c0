"""Probe lifted: bright reverberation rings below the probe face, and no tissue.

If any part of the face has tissue below it (partial contact), the picture is analysed: this guard cannot tell rings
from the tissue beside them. A cavity with saline or clot is anatomy, and has tissue below it.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import View
from inference.guards.thumbnail import Thumbnail
from inference.sector import DARK

DEEP = 0.4
"""Share of the depth below which rings have died away but tissue is still visible."""
TISSUE = 0.02
"""Bright share below `DEEP` that counts as tissue: real good pictures have 0.08 or more, lifted ones 0.007."""
SMOOTH = 5
"""Pixels of the thumbnail over which noise is averaged."""
FAINT = 0.15
"""Deep pixels up to this share of the brightest ring may be the scanner's own noise."""
ALIKE = 0.15
"""Median relative spread of the rings along the probe face: 0.03 to 0.06 in real rings, since each comes from the whole
face."""
BRIGHT = 80
"""Least mean grey (of 255) of the brightest ring: 157 or more in real ones."""
FACE = 0.08
"""Least width of rings, as a share of the picture's width: a few bright dots are not rings."""
UNBROKEN = 0.8
"""Least share of bright columns between the two ends of the face."""
NEAR = 0.15
"""Share of the depth within which the probe face lies, even if it is curved."""


def lifted(thumbnail: Thumbnail) -> bool:
    """Whether the probe is lifted; slices of a volume are exempt, since no probe is above them."""
    return thumbnail.frame.origin.view is not View.SLICE and _only_rings(thumbnail.small)


def _only_rings(picture: NDArray[Any]) -> bool:
    """Whether the picture is the same all along the face and only noise lies deep. The probe is at the top."""
    bright = picture > DARK
    shining = np.flatnonzero(bright.any(axis=1))
    if not shining.size:
        return False
    top = int(shining[0])
    depth = picture.shape[0] - top
    face = np.flatnonzero(bright[top : top + max(1, int(NEAR * depth))].any(axis=0))
    if face.size < max(FACE * picture.shape[1], UNBROKEN * (face[-1] - face[0] + 1)):
        return False
    near = _straightened(picture, bright, face, depth)
    rings = near.mean(axis=1)
    brightest = float(rings.max())
    deep = cv2.blur(picture, (SMOOTH, SMOOTH))[top + int(DEEP * depth) :] > max(DARK, FAINT * brightest)
    if brightest < BRIGHT or not deep.size or float(deep.mean()) >= TISSUE:
        return False
    there = rings > max(2 * DARK, FAINT * brightest)
    return float(np.median(near.std(axis=1)[there] / rings[there])) < ALIKE


def _straightened(picture: NDArray[Any], bright: NDArray[Any], face: NDArray[Any], depth: int) -> NDArray[Any]:
    """(rows, columns) float32: the middle of the face, each column from its first bright pixel down by `DEEP`."""
    margin = face.size // 5
    columns = face[margin : face.size - margin]
    first = bright[:, columns].argmax(axis=0)
    rows = np.minimum(first + np.arange(max(1, int(DEEP * depth)))[:, None], picture.shape[0] - 1)
    straight: NDArray[Any] = cv2.blur(picture[rows, columns], (3, 3)).astype(np.float32)
    return straight
