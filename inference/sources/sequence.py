"""Tracked ultrasound sequences of PLUS (.igs.mha, .igs.nrrd) and 3D Slicer (.seq.nrrd): native frames, 2D+t."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np

from inference.display import display_levels
from inference.errors import FormatError
from inference.frame import ColourMap, Frame, Mask, Origin, Pixels, View
from inference.nifti import picture_header, write_mask_nifti
from inference.sector import spread
from inference.source_info import SourceInfo
from inference.sources.colour import colour_map
from inference.sources.grid import SKEW, is_skew
from inference.sources.orientation import Orientation
from inference.sources.pixels import as_pixels, luma
from inference.sources.plus_config import config_spacing
from inference.sources.recorded import Recorded
from inference.sources.sequence_file import read_sequence
from inference.spacing import REMEDY, PixelSpacing, Provenance

SAMPLED = 16
"""Number of frames examined for the display levels."""


class SequenceSource(Recorded):
    """The valid frames of a sequence, with the probe on top and its marked side right, however they are stored.

    Args:
        path: the file.
        config: the PLUS configuration it was recorded with, for the scale; takes precedence over the file's own.
        typed: the user's own spacing; takes precedence over everything.

    Raises:
        SourceError: if the file or the configuration cannot be read, or holds no valid B-mode picture.
    """

    def __init__(self, path: Path, *, config: Path | None = None, typed: PixelSpacing | None = None) -> None:
        self._stack = stack = read_sequence(path)
        if stack.texts.get("ultrasoundimagetype", "").upper().startswith("RF"):
            raise FormatError(f"{path.name} holds radio-frequency data, no pictures: record the B-mode image.")
        self._orientation = Orientation.parse(stack.texts.get("ultrasoundimageorientation", ""), path.name)
        self._kept = [frame for frame in range(len(stack.pictures)) if frame not in stack.invalid]
        if not self._kept:
            raise FormatError(f"All {len(stack.pictures)} frames of {path.name} are marked invalid: record it again.")
        self._times_s = _clock([stack.seconds.get(frame, math.nan) for frame in self._kept])
        super().__init__(self._described(path.name, config), typed)

    def __len__(self) -> int:
        """Number of valid frames."""
        return len(self._kept)

    def read(self, index: int) -> Frame:
        """Frame `index`, from 0, with the file's time for it, counted from the first valid frame.

        Raises:
            IndexError: outside the source.
        """
        frame = super().read(index)
        return replace(frame, time_s=self._times_s[index] if self._times_s else None)

    def save_masks(self, masks: list[Mask], path: str) -> None:
        """Write the masks on the file's own pixels, flipped back: (columns, rows, frames), invalid frames empty.

        They use the file's grid if it states a scale; otherwise they have no position.

        Raises:
            OutputError: if the file cannot be written.
        """
        volume = np.zeros(self._stack.pictures.shape[:3], np.uint8)
        for frame, mask in zip(self._kept, masks, strict=True):
            volume[frame] = self._orientation.stored(mask)
        write_mask_nifti(volume.T, self._header(), path)

    def _pixels(self, index: int) -> Pixels:
        return self._seen(index)[0]

    def _seen(self, index: int) -> tuple[Pixels, ColourMap | None]:
        picture = as_pixels(self._orientation.shown(self._stack.pictures[self._kept[index]]))
        if picture.ndim == 2:
            return picture, None
        return luma(picture) if picture.shape[2] > 1 else picture[..., 0], colour_map(picture)

    def _described(self, name: str, config: Path | None) -> SourceInfo:
        samples = [self._pixels(index) for index in spread(len(self), SAMPLED)]
        spacing, reason = self._scale(name, config)
        duration_s = self._times_s[-1] if self._times_s else 0
        comment = self._stack.texts.get("comment", self._stack.texts.get("content", ""))
        return SourceInfo(
            origin=Origin(name, View.NATIVE, simulated=comment.startswith("SIMULATED")),
            rows=samples[0].shape[0],
            cols=samples[0].shape[1],
            spacing=spacing,
            no_spacing_reason=reason,
            levels=display_levels(np.stack(samples)),
            fps=(len(self) - 1) / duration_s if duration_s else None,
            notice=self._left_out(name),
        )

    def _left_out(self, name: str) -> str:
        """What the user has to know about frames that are marked invalid; empty if there are none."""
        all_frames = len(self._stack.pictures)
        left = all_frames - len(self._kept)
        return f"{left} of {all_frames} frames of {name} are marked invalid and left out." if left else ""

    def _scale(self, name: str, config: Path | None) -> tuple[PixelSpacing | None, str]:
        """The spacing stated by configuration or header, or the reason why there is none."""
        if self._orientation.transposed:
            # Lines of a curved probe diverge: one width for all depths would be wrong (PLUS refuses to reorder them).
            return (
                None,
                f"{name} stores scan lines, which have no scale before scan conversion: convert it, or {REMEDY}.",
            )
        if config is not None:
            return config_spacing(config), ""
        across, down = self._stack.spacing
        if across is not None and down is not None and is_skew(self._stack.header, "ij"):
            return None, SKEW.format(name, "i and j")
        if across is not None and down is not None:
            return PixelSpacing(down, across, Provenance.HEADER), ""
        note = self._stack.note
        return None, f"{name} states no scale ({note}): give its PLUS configuration, {REMEDY}."

    def _header(self) -> nib.Nifti1Header:
        """Header of the masks: the file's grid, or that of pictures without a position."""
        if None not in self._stack.spacing:
            return self._stack.header
        spacing = self._info.spacing
        if spacing is not None and self._orientation.transposed:
            spacing = PixelSpacing(spacing.col_mm, spacing.row_mm, spacing.provenance)
        return picture_header(spacing)


def _clock(seconds: Sequence[float]) -> list[float]:
    """Times since the first frame; none unless each frame has one and they increase."""
    forward = all(before <= after for before, after in pairwise(seconds))
    if not (forward and all(map(math.isfinite, seconds)) and (len(seconds) == 1 or seconds[-1] > seconds[0])):
        return []
    return [time - seconds[0] for time in seconds]
