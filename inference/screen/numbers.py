"""The lengths that a scanner wrote: the depth of the picture, and the numbers beside its ruler."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference.crop import Rect
from inference.screen.texts import Character, Line, around

DEPTH = re.compile(r"(?:(?:d|depth|dep|tiefe)[:?.]? ?)?([#.]+) ?([cm]m)", re.IGNORECASE)
"""A line that says nothing but a depth: `8.0 cm`, `D: 40mm`. A colon may have been read as anything."""
UNITS = {"cm": 10.0, "mm": 1.0}
HEIGHTS_VARY = 0.2
"""Share by which the digits of one number differ in height at most."""
APART = 1.02
"""Distance between the middles of two digits of one number at most, as a share of their height. In the fonts of screens
it is at most 0.9, and with a point between them, which may have been lost, at least 1.1."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number on the screen.

    Attributes:
        value: the number.
        unit_mm: millimetres of its unit; None if none is written with it.
        text: as people read it.
        rect: where it stands.
    """

    value: float
    unit_mm: float | None
    text: str
    rect: Rect


def depths(lines: Sequence[Line]) -> list[Number]:
    """The lines that state a depth and nothing else; a caliper's line has its sign or name before the length."""
    found = []
    for line in lines:
        read = "".join("#" if character.digit else character.text for character in line.characters)
        match = DEPTH.fullmatch(read.strip().replace(" .", ".").replace(". ", "."))
        if match is None:
            continue
        of_number = [one for one in line.characters if one.digit or one.text == "."]
        unit = match[2].lower()
        number = _number(of_number)
        # Calipers are written to two decimals, a depth to one.
        if number is not None and not re.search(r"\.\d\d", number.text):
            whole = around([one.rect for one in line.characters if one.text != " "])
            found.append(Number(number.value, UNITS[unit], f"{number.text} {unit}", whole))
    return found


def labels(lines: Sequence[Line]) -> list[Number]:
    """Every number that stands for itself, or with its unit, in any line."""
    found = []
    for line in lines:
        run: list[Character] = []
        for character in (*line.characters, None):
            if character is not None and (character.digit or character.text == ".") and _continues(run, character):
                run.append(character)
                continue
            if run and (number := _number(run)) is not None:
                found.append(number)
            run = [character] if character is not None and character.digit else []
    return found


def units(lines: Sequence[Line]) -> list[Number]:
    """The units that stand alone, as `cm` does at the top of a ruler; their value is 0."""
    return [
        Number(0.0, UNITS[line.text.lower()], line.text.lower(), around([one.rect for one in line.characters]))
        for line in lines
        if line.text.lower() in UNITS
    ]


def _continues(run: Sequence[Character], character: Character) -> bool:
    """Whether a digit or point stands close to the number so far, and at its size."""
    if not run:
        return bool(character.digit)
    tall = max(one.rect.rows for one in run)
    last = run[-1]
    if "." in (last.text, character.text):
        near = character.rect.left - last.rect.left - last.rect.cols <= APART * tall / 2
    else:
        near = _middle(character.rect) - _middle(last.rect) <= APART * tall
    return near and (character.text == "." or abs(character.rect.rows - tall) <= max(1.0, HEIGHTS_VARY * tall))


def _middle(rect: Rect) -> float:
    return rect.left + rect.cols / 2


def _number(characters: Sequence[Character]) -> Number | None:
    """The number that these digits and points make; None if they make none, or if one of them is in doubt."""
    text = "".join(one.digit or one.text for one in characters)
    if not re.fullmatch(r"\d{1,3}(\.\d{1,2})?", text) or (len(text) > 1 and text[0] == "0" and text[1] != "."):
        return None
    before: list[Character] = []
    for one in characters:
        if before and not _continues(before, one):
            return None
        before.append(one)
    return Number(float(text), None, text, around([one.rect for one in characters]))
