"""Reads the texts that a scanner wrote on its screen, character by character."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.crop import Rect
from inference.screen.glyphs import CHARACTERS, likeness

HEIGHTS = (6, 18)
"""The least height of a character in pixels, and the share of the picture's rows that the greatest takes."""
STANDS_OUT = 40
"""Grey levels of 255 by which ink is brighter than what is around it."""
TALL = 32
"""Height to which a line is brought before it is read, pixels."""
EDGE = 0.4
"""Share of a line's brightest ink above which a pixel belongs to a character."""
CUT = 0.2
"""Share below which the space between two characters falls."""
DOT = 0.34
"""Height and width of a point at most, as a share of the line's height."""
GAP = 0.5
"""Space in a line, as a share of its height, from which it parts words."""
JOINS = 0.9
"""Space at most between parts of one line, as a share of their height."""
WHOLE = 0.88
"""Likeness from which a run of ink is one character, and is not parted."""
NARROW = 0.3
"""Width of a run, as a share of its height, below which it is one character."""
UNKNOWN = "?"
SURE = 0.72
"""Likeness below which a character is not read."""
SURE_DIGIT = 0.76
"""The same for a digit, which makes a length."""
LETTER = 0.08
"""By how much a letter is more like than a digit if it is none: O and 0, I and 1, S and 5 differ by less."""
DOUBT = 0.72
"""Unlikeness of the best digit over that of the next best, above which it is in doubt which one is meant."""


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a line.

    Attributes:
        text: the character, or `UNKNOWN`.
        digit: the digit that it is, or may be instead of a letter of the same shape; empty if none, or if in doubt.
        rect: where it stands.
    """

    text: str
    digit: str
    rect: Rect


@dataclass(frozen=True, slots=True)
class Line:
    """Characters in a row, from left to right, with spaces between words."""

    characters: tuple[Character, ...]

    @property
    def text(self) -> str:
        """The line as one string; a character of it is one of `characters`."""
        return "".join(character.text for character in self.characters)


def around(rects: Sequence[Rect]) -> Rect:
    """The smallest rectangle that holds all of these."""
    top, left = min(rect.top for rect in rects), min(rect.left for rect in rects)
    bottom, right = max(rect.top + rect.rows for rect in rects), max(rect.left + rect.cols for rect in rects)
    return Rect(top, left, bottom - top, right - left)


def read_texts(grey: NDArray[np.uint8], inside: NDArray[np.uint8]) -> list[Line]:
    """The lines of text on a screen.

    Args:
        grey: (rows, cols), the whole picture; text is brighter than its background.
        inside: (rows, cols), 1 where the probe drew.
    """
    side = max(9, grey.shape[0] // HEIGHTS[1])
    ink = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((side, side), np.uint8)).astype(np.uint8)
    bright = ((ink > STANDS_OUT) & (inside == 0)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    pieces = [number for number in range(1, len(stats)) if _written(stats[number], side)]
    lines = []
    for members in _joined(stats[pieces]):
        numbers = [pieces[member] for member in members]
        if line := _line(ink, labels, stats, numbers):
            lines.append(line)
    return lines


def _written(piece: NDArray[Any], side: int) -> bool:
    """Whether a piece can be a character, a part of one, or some that touch: no frame, no line, no speck."""
    _, _, cols, rows, area = (int(value) for value in piece)
    return rows <= side and cols <= 6 * side and area >= 2 and not (cols > 2 * rows and area < 0.3 * rows * cols)


def _joined(stats: NDArray[Any]) -> list[list[int]]:
    """Which pieces stand in one line, as groups of their indices."""
    if len(stats) == 0:
        return []
    left, top, cols, rows, _ = stats.astype(int).T
    right, bottom = left + cols, top + rows
    tall = np.maximum(rows[:, None], rows[None])
    overlap = np.minimum(bottom[:, None], bottom[None]) - np.maximum(top[:, None], top[None])
    gap = np.maximum(left[:, None], left[None]) - np.minimum(right[:, None], right[None])
    near = (overlap >= 0.5 * np.minimum(rows[:, None], rows[None])) & (gap <= JOINS * tall)
    return _groups(near)


def _groups(near: NDArray[np.bool_]) -> list[list[int]]:
    """What hangs together, as groups of indices, each after its first.

    Args:
        near: (n, n), symmetric: whether two are neighbours; each is its own.
    """
    first, former = np.arange(len(near)), np.full(len(near), -1)
    while not np.array_equal(first, former):
        former = first
        first = np.where(near, former, len(near)).min(axis=1)
        first = first[first]
    return [list(np.flatnonzero(first == number)) for number in np.unique(first)]


def _line(ink: NDArray[np.uint8], labels: NDArray[Any], stats: NDArray[Any], numbers: list[int]) -> Line | None:
    boxes = [Rect(int(s[1]), int(s[0]), int(s[3]), int(s[2])) for s in stats[numbers]]
    box = around(boxes)
    if not HEIGHTS[0] <= box.rows <= 2 * max(rect.rows for rect in boxes):
        return None
    own = cv2.dilate(np.isin(labels[box.where], numbers).astype(np.uint8), np.ones((3, 3), np.uint8))
    patch = np.pad(np.where(own > 0, ink[box.where], 0).astype(np.float32), 2)
    times = TALL / box.rows
    large = cv2.resize(patch, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    inked = large[large > STANDS_OUT / 2]
    white = float(np.percentile(inked, 90)) if len(inked) else 255.0
    found = _characters(np.clip(large / np.float32(white), 0, 1))
    characters = [Character(one.text, one.digit, _back(one.place, times, box)) for one in found]
    return Line(tuple(characters)) if characters else None


Place = tuple[int, int, int, int]
"""top, bottom, left and right in the enlarged line, pixels."""


@dataclass(frozen=True, slots=True)
class Found:
    """A character of an enlarged line, and how like the known one it is."""

    text: str
    digit: str
    sure: float
    place: Place


def _back(place: Place, times: float, box: Rect) -> Rect:
    top, bottom, left, right = (round(edge / times) - 2 for edge in place)
    return Rect(max(0, box.top + top), max(0, box.left + left), max(1, bottom - top), max(1, right - left))


def _characters(line: NDArray[np.float32]) -> list[Found]:
    """The characters of an enlarged line, with a space where words part."""
    profile = line.max(axis=0) > EDGE
    edges = np.flatnonzero(np.diff(np.concatenate(([0], profile.astype(np.int8), [0]))))
    found: list[Found] = []
    for left, right in zip(edges[::2], edges[1::2], strict=True):
        if found and left - found[-1].place[3] > GAP * TALL:
            found.append(Found(" ", "", 1.0, (2, 3, found[-1].place[3], int(left))))
        found += _run(line, int(left), int(right))
    return found


def _run(line: NDArray[np.float32], left: int, right: int) -> list[Found]:
    """Ink without a gap: one character, or several that touch, parted where they are most like known ones."""
    whole = _one(line, left, right)
    if whole.sure >= WHOLE or right - left < NARROW * TALL:
        return [whole]
    weight = line[:, left:right].sum(axis=0)
    inner = np.arange(1, len(weight) - 1)
    low = inner[(weight[inner] <= weight[inner - 1]) & (weight[inner] < weight[inner + 1])] if len(weight) > 2 else []
    cuts = [left, *(left + int(cut) for cut in low), right]
    best: list[tuple[float, list[Found]]] = [(0.0, [])]
    for end in range(1, len(cuts)):
        options = []
        for begin in range(max(0, end - 5), end):
            if cuts[end] - cuts[begin] <= 1.5 * TALL or end - begin == 1:
                one = _one(line, cuts[begin], cuts[end])
                # By width, so that a character in two parts has to be better than one in whole.
                cost = (1.05 - one.sure) * (cuts[end] - cuts[begin] + 0.25 * TALL)
                options.append((best[begin][0] + cost, [*best[begin][1], one]))
        best.append(min(options, key=lambda option: option[0]))
    return best[-1][1]


def _one(line: NDArray[np.float32], left: int, right: int) -> Found:
    """What is written between two columns, if it is one character."""
    rows = np.flatnonzero(line[:, left:right].max(axis=1) > EDGE)
    if len(rows) == 0:
        return Found(UNKNOWN, "", 0.0, (2, 3, left, right))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    place = (top, bottom, left, right)
    if bottom - top <= DOT * TALL and right - left <= DOT * TALL:
        return Found("." if bottom > 0.75 * line.shape[0] else UNKNOWN, "", 0.9, place)
    alike = likeness((line[top:bottom, left:right] * 255).astype(np.uint8))
    sure = float(alike.max())
    text = CHARACTERS[int(alike.argmax())] if sure >= SURE else UNKNOWN
    return Found(text, _digit(alike), sure, place)


def _digit(alike: NDArray[np.float32]) -> str:
    """The digit that is meant, if it is one and no other is nearly as like."""
    digits = alike[:10]
    second, first = np.sort(digits)[-2:]
    if first < max(SURE_DIGIT, alike.max() - LETTER) or 1 - first > DOUBT * (1 - second):
        return ""
    return CHARACTERS[int(digits.argmax())]
