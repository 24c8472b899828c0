"""Computes the scale from points on the scanner's own depth scale and the lengths between them."""

import math

from inference.errors import SpacingError
from inference.spacing import PixelSpacing, Provenance

Point = tuple[float, float]
Segment = tuple[Point, Point, float]
"""Two points, (x, y) in pixels, and the distance between them in mm."""
SHORTEST_PX = 20.0
"""A click is accurate to about half a pixel: at 20 px apart that is 5 % of the length and 10 % of the area."""
PARALLEL = 0.05
"""Least independence of two segments, as a share: below it, an error in a length grows tenfold on one axis."""


def ruler_spacing(first: Point, second: Point, length_mm: float, aspect: float = 1.0) -> PixelSpacing:
    """The scale from two points on the scanner's depth scale.

    Args:
        first: (x, y), pixels.
        second: (x, y), pixels.
        length_mm: true distance between them, mm.
        aspect: width of a pixel over its height, as the video states it; 1 (square pixels) if it states none.

    Raises:
        SpacingError: if the points are too close together, or the length is invalid.
    """
    distance = math.hypot(second[0] - first[0], second[1] - first[1])
    if distance < SHORTEST_PX:
        raise SpacingError("The two points are too close together: choose two that are far apart.")
    if not (math.isfinite(length_mm) and length_mm > 0):
        raise SpacingError("Type the length between the two points in mm.")
    row_mm = length_mm / math.hypot((second[0] - first[0]) * aspect, second[1] - first[1])
    return PixelSpacing(row_mm, row_mm * aspect, Provenance.RULER)


def axes_spacing(first: Segment, second: Segment) -> PixelSpacing:
    """The scale of non-square pixels, from two segments of known length that are not parallel.

    Each segment gives length² = (dy · row)² + (dx · col)²: together, two linear equations for row² and col².

    Raises:
        SpacingError: if a segment is too short or its length invalid, or if the two are parallel or contradict.
    """
    (a, b, u), (c, d, v) = _squares(first), _squares(second)
    span = a * d - b * c
    if abs(span) < PARALLEL * (a + b) * (c + d):
        raise SpacingError("The two pairs of points run alike: choose one pair down the picture and one across it.")
    row2, col2 = (u * d - v * b) / span, (a * v - c * u) / span
    if not (row2 > 0 and col2 > 0):
        raise SpacingError("The two lengths contradict each other: check both, and choose the points again.")
    return PixelSpacing(math.sqrt(row2), math.sqrt(col2), Provenance.RULER)


def _squares(segment: Segment) -> tuple[float, float, float]:
    """(dy², dx², length²) of a segment, checked as in `ruler_spacing`."""
    (x0, y0), (x1, y1), length = segment
    ruler_spacing((x0, y0), (x1, y1), length)
    return (y1 - y0) ** 2, (x1 - x0) ** 2, length**2


PLAUSIBLE_MM = (0.02, 1.0)
"""Range of mm per pixel that scanners give: from 20 mm of depth in 1000 lines to 250 mm in 250 lines."""


def implausible(spacing: PixelSpacing) -> str:
    """Why no scanner gives this scale, in one sentence with the numbers; empty if the scale is plausible."""
    low, high = PLAUSIBLE_MM
    if all(low <= value <= high for value in (spacing.row_mm, spacing.col_mm)):
        return ""
    return (
        f"That makes {per_pixel(spacing)}, but scanners give {low:g} to {high:g}: "
        "check the points, the length and its unit (mm)."
    )


def per_pixel(spacing: PixelSpacing) -> str:
    """The scale for people to read, such as `0.134 mm per pixel`; rows first if the axes differ."""
    row, col = f"{spacing.row_mm:.3g}", f"{spacing.col_mm:.3g}"
    return f"{row} mm per pixel" if row == col else f"{row} × {col} mm per pixel"


def number(text: str) -> float:
    """A typed number, with a point or a comma; NaN for anything else."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan
