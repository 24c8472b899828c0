"""A contour corrected by the user on a frame that stands. It never counts as the model's, which stays as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from inference.frame import Frame, Mask
from inference.outcome import NothingFound, Outcome, Tumour
from inference.recording.judgements import KeptCorrection
from inference.recording.schema import Corrector
from inference.ruler import Point
from inference.spacing import PixelSpacing

CORRECTED = "CORRECTED BY USER"
BRUSHES_MM = (1.0, 2.0, 3.0, 5.0, 8.0)
"""Radii of the brush, mm."""
UNSCALED_PX = 6.0
"""Pixels that a millimetre of the brush covers where the scale is unknown; nothing is measured with it."""


class Gesture(StrEnum):
    """One way to correct a contour."""

    PUSH = "push"
    CUT = "cut"
    ADD = "add"
    ERASE = "erase"


def brush_px(radius_mm: float, spacing: PixelSpacing | None) -> tuple[float, float]:
    """Radii (x, y) in pixels of a brush that is round in the body; round in the picture where the scale is unknown."""
    if spacing is None:
        return radius_mm * UNSCALED_PX, radius_mm * UNSCALED_PX
    return radius_mm / spacing.col_mm, radius_mm / spacing.row_mm


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """The corrected masks of one frame.

    Attributes:
        frame: the frame.
        masks: (rows, cols) 0/1: the model's, then one after each gesture; at least one.
        outlines: of the last mask, each (n, 2) float32 of (x, y) in pixels.
        touches_edge: whether the edge of sector or picture cuts it, so that its area is a lower bound.
        who: who corrected it; what was carried from another frame stays marked as such, whatever is done to it.
    """

    frame: Frame
    masks: tuple[Mask, ...]
    outlines: tuple[NDArray[np.float32], ...] = ()
    touches_edge: bool = False
    who: Corrector = Corrector.USER

    @property
    def mask(self) -> Mask:
        """The corrected mask."""
        return self.masks[-1]

    @property
    def changed(self) -> bool:
        """Whether anything is corrected."""
        return len(self.masks) > 1

    @property
    def area_mm2(self) -> float | None:
        """Its area, mm²; None without a scale."""
        spacing = self.frame.spacing
        return None if spacing is None else int(np.count_nonzero(self.mask)) * spacing.pixel_mm2

    @property
    def words(self) -> str:
        """That the contour is the user's, and its area; empty if nothing is corrected."""
        if not self.changed:
            return ""
        if not self.mask.any():
            return f"{CORRECTED}: nothing there"
        area = self.area_mm2
        if area is None:
            return f"{CORRECTED}: scale unknown"
        return f"{CORRECTED}: {'≥ ' if self.touches_edge else ''}{area:.0f} mm²"

    def made(self, gesture: Gesture, stroke: Sequence[Point], radius_mm: float) -> "Correction":
        """The correction after a gesture; the same one if that changes nothing.

        Args:
            gesture: what the stroke does.
            stroke: at least one (x, y), pixels.
            radius_mm: radius of the brush that pushes, mm.
        """
        from inference.readout import gestures  # imports OpenCV: only after the window has appeared

        match gesture:
            case Gesture.PUSH:
                mask = gestures.push(self.mask, stroke, brush_px(radius_mm, self.frame.spacing))
            case Gesture.CUT:
                mask = gestures.cut(self.mask, stroke)
            case Gesture.ADD:
                mask = gestures.add(self.mask, stroke)
            case Gesture.ERASE:
                mask = gestures.erase(self.mask, stroke)
        return self if np.array_equal(mask, self.mask) else self._with(*self.masks, mask)

    def taken(self, mask: Mask, who: Corrector) -> "Correction":
        """The correction with a mask that was made elsewhere: carried here and confirmed, or read from a record."""
        return replace(self, who=who)._with(*self.masks, mask)

    def upon(self, answer: Outcome) -> "Correction":
        """The same over a newer answer to its frame, of another model or all mirrors: undoing leads back to that."""
        anew = begun(answer)
        return self if anew is None else replace(self, masks=(anew.mask, *self.masks[1:]))

    def undone(self) -> "Correction":
        """The correction without its last gesture."""
        if not self.changed:
            return self
        who = self.who if len(self.masks) > 2 else Corrector.USER  # the model's contour itself was never carried
        return replace(self, who=who)._with(*self.masks[:-1])

    def _with(self, *masks: Mask) -> "Correction":
        """The same with these masks, and the outlines of the last one."""
        outlines, touches_edge = traced(self.frame, masks[-1])
        return replace(self, masks=masks, outlines=outlines, touches_edge=touches_edge)


def begun(outcome: Outcome) -> Correction | None:
    """A correction of this answer's mask, or of an empty one if nothing was found; None for a frame without an answer.

    A frame that a guard forbids to analyse, or that has not been analysed, is not corrected either.
    """
    match outcome:
        case Tumour():
            return Correction(outcome.frame, (outcome.mask,), *traced(outcome.frame, outcome.mask))
        case NothingFound():
            return Correction(outcome.frame, (np.zeros(outcome.frame.pixels.shape, np.uint8),))
        case _:
            return None


def traced(frame: Frame, mask: Mask) -> tuple[tuple[NDArray[np.float32], ...], bool]:
    """The outlines of a person's mask on this frame, and whether the edge of sector or picture cuts it."""
    from inference.model.segmentation import regions_of  # imports OpenCV: only after the window has appeared

    # A mask has no margin: its outline runs halfway between its own pixels and the others.
    regions = regions_of(mask, mask - np.float32(0.5), frame, None)
    outlines = tuple(line for region in regions for line in region.contours)
    return outlines, any(region.touches_edge for region in regions)


class Corrections:
    """The corrections of one source, a frame each, for as long as it is open."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, float], Correction] = {}
        self._recorded: dict[int, KeptCorrection] = {}
        self._of_record: frozenset[int] = frozenset()
        self._taken_back: dict[tuple[int, float], Correction] = {}

    @property
    def by_number(self) -> dict[int, tuple[Mask | None, Corrector]]:
        """The (rows, cols) 0/1 masks of a record's frames that were corrected since it was opened, and by whom.

        Of one that was taken back there is None: the record's own answer may be another than the one on the screen.
        """
        kept = {**self._taken_back, **self._kept}
        return {made.frame.index: (made.mask if made.changed else None, made.who) for made in kept.values()}

    def recall(self, recorded: Mapping[int, KeptCorrection]) -> None:
        """Take over those that the open record holds, by the number of their frame."""
        self._recorded, self._of_record = dict(recorded), frozenset(recorded)

    def keep(self, correction: Correction) -> None:
        """Keep the correction of its frame; one that changes nothing is forgotten."""
        key = frame_key(correction.frame)
        if correction.changed:
            self._kept[key] = correction
        elif self._kept.pop(key, None) is not None and key[0] in self._of_record:
            self._taken_back[key] = correction

    def of(self, frame: Frame) -> Correction | None:
        """The correction of this frame, at the scale that it has now; None if there is none."""
        kept = self._kept.get(frame_key(frame)) or self._recalled(frame)
        if kept is None or kept.mask.shape != frame.pixels.shape:
            return None
        if kept.frame is not frame:
            kept = self._kept[frame_key(frame)] = replace(kept, frame=frame)
        return kept

    def clear(self) -> None:
        """Forget all, for another source."""
        self._kept.clear()
        self._recorded.clear()
        self._taken_back.clear()
        self._of_record = frozenset()

    def _recalled(self, frame: Frame) -> Correction | None:
        """The correction that the record holds of this frame, from now on one like any other."""
        one = None if frame.origin.live else self._recorded.pop(frame.index, None)
        if one is None or one.mask.shape != frame.pixels.shape:
            return None
        recalled = Correction(frame, (one.answer, one.mask), *traced(frame, one.mask), one.who)
        self.keep(recalled)
        return recalled


def same_frame(one: Frame, other: Frame) -> bool:
    """Whether both are the same frame of a source, even if it was read again in between."""
    return frame_key(one) == frame_key(other)


def frame_key(frame: Frame) -> tuple[int, float]:
    """What tells a source's frames apart: a recording shows the same frame again, a live source never."""
    return frame.index, frame.captured_at if frame.origin.live else 0.0
