"""Boxes around the regions of a mask: what a head that predicts boxes learns, and what all boxes are scored against.

A region is what touches, corners included; its box is the smallest with sides along rows and columns.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Boxes = NDArray[np.int64] | NDArray[np.float64]
"""(n, 4): first row and column, and the row and column after the last, in pixels."""
_TOUCHING = np.ones((3, 3), bool)


def regions_of(mask: NDArray[np.bool_]) -> tuple[NDArray[np.signedinteger[Any]], int]:
    """The number of the region of each pixel, from 1 on in the order of their boxes and 0 outside; and how many."""
    regions, count = ndimage.label(mask, _TOUCHING)
    return regions, count


def boxes_of(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The box of every region of a mask, and how many pixels each region has.

    Returns:
        (n, 4): first row and column, and the row and column after the last; and (n,) pixels.
    """
    regions, count = regions_of(mask)
    found = [[rows.start, cols.start, rows.stop, cols.stop] for rows, cols in ndimage.find_objects(regions)]
    return np.array(found, np.int64).reshape(-1, 4), np.bincount(regions.ravel(), minlength=count + 1)[1:]


def iou(one: Boxes, other: Boxes) -> NDArray[np.float64]:
    """Intersection over union of every box of the one with every box of the other: (n, 4), (m, 4) -> (n, m)."""
    first, second = one[:, None], other[None]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    shared = sides.clip(0).prod(axis=2)
    return np.asarray(shared / (_area(first) + _area(second) - shared), np.float64)


def _area(boxes: Boxes) -> NDArray[np.float64]:
    """Area of boxes in pixels."""
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1), np.float64)
