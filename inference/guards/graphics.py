"""Calipers, text or other graphics inside the sector, recognised by strokes that cross: echoes do not."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import View
from inference.guards.thumbnail import Thumbnail
from inference.sector import sector_mask

THICK = 4
"""Pixels: strokes are thinner than this, plus one for each 480 pixels by which the longer side exceeds 1280."""
CONTRAST, GRAINY_CONTRAST = 60, 90
"""Grey levels of 255 by which a stroke is brighter than the picture on both its sides; more where grain is bright."""
GRAINY = 0.01
"""Share of the lit pixels that are so much brighter, above which they are grain: calipers and text are far less."""
LONG = 7
"""Length of a straight stroke, pixels; speckle and specular lines are that long in one direction only."""
CROSSING = 5
"""Pixels within which two strokes meet."""
RIM = 6
"""Pixels from the sector's edge within which no crossing counts."""
SEVERAL = 2
"""This many crossings at once are no accident; a single one has to stay in its place."""
STAYS = 3
"""Frames for which a single crossing must stay, unless the source begins with it: 0.08 s after the first at 25 fps.

A recording begins anew wherever a person goes in it: the frame that stands there may be the only one looked at.
"""
MOVES = 2
"""Pixels by which a codec can move a crossing."""


class Graphics:
    """Sees several crossings on their first frame, or a single one that stays in place on its third."""

    def __init__(self) -> None:
        self._before: list[NDArray[Any]] = []
        self._next: int | None = None

    def __call__(self, thumbnail: Thumbnail) -> bool:
        """Whether there are graphics in the frame; slices of a volume are exempt, since no screen drew them."""
        frame = thumbnail.frame
        found = None if frame.origin.view is View.SLICE else crossings(thumbnail)
        first = self._next is None or (not frame.origin.live and frame.index != self._next)
        self._next = frame.index + 1
        if found is None:
            self._before = []
            return False
        self._before = [found] * STAYS if first else [*self._before, found][-STAYS:]
        return _pieces(found) >= SEVERAL or self._stays()

    def _stays(self) -> bool:
        """Whether some crossing has been in one place for `STAYS` frames."""
        if len(self._before) < STAYS or len({found.shape for found in self._before}) > 1:
            return False
        near = np.ones((2 * MOVES + 1, 2 * MOVES + 1), np.uint8)
        return bool(np.logical_and.reduce([cv2.dilate(found, near) for found in self._before]).any())


def crossings(thumbnail: Thumbnail) -> NDArray[Any] | None:
    """Where thin bright strokes cross inside the sector, (rows, cols) uint8 0/1; None if none do."""
    full = thumbnail.full
    thick = THICK + max(0, (max(full.shape) - 1280) // 480)
    found = _crossings(full, thick, masked=thumbnail.frame.origin.live)
    if found is None or not cv2.countNonZero(found):
        return None  # most often: the sector is looked for only where there is something in it or around it
    # The sector's own corners are strokes that cross. It is found at full size, where text and menus can be told apart.
    rim = np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)
    inside = cv2.erode(sector_mask([full]), rim, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    found = cv2.bitwise_and(found, inside)
    return found if found.any() else None


def _crossings(full: NDArray[Any], thick: int, *, masked: bool) -> NDArray[Any] | None:
    thin = cv2.morphologyEx(full, cv2.MORPH_TOPHAT, np.ones((thick, thick), np.uint8))
    strokes = cv2.threshold(thin, CONTRAST, 1, cv2.THRESH_BINARY)[1]
    if cv2.countNonZero(strokes) > GRAINY * cv2.countNonZero(full):
        if not masked:  # a file's picture may have text around its sector, which is no grain
            return _crossings(cv2.bitwise_and(full, full, mask=sector_mask([full])), thick, masked=True)
        strokes = cv2.threshold(thin, GRAINY_CONTRAST, 1, cv2.THRESH_BINARY)[1]
    if not cv2.countNonZero(strokes):
        return None
    slant = np.eye(LONG, dtype=np.uint8)
    upright = _meet(strokes, np.ones((1, LONG), np.uint8), np.ones((LONG, 1), np.uint8))
    oblique = _meet(strokes, slant, np.ascontiguousarray(slant[:, ::-1]))
    return cv2.bitwise_or(upright, oblique)


def _meet(strokes: NDArray[Any], one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Where a stroke in one direction comes near a stroke in the other."""
    near = np.ones((CROSSING, CROSSING), np.uint8)
    first = cv2.morphologyEx(strokes, cv2.MORPH_OPEN, one)
    if not cv2.countNonZero(first):  # most often, and then the other need not be looked for
        return first
    second = cv2.morphologyEx(strokes, cv2.MORPH_OPEN, other)
    return cv2.bitwise_and(cv2.dilate(first, near), cv2.dilate(second, near))


def _pieces(found: NDArray[Any]) -> int:
    return cv2.connectedComponents(found)[0] - 1
