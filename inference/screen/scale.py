"""Reads a proposal for the scale from the scanner's own ruler and texts; a person has to confirm it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.crop import Rect
from inference.errors import SpacingError
from inference.frame import Mask
from inference.ruler import implausible
from inference.screen.numbers import Number, depths, labels, units
from inference.screen.texts import around, read_texts
from inference.screen.ticks import Ruler, find_rulers
from inference.sector import DARK as SPECKLE
from inference.sector import sector_mask
from inference.spacing import PixelSpacing, Provenance

STEPS_MM = (1.0, 2.0, 5.0, 10.0)
"""Distances between ticks that scanners draw, mm."""
LONGER_MM = (5.0, 10.0, 20.0, 50.0, 100.0)
"""Distances between their longer ticks, mm."""
DEPTHS_MM = (20.0, 300.0)
"""Depths of the pictures that are believed from a screen."""
LABELS = 3
"""Labels of a ruler at least that have to lie on one line; the ruler's beginning, which is 0, counts as one."""
BESIDE = 4.0
"""Distance of a label from its ruler at most, in heights of the label."""
OFF_TICK = 0.2
"""Share of the distance between ticks by which a label's distance from another stands off whole ticks at most."""
OFF_PX = 2.0
"""The same in pixels, where that is less: labels are placed by whole pixels."""
ROUND = 0.02
"""Share by which a distance between ticks that depth and sector give stands off a round one at most."""
ABOUT = 0.15
"""Share by which a depth that is written differs at most from that of ruler or sector, if labels say their scale."""
BEYOND = 0.1
"""Share of its depth by which the sector reaches beyond a ruler that ends at the depth at most."""
AGREE = 0.01
"""Share by which two readings of one scale differ at most."""
MARGIN = 3
"""Pixels around ruler and texts that are watched with them."""
GAP = 0.02
"""Width of the dark between two panes, as a share of the picture's."""
DARK = 0.1
"""Share of its rows in which it is bright at most: there may be a ruler in it."""

PANES = "Several panes may have several scales: click two points."
NO_RULER = "No ruler can be read on this screen: click two points."
NO_NUMBER = "The ruler's length cannot be read: click two points."
APART = "Ruler and texts do not agree: check the depth, and click two points."


@dataclass(frozen=True, slots=True)
class ScaleProposal:
    """A scale on which two statements of the screen agree. It is not in use until a person confirms it.

    Attributes:
        spacing: the scale; its provenance says that it was read and confirmed, so hand it on only when it was.
        ruler: the ruler that was read.
        tick_mm: distance between its ticks, mm.
        texts: the texts that were read: a depth, or the labels of ticks.
        regions: what has to be watched: the texts that say the ruler's length, and the ruler; none where a part of
            them lies on tissue.
    """

    spacing: PixelSpacing
    ruler: Ruler
    tick_mm: float
    texts: tuple[Number, ...]
    regions: tuple[Rect, ...]

    @property
    def points(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """First and last tick, (x, y) in pixels."""
        rows = self.ruler.rows
        return (self.ruler.x, float(rows[0])), (self.ruler.x, float(rows[-1]))

    @property
    def words(self) -> str:
        """What was read, for the person who confirms it."""
        tick = f"ticks every {self.tick_mm:g} mm"
        if any(text.unit_mm is not None for text in self.texts):
            return f"{tick} and depth {next(text.text for text in self.texts if text.unit_mm is not None)}"
        return f"{tick} and labels {self.texts[0].text} to {self.texts[-1].text}"


@dataclass(frozen=True, slots=True)
class NoProposal:
    """No scale can be read from this screen.

    Attributes:
        reason: one sentence that says why, and what to do.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a ruler: millimetres between ticks, and the texts that say so."""

    ruler: Ruler
    tick_mm: float
    texts: tuple[Number, ...]

    @property
    def mm(self) -> float:
        return self.tick_mm / self.ruler.step


def read_scale(picture: NDArray[np.uint8], aspect: float = 1.0) -> ScaleProposal | NoProposal:
    """The scale that ruler and texts of a screen state together.

    A ruler's ticks are known by their equal distance, and their length in mm by numbers: labels that lie on one line
    with the ticks, or a depth that makes the distance between ticks a round one. One statement alone is no proposal,
    and neither are two that contradict each other.

    Args:
        picture: (rows, cols) or (rows, cols, 3) uint8, the whole picture as the scanner drew it.
        aspect: width of a pixel over its height.
    """
    grey = picture if picture.ndim == 2 else picture.max(axis=2)
    inside = sector_mask([grey])
    if inside.all():
        return NoProposal(NO_RULER)
    if _panes(grey, inside):
        return NoProposal(PANES)
    rulers = find_rulers(grey, inside)
    if not rulers:
        return NoProposal(NO_RULER)
    lines = read_texts(grey, inside)
    stated, numbers, alone = depths(lines), labels(lines), units(lines)
    readings = [one for ruler in rulers for one in _labelled(ruler, numbers, [*stated, *alone])]
    by_depth = [one for ruler in rulers for depth in stated for one in _by_depth(ruler, depth, inside)]
    agreed = [*readings, *by_depth]
    if not agreed:
        return NoProposal(NO_NUMBER)
    best = max(agreed, key=lambda one: (len(one.texts), one.ruler.count))
    if any(not math.isclose(one.mm, best.mm, rel_tol=AGREE) for one in agreed):
        return NoProposal(APART)
    if stated and not any(_deep(best, depth, inside) for depth in stated):
        return NoProposal(APART)
    return _proposal(best, by_depth, inside, aspect)


def _panes(grey: NDArray[np.uint8], inside: Mask) -> bool:
    """Whether what the probe drew is parted by a dark stripe from top to bottom."""
    bright = ((grey > SPECKLE) & (inside > 0)).mean(axis=0) / max(float(inside.mean(axis=0).max()), 1e-6)
    drawn = np.flatnonzero(bright > 2 * DARK)
    if len(drawn) == 0:
        return False
    dark = bright[drawn[0] : drawn[-1] + 1] <= DARK
    edges = np.flatnonzero(np.diff(np.concatenate(([0], dark.astype(np.int8), [0]))))
    return bool(np.any(edges[1::2] - edges[::2] > GAP * grey.shape[1]))


def _proposal(best: _Reading, by_depth: Sequence[_Reading], inside: Mask, aspect: float) -> ScaleProposal | NoProposal:
    try:
        spacing = PixelSpacing(best.mm, best.mm * aspect, Provenance.READ)
    except SpacingError:
        return NoProposal(NO_NUMBER)
    if implausible(spacing):
        return NoProposal(APART)
    texts = dict.fromkeys((*best.texts, *(text for one in by_depth for text in one.texts)))
    return ScaleProposal(spacing, best.ruler, best.tick_mm, tuple(texts), _regions(best.ruler, best.texts, inside))


def _regions(ruler: Ruler, texts: Sequence[Number], inside: Mask) -> tuple[Rect, ...]:
    """The rectangles around what says a ruler's length, and around it; none if a part of them is moving tissue."""
    regions = tuple(_padded(rect, inside) for rect in (around([text.rect for text in texts]), ruler.rect))
    return () if any(inside[region.where].any() for region in regions) else regions


def _padded(rect: Rect, inside: Mask) -> Rect:
    """The rectangle with `MARGIN` around it, within the picture."""
    top, left = max(0, rect.top - MARGIN), max(0, rect.left - MARGIN)
    bottom = min(inside.shape[0], rect.top + rect.rows + MARGIN)
    right = min(inside.shape[1], rect.left + rect.cols + MARGIN)
    return Rect(top, left, bottom - top, right - left)


def _labelled(ruler: Ruler, numbers: Sequence[Number], stated: Sequence[Number]) -> list[_Reading]:
    """The readings of a ruler by labels beside its ticks: one for each unit that is possible."""
    near = [number for number in numbers if _beside(ruler, number)]
    chosen, per_tick = _on_a_line(ruler, near)
    if per_tick is None:
        return []
    found = []
    for unit in (1.0, 10.0):
        tick_mm = per_tick * unit
        deep = tick_mm * (ruler.count - 1)
        if _round(tick_mm) and DEPTHS_MM[0] <= deep <= DEPTHS_MM[1]:
            found.append(_Reading(ruler, tick_mm, tuple(chosen)))
    written = {number.unit_mm for number in stated if number.value > 0 or _beside(ruler, number, far=3.0)}
    if len(found) > 1 and len(written) == 1:
        unit = next(iter(written)) or 1.0
        found = [one for one in found if math.isclose(one.tick_mm, per_tick * unit)]
    return found


def _beside(ruler: Ruler, number: Number, far: float = 1.0) -> bool:
    rect = number.rect
    gap = max(rect.left - ruler.right, ruler.left - rect.left - rect.cols)
    low, high = ruler.rows[0] - 2 * ruler.step - rect.rows, ruler.rows[-1] + 2 * ruler.step + rect.rows
    return gap <= far * BESIDE * rect.rows and low <= _row(number) <= high


def _row(number: Number) -> float:
    return number.rect.top + (number.rect.rows - 1) / 2


def _on_a_line(ruler: Ruler, near: Sequence[Number]) -> tuple[list[Number], float | None]:
    """The most labels that count ticks at one rate, and that rate per tick; None if too few do, or if two rates tie."""
    tallies: dict[float, dict[Number, None]] = {}
    zero = Number(0.0, None, "0", Rect(max(0, round(float(ruler.rows[0]))), ruler.left, 1, 1))
    for one, other in combinations([zero, *near], 2):
        rate = _rate(ruler, one, other)
        if rate is not None:
            on_line = [third for third in (zero, *near) if third in (one, other) or _same(ruler, one, third, rate)]
            if len(on_line) > len(tallies.get(rate, ())):
                tallies[rate] = dict.fromkeys(on_line)
    enough = sorted(((len(found), rate) for rate, found in tallies.items() if len(found) >= LABELS), reverse=True)
    if not enough or (len(enough) > 1 and enough[1][0] == enough[0][0]):
        return [], None
    rate = enough[0][1]
    return [number for number in tallies[rate] if number is not zero], rate


def _rate(ruler: Ruler, one: Number, other: Number) -> float | None:
    """What one tick adds, if two labels stand a whole number of ticks apart and say more downwards; else None."""
    ticks = (_row(other) - _row(one)) / ruler.step
    whole = round(ticks)
    # Labels stand beside their ticks, or all a little above or below: among themselves their distances are exact.
    off = OFF_TICK if 0 in (one.value, other.value) else min(OFF_TICK, OFF_PX / ruler.step)
    if whole == 0 or abs(ticks - whole) > off:
        return None
    rate = (other.value - one.value) / whole
    return round(rate, 4) if rate > 0 and (_round(rate) or _round(rate * 10)) else None


def _same(ruler: Ruler, one: Number, other: Number, rate: float) -> bool:
    found = _rate(ruler, one, other)
    return found is not None and math.isclose(found, rate, rel_tol=1e-3)


def _round(tick_mm: float) -> bool:
    return any(math.isclose(tick_mm, step, rel_tol=1e-3) for step in STEPS_MM)


def _by_depth(ruler: Ruler, depth: Number, inside: Mask) -> list[_Reading]:
    """The reading of a ruler by the depth of the picture, where that makes a round distance between ticks.

    The ruler ends at that depth, and the sector with it; or the sector alone does, and longer ticks bear it out.
    """
    deep = depth.value * (depth.unit_mm or math.nan)
    if not DEPTHS_MM[0] <= deep <= DEPTHS_MM[1]:
        return []
    for step in STEPS_MM:
        fits = all(any(math.isclose(step * every, mm) for mm in LONGER_MM) for every in ruler.longer)
        if not fits:
            continue
        (sector, below), rows_deep = _heights(ruler, inside), deep / step * ruler.step
        counted = math.isclose(step * (ruler.count - 1), deep, rel_tol=1e-6)
        ends = below - rows_deep <= BEYOND * below
        reached = any(abs(rows_deep - rows) <= ROUND * rows for rows in (sector, below))
        if (counted and ends) or (reached and ruler.longer):
            return [_Reading(ruler, step, (depth,))]
    return []


def _deep(reading: _Reading, depth: Number, inside: Mask) -> bool:
    """Whether ruler or sector are about as deep, by this reading, as the screen says."""
    ruler = reading.ruler
    said = depth.value * (depth.unit_mm or math.nan) / reading.mm
    heights = (*_heights(ruler, inside), ruler.step * (ruler.count - 1))
    return any(abs(said - rows) <= ABOUT * rows for rows in heights)


def _heights(ruler: Ruler, inside: Mask) -> tuple[float, float]:
    """How many rows the picture is deep: the sector's in its middle, and from the ruler's beginning to its end."""
    x, y, cols, rows = cv2.boundingRect(inside)
    middle = np.flatnonzero(inside[:, x + cols // 2])
    bottom = float(middle[-1]) if len(middle) else float(y + rows - 1)
    top = float(middle[0]) if len(middle) else float(y)
    return bottom - top + 1, bottom - float(ruler.rows[0]) + 1
