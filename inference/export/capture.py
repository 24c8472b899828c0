"""One outcome, prepared for export."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from inference.export.nameless import nameless
from inference.frame import Mask, Pixels
from inference.outcome import Outcome
from inference.sector import sector_mask


class Outside(StrEnum):
    """What to do with the picture outside the sector, where scanners burn in names and dates."""

    BLACK = "black"
    KEPT = "kept"


_OUTSIDE_BLACK = "Outside the sector set to black; text inside the sector, if any, is still there."
_OUTSIDE_KEPT = "Outside the sector kept, with any text burnt in there: check it for names."
_NO_SECTOR = "No sector stands out, so nothing was set to black: check the picture for names."


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """An outcome and how to show it.

    Attributes:
        outcome: the frame and the engine's answer; no sentence of it names a file.
        levels: (black, white) grey values of the display map, from the source's info.
        outside: what to do with the picture outside the sector.
        sector: (rows, cols), 1 inside, if the session knows it; None finds it in this frame.
        notes: further lines for every export, such as the phase.
        phase: the result of `safety.of_phase` for the phase of surgery.
        turned_over: (left-right, up-down) as on the screen. Pictures are flipped too and say so; DICOM is not flipped.
        inside: (rows, cols) uint8, 1 inside the sector: the given one, or the one found.
        pixels: (rows, cols) uint8, the frame as displayed, after the outside was blacked out if that was asked for.
        text_kept: True where text outside a sector may still be in `pixels`.
        outside_words: the sentence that says so.

    Raises:
        ValueError: if the sector is empty, or not of the frame's size.
    """

    outcome: Outcome
    levels: tuple[float, float]
    outside: Outside = Outside.BLACK
    sector: Mask | None = None
    notes: tuple[str, ...] = ()
    phase: tuple[str, ...] = ()
    turned_over: tuple[bool, bool] = (False, False)
    inside: Mask = field(init=False)
    pixels: NDArray[np.uint8] = field(init=False)
    text_kept: bool = field(init=False)
    outside_words: str = field(init=False)

    def __post_init__(self) -> None:
        """Map the grey values, and black out everything that must not be exported."""
        frame = self.outcome.frame
        inside = sector_mask([frame.pixels]) if self.sector is None else self.sector
        if inside.shape != frame.pixels.shape or not inside.any():
            raise ValueError(f"{inside.shape} is no sector of a frame of {frame.pixels.shape}")
        grey, words = displayed(frame.pixels, self.levels), _OUTSIDE_KEPT
        if self.outside is Outside.BLACK:
            words = _NO_SECTOR if inside.all() else _OUTSIDE_BLACK
            grey = np.where(inside > 0, grey, np.uint8(0))
        found = {
            "outcome": nameless(self.outcome),
            "inside": inside,
            "pixels": grey,
            "text_kept": words is not _OUTSIDE_BLACK,
            "outside_words": words,
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)  # the class is frozen


def displayed(pixels: Pixels, levels: tuple[float, float]) -> NDArray[np.uint8]:
    """Map grey values for display: black at levels[0], white at levels[1].

    Returns:
        (rows, cols) uint8; 8-bit pixels at levels 0-255 unchanged.
    """
    black, white = levels
    if pixels.dtype == np.uint8 and (black, white) == (0, 255):
        return np.asarray(pixels, np.uint8)
    scaled = (pixels.astype(np.float32) - np.float32(black)) * np.float32(255.0 / max(white - black, 1e-6))
    grey: NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return grey
