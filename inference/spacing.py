"""How large a pixel is, and how we know."""

import math
from dataclasses import dataclass
from enum import StrEnum

from inference.errors import SpacingError

REMEDY = "calibrate, or type the mm per pixel"
"""What a user can do about an unknown scale; ends every such sentence."""
DEPTH_MM = (20.0, 400.0)
"""How deep a picture of a probe can be: linear probes of the skin begin, abdominal ones end there."""
EXTRACT = 64
"""Rows below which a picture is a piece of one, whose depth says nothing."""
PIXEL_MM = (0.005, 3.0)
"""How large one of its pixels can be."""


class Provenance(StrEnum):
    """Where a spacing comes from; named beside every mm² on screen, in files and on the wire."""

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
    PRESET = "preset"
    """Stored for this device, picture size and crop."""
    VOUCHED = "vouched"
    """Given by the user for a stream whose depth nobody can watch, on the user's word."""
    EXACT = "exact"
    """Known by construction: the simulated phantom."""

    @property
    def words(self) -> str:
        """The provenance as the screen says it."""
        return _WORDS[self]

    @property
    def confirmed(self) -> bool:
        """Whether a person has said so, or it is known by construction: nothing else is believed unseen."""
        return self in (Provenance.TYPED, Provenance.RULER, Provenance.PRESET, Provenance.EXACT)


_WORDS = {
    Provenance.DICOM_REGION: "DICOM region",
    Provenance.PIXEL_SPACING: "DICOM pixel spacing",
    Provenance.HEADER: "file header",
    Provenance.MATRIX: "stream matrix",
    Provenance.TYPED: "typed",
    Provenance.RULER: "two-point ruler",
    Provenance.PRESET: "preset",
    Provenance.VOUCHED: "user's word, unwatched",
    Provenance.EXACT: "exact (simulated)",
}


@dataclass(frozen=True, slots=True)
class PixelSpacing:
    """Millimetres from one pixel to the next, per axis. There is no default.

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
        """Refuse what cannot be a spacing."""
        for axis, value in (("row", self.row_mm), ("column", self.col_mm)):
            if not (math.isfinite(value) and value > 0):
                said = f"{value:.3g} mm" if math.isfinite(value) else "no number"
                raise SpacingError(f"The {axis} spacing of {said} is not a length: calibrate, or type the right one.")

    @property
    def pixel_mm2(self) -> float:
        """Area of one pixel, mm²."""
        return self.row_mm * self.col_mm


def admitted(
    spacing: PixelSpacing | None, reason: str, rows: int, *, name: str, either: int | None = None
) -> tuple[PixelSpacing | None, str]:
    """The one door for every scale that a file, a configuration or a stream states.

    Metres taken for millimetres, a spacing that counts pixels and a damaged number all make a picture that no probe
    gives. Such a scale is unknown until a person types it.

    Args:
        spacing: as stated, or None.
        reason: why there is none; empty otherwise.
        rows: height of what the probe drew, pixels.
        name: of the file or stream, for the sentence.
        either: width in pixels where either side may be the depth, as in slices of a volume; None otherwise.

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
