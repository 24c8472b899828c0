"""Finds the scanner's depth scale: equally spaced ticks or dots, one below the other, beside the sector."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.crop import Rect

FEWEST = 4
"""Ticks of a ruler at least."""
CLOSEST = 5.0
"""Pixels between two ticks at least; closer ones are not told apart after a codec."""
ALIGNED = 900
"""Columns of a picture for each pixel by which the ends, or the middles, of a ruler's ticks vary."""
BLURRED = 2.0
"""The same in pixels at least: a codec blurs the ends."""
OFF = 1.2
"""Pixels by which a tick stands off its place at most: scanners round to whole pixels, and a codec blurs."""
LOOSE = 0.16
"""The same as a share of the distance between ticks, where that is less."""
FILLED = 0.85
"""Share of a ruler's places that hold a tick; a caliper or a focus mark may hide some."""
STRAY = 0.25
"""Marks between the ticks at most, as a share of the ticks."""
THICK = 100
"""Rows of a picture for each pixel of a tick's thickness."""
WIDE = 20
"""Columns of a picture for each pixel of a tick's length."""
RIM = 40
"""Columns of a picture for each pixel by which a ruler may lie inside the sector."""
BRIGHT = 90
"""Grey levels of 255 by which a tick stands out there: speckle does less."""
REACHES = (4, 7, 12, 20, 35, 60, 1000)
"""Ticks on either side of the first pair that are taken at each step of the fit, as it grows better."""
FAINT = 22
"""Grey levels of 255 by which a tick stands out at least."""
SAME = 0.005
"""Share by which the steps of two rulers differ at most that are one."""
PERIODS = (2, 5, 10)
"""Every which tick a scanner draws longer, or brighter."""
LONGER = 1.25
"""How much more ink a longer tick has at least."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """Equally spaced ticks down the picture.

    Attributes:
        x: their column, pixels.
        first: row of the first tick, pixels.
        step: distance between two, pixels.
        count: how many places it has, from the first tick to the last.
        left: column of their left ends.
        right: column behind their right ends.
        longer: every which tick is longer or brighter; empty if all are alike.
        spread: by how much a tick stands off its place in the mean, pixels.
    """

    x: float
    first: float
    step: float
    count: int
    left: int
    right: int
    longer: frozenset[int]
    spread: float

    @property
    def rows(self) -> NDArray[np.float64]:
        """The rows of its ticks, pixels."""
        return np.arange(self.count, dtype=np.float64) * self.step + self.first

    @property
    def rect(self) -> Rect:
        """Where it stands."""
        top = max(0, math.floor(self.first))
        return Rect(top, self.left, math.ceil(self.rows[-1]) + 1 - top, self.right - self.left)


@dataclass(frozen=True, slots=True)
class Fit:
    """Marks in an equally spaced row: which ones, their places in it, row of place 0, step, mean distance from it."""

    chosen: NDArray[np.intp]
    k: NDArray[np.intp]
    first: float
    step: float
    spread: float


Marks = NDArray[np.float64]
"""One row a mark: left, middle, right, y (all pixels) and ink, the sum of its grey levels."""


def find_rulers(grey: NDArray[np.uint8], inside: NDArray[np.uint8]) -> list[Ruler]:
    """Every ruler down the picture, that with the most ticks first; its longer ticks are no other ruler.

    Args:
        grey: (rows, cols), the whole picture; ticks are brighter than their background.
        inside: (rows, cols), 1 where the probe drew.
    """
    marks = _marks(grey, inside)
    aligned = max(BLURRED, grey.shape[1] / ALIGNED)
    found: set[Ruler] = set()
    for anchor in (0, 1, 2):
        places = marks[:, anchor]
        for place in np.unique(np.round(places)):
            members = marks[np.abs(places - place) <= aligned]
            if len(members) >= FEWEST and (ruler := _ruler(members)) is not None:
                found.add(ruler)
    rulers: list[Ruler] = []
    for ruler in sorted(found, key=lambda ruler: (-ruler.count, ruler.spread)):
        if not any(_part(ruler, finer) for finer in rulers):
            rulers.append(ruler)
    return rulers


def _part(ruler: Ruler, finer: Ruler) -> bool:
    """Whether a ruler is every which tick of a finer one, which says more."""
    times = ruler.step / finer.step
    beside = ruler.left < finer.right and finer.left < ruler.right
    return beside and round(times) > 0 and abs(times / round(times) - 1) <= SAME


def _marks(grey: NDArray[np.uint8], inside: NDArray[np.uint8]) -> Marks:
    """Small bright marks outside the sector, or at its rim, that are no taller than a tick."""
    thick = max(3, grey.shape[0] // THICK)
    # Taken by what is darker above and below, so that a line along which the ticks stand is no part of them.
    ink = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((2 * thick + 1, 1), np.uint8)).astype(np.uint8)
    deep = cv2.erode(inside, np.ones((1, 2 * (grey.shape[1] // RIM) + 1), np.uint8))
    limit = np.where(inside > 0, BRIGHT, FAINT)
    bright = ((ink > limit) & (deep == 0)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    cols, rows = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    small = (rows <= 1.5 * thick) & (cols <= max(8, grey.shape[1] // WIDE)) & (stats[:, cv2.CC_STAT_AREA] > 1)
    small[0] = False
    return np.array([_mark(ink, piece) for piece in stats[small]]).reshape(-1, 5)


def _mark(ink: NDArray[np.uint8], piece: NDArray[Any]) -> NDArray[np.float64]:
    left, top, cols, rows = (int(value) for value in piece[:4])
    patch = ink[top : top + rows, left : left + cols].astype(np.float64)
    y = top + float(patch.sum(axis=1) @ np.arange(rows)) / patch.sum()
    return np.array([left, left + (cols - 1) / 2, left + cols - 1, y, patch.sum()])


def _ruler(marks: Marks) -> Ruler | None:
    """The longest equally spaced row of these aligned marks."""
    marks = marks[np.argsort(marks[:, 3])]
    y = marks[:, 3]
    best: Fit | None = None
    for i, j, step in _beginnings(y):
        if best is not None and _known(best, i, j):
            continue
        fit = _fitted(y, y[i], step)
        if fit is not None and (best is None or (len(fit.chosen), -fit.spread) > (len(best.chosen), -best.spread)):
            best = fit
    if best is None:
        return None
    ticks, k = marks[best.chosen], best.k - best.k[0]
    left, right = int(ticks[:, 0].min()), int(ticks[:, 2].max()) + 1
    first, longer = best.first + float(best.k[0]) * best.step, _longer(ticks[:, 4], k)
    return Ruler(float(np.median(ticks[:, 1])), first, best.step, int(k[-1]) + 1, left, right, longer, best.spread)


def _beginnings(y: NDArray[np.float64]) -> Iterator[tuple[int, int, float]]:
    """Pairs of marks, and the distance between ticks that they give if all or none of the marks between are ticks."""
    for i in range(len(y) - 1):
        for j in range(i + 1, min(i + 7, len(y))):
            apart = float(y[j] - y[i])
            if j > i + 1 and j <= i + 3 and apart >= CLOSEST:
                yield i, j, apart
            if apart >= CLOSEST * (j - i):
                yield i, j, apart / (j - i)


def _known(best: Fit, i: int, j: int) -> bool:
    """Whether two marks are as far apart in the best row so far as in the list of marks."""
    at = np.searchsorted(best.chosen, (i, j))
    if at[1] >= len(best.chosen) or best.chosen[at[0]] != i or best.chosen[at[1]] != j:
        return False
    return bool(at[1] - at[0] == j - i)


def _fitted(y: NDArray[np.float64], first: float, step: float) -> Fit | None:
    """Ticks at `first` + k · `step`, both improved as more of them are reached; None if they are no ruler."""
    fit = None
    for reach in REACHES:
        fit = _nearest(y, first, step, reach)
        if fit is None or fit.step < CLOSEST:
            return None
        first, step = fit.first, fit.step
    if fit is None or len(fit.chosen) < max(FEWEST, FILLED * (fit.k[-1] - fit.k[0] + 1)):
        return None
    low, high = y[fit.chosen[0]] - step / 2, y[fit.chosen[-1]] + step / 2
    stray = np.count_nonzero((y > low) & (y < high)) - len(fit.chosen)
    return None if stray > STRAY * len(fit.chosen) else fit


def _nearest(y: NDArray[np.float64], first: float, step: float, reach: int) -> Fit | None:
    """The marks nearest to the places up to `reach` from the first one, and the row that fits them best."""
    place = np.round((y - first) / step).astype(np.intp)
    off = np.abs(y - first - place * step)
    near = np.flatnonzero((off <= min(OFF, LOOSE * step)) & (np.abs(place) <= reach))
    if len(near) < 3:
        return None
    near = near[np.lexsort((off[near], place[near]))]
    chosen = near[np.concatenate(([True], np.diff(place[near]) > 0))]
    chosen = chosen[_unbroken(place[chosen])]
    if len(chosen) < 3:
        return None
    k, at = place[chosen], y[chosen]
    centred = k - k.mean()
    slope = float(centred @ at) / float(centred @ centred)
    start = float(at.mean()) - slope * float(k.mean())
    return Fit(chosen, k, start, slope, float(np.abs(at - start - k * slope).mean()))


def _unbroken(place: NDArray[np.intp]) -> slice:
    """The longest stretch of places in which no two in a row are empty."""
    breaks = np.concatenate(([0], np.flatnonzero(np.diff(place) > 2) + 1, [len(place)]))
    longest = int(np.argmax(np.diff(breaks)))
    return slice(int(breaks[longest]), int(breaks[longest + 1]))


def _longer(ink: NDArray[np.float64], k: NDArray[np.intp]) -> frozenset[int]:
    """Every which tick has more ink than those between."""
    found = set()
    for period in PERIODS:
        for phase in range(period):
            major = k % period == phase
            if np.count_nonzero(major) < 2 or np.count_nonzero(~major) < 2:
                continue
            few, many = np.quantile(ink[major], 0.2), np.quantile(ink[~major], 0.8 if period < 10 else 0.75)
            if few > LONGER * many:
                found.add(period)
    return frozenset(found)
