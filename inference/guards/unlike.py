"""Unlike the training data: spacing, size or intensities that the model did not see. Analysed, but with a warning."""

import numpy as np

from inference.contract import Seen
from inference.frame import Frame
from inference.guards.thumbnail import Thumbnail

ROUNDING = 0.01
"""Relative tolerance for a spacing that was rounded by another file format."""
OUTSIDE = 0.25
"""Tolerated share of grey values outside the range: the range itself excludes one in a hundred, and gain shifts all."""
SAMPLED = 20_000
"""About this many grey values are looked at."""


def unlike_training(thumbnail: Thumbnail) -> str:
    """The sentence for a frame unlike the training data; empty otherwise, and while no model is loaded."""
    return "" if thumbnail.seen is None else unlike(thumbnail.frame, thumbnail.seen)


def unlike(frame: Frame, seen: Seen) -> str:
    """How this frame differs from the model's training data, in one sentence; empty if it does not."""
    named = [*_spacing(frame, seen), *_size(frame, seen), *_intensity(frame, seen)]
    return f"The model saw no such picture in training: {', '.join(named)}." if named else ""


def _spacing(frame: Frame, seen: Seen) -> list[str]:
    if frame.spacing is None:
        return []
    low, high = seen.spacing_mm
    sides = (frame.spacing.row_mm, frame.spacing.col_mm)
    if min(sides) >= low * (1 - ROUNDING) and max(sides) <= high * (1 + ROUNDING):
        return []
    row, col = f"{sides[0]:.2g}", f"{sides[1]:.2g}"
    return [f"{row if row == col else f'{row} × {col}'} mm per pixel (seen: {low:.2g} to {high:.2g})"]


def _size(frame: Frame, seen: Seen) -> list[str]:
    """Check the size: of the whole frame for too small, of the part that is not black for too large.

    The black around a sector is cut off before analysis.
    """
    rows, cols = np.flatnonzero(frame.pixels.any(axis=1)), np.flatnonzero(frame.pixels.any(axis=0))
    if not rows.size:
        return []
    content = (int(rows[-1] - rows[0]) + 1, int(cols[-1] - cols[0]) + 1)
    small = frame.rows < seen.rows[0] or frame.cols < seen.cols[0]
    if not small and content[0] <= seen.rows[1] and content[1] <= seen.cols[1]:
        return []
    shown = (frame.rows, frame.cols) if small else content
    ranges = " × ".join(f"{low} to {high}" for low, high in (seen.cols, seen.rows))
    return [f"{shown[1]} × {shown[0]} pixels (seen: {ranges})"]


def _intensity(frame: Frame, seen: Seen) -> list[str]:
    every = max(1, frame.pixels.size // SAMPLED)
    values = frame.pixels.reshape(-1)[::every]
    values = values[values != 0]
    low, high = seen.intensity
    outside = float(np.mean((values < low) | (values > high))) if values.size else 0.0
    return (
        [] if outside <= OUTSIDE else [f"{100 * outside:.0f} % of the grey values not between {low:.0f} and {high:.0f}"]
    )
