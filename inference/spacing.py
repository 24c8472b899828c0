"""How large a pixel is, and how we know."""

import math
from dataclasses import dataclass
from enum import StrEnum

from inference.errors import SpacingError


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
