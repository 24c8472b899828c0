"""The size of a pixel, and where it comes from."""

import math
from dataclasses import dataclass
from enum import StrEnum

from inference.errors import SpacingError

REMEDY = "calibrate, or type the mm per pixel"
"""What a user can do about an unknown scale; every such sentence ends with it."""
DEPTH_MM = (20.0, 400.0)
"""Range of depths that a probe's picture can have: from linear skin probes to abdominal probes."""
EXTRACT = 64
"""A picture with fewer rows than this is only a part of one, and its depth says nothing."""
PIXEL_MM = (0.005, 3.0)
"""Range of sizes that one of its pixels can have, mm."""


class Provenance(StrEnum):
    """Where a spacing comes from; stated with every mm² on screen, in files and in network messages."""

    DICOM_REGION = "dicom_region"
    """SequenceOfUltrasoundRegions (0018,6011), PhysicalDeltaX/Y in cm."""
    PIXEL_SPACING = "pixel_spacing"
    """DICOM PixelSpacing (0028,0030), row first, in mm."""
    HEADER = "header"
    """A volume's own header: NIfTI pixdim with a spatial code, MHA ElementSpacing, NRRD spacings."""
    MATRIX = "matrix"
    """Column norms of an image-to-world matrix."""
    TYPED = "typed"
    """Typed by the user."""
    RULER = "ruler"
    """Two points on the scanner's depth scale and their distance."""
    READ = "read"
    """Ruler and texts read from the scanner's screen, confirmed by the user."""
    PRESET = "preset"
    """Stored for this device, picture size and crop."""
    VOUCHED = "vouched"
    """Given by the user, on their word, for a stream whose depth is not watched."""
    EXACT = "exact"
    """Known by construction, for the simulated phantom."""

    @property
    def words(self) -> str:
        """The provenance in the screen's words."""
        return _WORDS[self]

    @property
    def confirmed(self) -> bool:
        """Whether a person stated it or it is known by construction. No other spacing is believed unchecked."""
        by_hand = (Provenance.TYPED, Provenance.RULER, Provenance.READ, Provenance.PRESET)
        return self in (*by_hand, Provenance.EXACT)


_WORDS = {
    Provenance.DICOM_REGION: "DICOM region",
    Provenance.PIXEL_SPACING: "DICOM pixel spacing",
    Provenance.HEADER: "file header",
    Provenance.MATRIX: "stream matrix",
    Provenance.TYPED: "typed",
    Provenance.RULER: "two-point ruler",
    Provenance.READ: "read from the screen, confirmed",
    Provenance.PRESET: "preset",
    Provenance.VOUCHED: "user's word, unwatched",
    Provenance.EXACT: "exact (simulated)",
}


@dataclass(frozen=True, slots=True)
class PixelSpacing:
    """The distance from one pixel to the next along each axis, mm. There is no default.

    Attributes:
        row_mm: distance between rows (down the picture), mm.
        col_mm: distance between columns (across the picture), mm.
        provenance: where the two numbers come from.

    Raises:
        SpacingError: if a value is not a positive finite number.
    """

    row_mm: float
    col_mm: float
    provenance: Provenance

    def __post_init__(self) -> None:
        """Refuse values that cannot be a spacing."""
        for axis, value in (("row", self.row_mm), ("column", self.col_mm)):
            if not (math.isfinite(value) and value > 0):
                said = f"{value:.3g} mm" if math.isfinite(value) else "no number"
                raise SpacingError(f"The {axis} spacing of {said} is not a length: calibrate, or type the right one.")

    @property
    def pixel_mm2(self) -> float:
        """Area of one pixel, mm²."""
        return self.row_mm * self.col_mm


def typed(text: str) -> PixelSpacing:
    """A scale typed as `ROW,COL` in mm, where nobody is asked whether it is meant.

    Raises:
        SpacingError: if it is none, or one that no ultrasound picture has, as of micrometres.
    """
    try:
        row_mm, col_mm = (float(value) for value in text.split(","))
    except ValueError as error:
        raise SpacingError(f"'{text}' is no spacing: give ROW,COL in mm, such as 0.2,0.2.") from error
    spacing = PixelSpacing(row_mm, col_mm, Provenance.TYPED)
    if not all(PIXEL_MM[0] <= value <= PIXEL_MM[1] for value in (row_mm, col_mm)):
        low, high = PIXEL_MM
        raise SpacingError(f"No ultrasound picture has pixels of {text} mm ({low:g} to {high:g}): give ROW,COL in mm.")
    return spacing


def admitted(
    spacing: PixelSpacing | None, reason: str, rows: int, *, name: str, either: int | None = None
) -> tuple[PixelSpacing | None, str]:
    """Check a scale that a file, a configuration or a stream states; every such scale has to pass here.

    Metres taken for millimetres, a spacing in units of pixels and a damaged number all imply a picture that no probe
    makes. Such a scale counts as unknown until a person types one.

    Args:
        spacing: the stated spacing, or None.
        reason: why there is none; empty otherwise.
        rows: height of the part that the probe drew, pixels.
        name: name of the file or stream, for the sentence.
        either: width in pixels if either side may be the depth, as in slices of a volume; None otherwise.

    Returns:
        The spacing, or None and the reason.
    """
    if spacing is None or spacing.provenance.confirmed:
        return spacing, reason
    depth_mm = rows * spacing.row_mm
    if either is not None:
        depth_mm = max(depth_mm, either * spacing.col_mm)
    whole = max(rows, either or 0) >= EXTRACT
    stated = f"{name} states pixels of {spacing.row_mm:.4g} × {spacing.col_mm:.4g} mm"
    low, high = PIXEL_MM
    if not (low <= spacing.row_mm <= high and low <= spacing.col_mm <= high):
        return None, f"{stated}, which no ultrasound picture has: {REMEDY}."
    if whole and not DEPTH_MM[0] <= depth_mm <= DEPTH_MM[1]:
        return None, f"{stated}, which makes a picture {depth_mm:.4g} mm deep, as no probe gives it: {REMEDY}."
    return spacing, reason
