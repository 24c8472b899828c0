"""A record as it may leave the department: without date, device and file name, and black outside the sector."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from msgspec import structs

from inference.crop import Rect, crop
from inference.errors import OutputError
from inference.frame import Frame, Mask
from inference.outcome import NothingFound, Outcome, Tumour
from inference.recording.schema import Opening, patients_code
from inference.sector import sector_mask
from inference.sources.base import read_or_black
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing

LOOKED_AT = 64
"""Frames from which the sector is found, spread over the record: text that shows in any one of them counts."""
NO_SECTOR = "{name}: nothing says where its sector is, so that names might stay: open it, and crop it (C)."


class DeidentifiedRecord(RecordSource):
    """A record whose every frame is black outside the sector, and outside the crop kept for its scanner.

    Args:
        path: the file.
        rect: the crop kept for its scanner; None if none is.
        typed: the user's own spacing; takes precedence over the record's.

    Raises:
        FormatError: if it is not a record, or holds no frame.
        OutputError: if neither a crop nor a sector says where names cannot be.
    """

    def __init__(self, path: Path, rect: Rect | None, *, typed: PixelSpacing | None = None) -> None:
        super().__init__(path, typed=typed)
        self._inside: Mask | None = None
        # Its origin would name the file, and so the time of the operation.
        self._info = replace(self._info, origin=replace(self._info.origin, name=self.opening.case_code or "record"))
        try:
            self._inside = self._find_inside(rect)
        except OutputError:
            self.close()
            raise

    def read(self, index: int) -> Frame:
        """Frame `index`, black outside the sector."""
        frame = super().read(index)
        frame = replace(
            frame,
            no_spacing_reason=self._nameless(frame.no_spacing_reason),
            no_pose_reason=self._nameless(frame.no_pose_reason),
        )
        if self._inside is None:
            return frame
        return replace(frame, pixels=frame.pixels * self._inside.astype(frame.pixels.dtype))

    def outcome(self, index: int) -> Outcome | None:
        """The outcome recorded for a frame, in words that name no device."""
        outcome = super().outcome(index)
        if outcome is None or isinstance(outcome, Tumour | NothingFound):
            return outcome
        return replace(outcome, sentence=self._nameless(outcome.sentence))

    @property
    def opening(self) -> Opening:
        """What is true of the whole record, without a code that is the day of the operation."""
        opening = super().opening
        return structs.replace(opening, case_code=patients_code(opening.case_code))

    @property
    def inside(self) -> Mask | None:
        """(rows, cols) 0/1: outside it every frame is black."""
        return self._inside

    def _nameless(self, sentence: str) -> str:
        """A sentence without the name of the scanner or stream, which its room or its owner may be called by."""
        device = self.opening.device
        return re.sub(rf"(?<!\w){re.escape(device)}(?!\w)", "the source", sentence) if device else sentence

    def _find_inside(self, rect: Rect | None) -> Mask:
        """Where the probe drew: the sector inside the crop. Where no sector stands out there, the crop itself."""
        if rect is not None and not rect.fits(self.opening.rows, self.opening.cols):
            rect = None
        if rect is None and self.opening.crop is not None:
            rect = Rect(*self.opening.crop)
        step = max(1, len(self) // LOOKED_AT)
        return inside_of([read_or_black(self, index) for index in range(0, len(self), step)], rect, self.name)

    @property
    def name(self) -> str:
        """The file's name, for this computer's user alone."""
        return self._reader.name


def inside_of(frames: Sequence[Frame], rect: Rect | None, name: str) -> Mask:
    """The part of frames where no name can be: the sector, inside the crop if there is one.

    Args:
        frames: at least one, of one shape.
        rect: the crop kept for their scanner; None if none is.
        name: what they are, for the error.

    Returns:
        (rows, cols) uint8: 1 inside. Where no sector stands out in a crop, all of the crop.

    Raises:
        OutputError: if neither a crop nor a sector says where names cannot be.
    """
    inside = sector_mask([crop(frame, rect).pixels for frame in frames])
    if rect is not None:
        kept: Mask = np.zeros_like(inside)
        kept[rect.where] = inside[rect.where]
        return kept
    if inside.all():
        raise OutputError(NO_SECTOR.format(name=name))
    return inside
