"""What a hand does to a mask: push its edge, cut a part off, add, erase. Pure functions.

A stroke is at least one (x, y) in pixels, with pixel centres at whole numbers. Every gesture returns a new mask.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import Mask
from inference.ruler import Point

Stroke = Sequence[Point]
_SHIFT = 4
"""OpenCV draws at sixteenths of a pixel."""


def push(mask: Mask, stroke: Stroke, brush: tuple[float, float]) -> Mask:
    """Push the edge before a brush: outwards if the stroke starts inside the mask, inwards if it starts outside.

    Args:
        mask: (rows, cols) 0/1.
        stroke: the brush's way.
        brush: its radii (x, y), pixels.
    """
    swept = _swept(mask, stroke, brush)
    pushed: Mask = mask | swept if _starts_inside(mask, stroke) else mask & (1 - swept)
    return pushed


def cut(mask: Mask, stroke: Stroke) -> Mask:
    """Cut along a line: of every piece that it parts, only the largest part stays. Nothing parted, nothing changed.

    The line's own pixels go with what is cut off.
    """
    line = np.zeros_like(mask)
    # A line without diagonal steps also parts what hangs together by its corners.
    cv2.polylines(line, [_whole(stroke)], isClosed=False, color=1, lineType=cv2.LINE_4)
    _, pieces = cv2.connectedComponents(mask, connectivity=8)
    kept = mask.copy()
    for piece in np.unique(pieces[(line & mask) > 0]):
        whole = pieces == piece
        apart = (whole & (line == 0)).astype(np.uint8)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(apart, connectivity=8)
        if count > 2:  # the background counts as one
            largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
            kept[whole & (parts != largest)] = 0
    return kept


def add(mask: Mask, stroke: Stroke) -> Mask:
    """Add what the closed stroke encloses."""
    added: Mask = mask | _enclosed(mask, stroke)
    return added


def erase(mask: Mask, stroke: Stroke) -> Mask:
    """Take away what the closed stroke encloses."""
    erased: Mask = mask & (1 - _enclosed(mask, stroke))
    return erased


def _starts_inside(mask: Mask, stroke: Stroke) -> bool:
    x, y = (round(value) for value in stroke[0])
    rows, cols = mask.shape
    return 0 <= y < rows and 0 <= x < cols and bool(mask[y, x])


def _enclosed(mask: Mask, stroke: Stroke) -> Mask:
    filled = np.zeros_like(mask)
    cv2.fillPoly(filled, [_whole(stroke)], 1)
    return filled


def _swept(mask: Mask, stroke: Stroke, brush: tuple[float, float]) -> Mask:
    """Every pixel that the brush touches on its way, 0/1.

    It is drawn where a row is as high as a column is wide: there the brush is a disc, and its way a thick line.
    """
    rows, cols = mask.shape
    radius = max(0.5, brush[0])
    height = max(1, round(rows * radius / max(0.5, brush[1])))
    way = (np.asarray(stroke, np.float64) + 0.5) * (1, height / rows) - 0.5
    points = np.round(way * (1 << _SHIFT)).astype(np.int32)
    square = np.zeros((height, cols), np.uint8)
    cv2.circle(square, points[0].tolist(), round(radius * (1 << _SHIFT)), 1, cv2.FILLED, shift=_SHIFT)
    if len(points) > 1:
        cv2.polylines(square, [points], isClosed=False, color=1, thickness=max(1, round(2 * radius)), shift=_SHIFT)
    swept: Mask = np.asarray(cv2.resize(square, (cols, rows), interpolation=cv2.INTER_NEAREST), np.uint8)
    return swept


def _whole(stroke: Stroke) -> NDArray[np.int32]:
    return np.round(np.asarray(stroke, np.float64)).astype(np.int32)
