"""Two panes: a scanner's split or compare view, which a model would take for one picture."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.frame import View
from inference.guards.thumbnail import Thumbnail
from inference.sector import DARK

LARGE = 0.3
"""Least share of all bright content that each of two panes holds that are alike, or touch."""
SMALLER = 0.15
"""The same of two whole sectors, one of which may be far deeper, and narrower by that."""
ALIKE = 0.85
"""Least overlap (intersection over union) of two panes' outlines laid on each other. The halves of a fan split by a
shadow are mirror images and overlap less."""
TALL = 0.25
"""Least height of each of them, as a share of the picture's: bright specks in water are mirror images too."""
MIRRORED = 0.9
"""Least overlap of a whole sector's outline with its own mirror image: panes of two depths are not alike, and each is
whole. The parts of one sector that a shadow splits overlap up to 0.62."""
RECTANGLE = 0.9
"""Share of its box that an outline fills at least to be a rectangle, whose halves are whole rectangles too."""
STEP = 20
"""Grey levels of 255 between two neighbouring columns at the seam of two panes that touch."""
SEAM = 0.25
"""Least share of the picture's height along which a seam steps the same way: 0.33 and 0.55 in real pairs of panes."""
LONE = 4
"""A seam steps this many times as often as any nearby column: speckle and shadows are wider than one column."""
NEARBY = 12


def panes(thumbnail: Thumbnail) -> bool:
    """Whether there are two pictures, apart or touching; slices of a volume are exempt, since no screen drew them."""
    if thumbnail.frame.origin.view is View.SLICE:
        return False
    return _apart(thumbnail.small) or _seam(thumbnail.full, thumbnail.small, thumbnail.factor)


def _apart(picture: NDArray[Any]) -> bool:
    """Whether the picture has two large pieces: with the same outline, or each of them a whole sector."""
    bright = cv2.morphologyEx((picture > DARK).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    if count < 3:
        return False
    areas = stats[1:, cv2.CC_STAT_AREA]
    first, second = (int(label) + 1 for label in np.argsort(areas)[:-3:-1])
    share = areas[second - 1] / areas.sum()
    if share < SMALLER:
        return False
    boxes = [stats[label, : cv2.CC_STAT_AREA] for label in (first, second)]
    one, other = (_outline(labels == label, box) for label, box in zip((first, second), boxes, strict=True))
    if share >= LARGE and _overlap(one, other) >= ALIKE:
        return True
    tall = min(len(one), len(other)) >= TALL * len(picture)
    return tall and _beside(*boxes) and _sectors(one, other)


def _beside(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether one of two boxes (x, y, width, height) ends before the other begins."""
    (left, width), (right, _) = sorted((int(box[0]), int(box[2])) for box in (one, other))
    return left + width <= right


def _sectors(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether both outlines are mirror images of themselves; of rectangles, also the halves of one are."""
    if min(float(outline.mean()) for outline in (one, other)) >= RECTANGLE:
        return False
    return all(_overlap(outline, outline[:, ::-1]) >= MIRRORED for outline in (one, other))


def _outline(piece: NDArray[Any], box: NDArray[Any]) -> NDArray[Any]:
    """(rows, cols) uint8 of its box: the convex hull of a piece."""
    x, y, width, height = (int(side) for side in box)
    points = cv2.findNonZero(piece[y : y + height, x : x + width].astype(np.uint8))
    filled = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(points), 1)
    return filled


def _overlap(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Intersection over union of two outlines, laid on each other at their top left corners."""
    both = np.zeros((2, max(len(one), len(other)), max(one.shape[1], other.shape[1])), np.uint8)
    for place, outline in zip(both, (one, other), strict=True):
        place[: outline.shape[0], : outline.shape[1]] = outline
    return np.count_nonzero(both[0] & both[1]) / np.count_nonzero(both[0] | both[1])


def _seam(full: NDArray[Any], small: NDArray[Any], factor: int) -> bool:
    """Whether the grey steps the same way in a single column, over much of the height, in the midst of the content."""
    content = np.cumsum((small > DARK).sum(axis=0))
    inner = np.flatnonzero((content > LARGE / 2 * content[-1]) & (content < (1 - LARGE / 2) * content[-1]))
    if not inner.size:
        return False
    left, right = int(inner[0]) * factor, int(inner[-1] + 1) * factor
    columns = full[:, left:right]
    if columns.shape[1] < 2 * NEARBY:
        return False
    before, after = columns[:, :-1], columns[:, 1:]
    steps = np.maximum(_count(cv2.subtract(after, before)), _count(cv2.subtract(before, after)))
    seam = int(steps.argmax())
    nearby = np.delete(steps[max(0, seam - NEARBY) : seam + NEARBY + 1], min(seam, NEARBY))
    return bool(steps[seam] >= SEAM * full.shape[0] and steps[seam] >= LONE * nearby.max())


def _count(steps: NDArray[Any]) -> NDArray[np.int64]:
    """The number of rows that step, for each column."""
    over = cv2.threshold(steps, STEP, 1, cv2.THRESH_BINARY)[1]
    return np.asarray(cv2.reduce(over, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0], np.int64)
