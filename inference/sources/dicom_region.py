"""Which part of a DICOM ultrasound picture is B-mode, and how large its pixels are."""

import math
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from inference.errors import ChoiceError
from inference.spacing import REMEDY, PixelSpacing, Provenance

WHOLE = -1
"""Used in place of a region's number: the whole picture, which has no scale of its own."""
PICK = "choose one of them"
"""How a sentence ends to which the regions belong that can be picked."""
MIDDLE = 0.05
"""Share of the picture's side within which a region lies in its middle."""
ROUNDING = 1e-6
"""Relative difference allowed between the scales of two files of one clip."""
DISAGREEMENT = 0.01
"""Relative difference allowed between a region's scale and the pixel spacing; beyond it nobody knows which is right."""
SPATIAL_2D = 1
TISSUE = 1
CENTIMETRES = 3
"""PhysicalUnitsX/YDirection: centimetres, the only unit of length (PS3.3 C.8.5.5.1.15)."""


@dataclass(frozen=True, slots=True)
class Pane:
    """The part of a picture that is analysed.

    Attributes:
        box: (x0, y0, x1, y1) pixels, ends excluded; None for the whole picture.
        spacing: mm per pixel, or None.
        reason: one sentence on why there is no spacing; else empty.
    """

    box: tuple[int, int, int, int] | None
    spacing: PixelSpacing | None
    reason: str

    def is_like(self, other: "Pane") -> bool:
        """Whether box and scale are equal except for rounding."""
        mine, theirs = self.spacing, other.spacing
        if self.box != other.box or (mine is None) != (theirs is None):
            return False
        if mine is None or theirs is None:
            return True
        return _close((mine.row_mm, mine.col_mm), (theirs.row_mm, theirs.col_mm))


def pane_of(dataset: Dataset, region: int | None, name: str) -> Pane:
    """The 2D tissue region of a picture, and its scale.

    From SequenceOfUltrasoundRegions (0018,6011), or from PixelSpacing (0028,0030) if there are no regions.

    Args:
        dataset: one DICOM file.
        region: number in the sequence, from 0; `WHOLE`; None if the file must be unambiguous.
        name: name of the file, for the sentences.

    Raises:
        ChoiceError: if there are several tissue regions and none was chosen, or the chosen one is not tissue.
    """
    if region == WHOLE:
        return Pane(None, None, f"The whole picture of {name} has no scale of its own: {REMEDY}.")
    regions = list(dataset.get("SequenceOfUltrasoundRegions") or [])
    tissue = {number: item for number, item in enumerate(regions) if _is_tissue(item)}
    if region is not None and region not in tissue:
        pick = PICK if tissue else "leave the region out"
        raise ChoiceError(f"{name} has no such B-mode region: {pick}.", regions_of(dataset))
    if not regions:
        return _pixel_spacing(dataset, name)
    if not tissue:
        return Pane(None, None, f"None of the regions in {name} is a 2D picture of tissue: {REMEDY}.")
    boxes = {number: _box(item, dataset) for number, item in tissue.items()}
    if None in boxes.values():
        reason = f"{name} was resized: its regions lie outside the picture, so their scale is void: {REMEDY}."
        return Pane(None, None, reason)
    if len(tissue) > 1 and region is None:
        raise ChoiceError(f"{name} shows {len(tissue)} pictures: {PICK}.", regions_of(dataset))
    number = next(iter(tissue)) if region is None else region
    spacing = _region_spacing(tissue[number])
    if spacing is None:
        return Pane(boxes[number], None, f"The region in {name} gives no length in centimetres: {REMEDY}.")
    other = _other_spacing(regions, dataset) or _other_shape(spacing, dataset)
    return _unless_denied(Pane(boxes[number], spacing, ""), "region", other, name)


def _unless_denied(pane: Pane, what: str, other: str, name: str) -> Pane:
    """The pane without its scale, which `what` gave, if something else in the file denies it: `other`, in words."""
    if pane.spacing is None or not other:
        return pane
    said = f"its {what} says {pane.spacing.row_mm:.3g} × {pane.spacing.col_mm:.3g} mm and its {other}"
    return Pane(pane.box, None, f"{name} contradicts itself, {said}: {REMEDY}.")


def _other_spacing(regions: list[Dataset], dataset: Dataset) -> str:
    """The pixel spacing in words if it is none of the regions' scales; of several regions it can be one's only."""
    stated = _stated_spacing(dataset)
    if stated is None or stated == (1, 1):
        return ""
    scales = [(scale.row_mm, scale.col_mm) for scale in map(_region_spacing, regions) if scale is not None]
    if any(_close(stated, scale, DISAGREEMENT) for scale in scales):
        return ""
    return f"pixel spacing {stated[0]:.3g} × {stated[1]:.3g} mm"


def _other_shape(spacing: PixelSpacing, dataset: Dataset) -> str:
    """The aspect ratio in words if it denies the scale's; 1:1 is what exporters write who have not looked."""
    stated = pixel_aspect(dataset)
    if stated == 1 or math.isclose(stated, spacing.col_mm / spacing.row_mm, rel_tol=DISAGREEMENT):
        return ""
    return f"aspect ratio pixels {stated:.3g} times as wide as high"


def _is_tissue(region: Dataset) -> bool:
    return (region.get("RegionSpatialFormat"), region.get("RegionDataType")) == (SPATIAL_2D, TISSUE)


def _corners(region: Dataset) -> list[Any]:
    return [region.get(f"RegionLocation{corner}") for corner in ("MinX0", "MinY0", "MaxX1", "MaxY1")]


def regions_of(dataset: Dataset) -> tuple[tuple[int, str], ...]:
    """Number, from 0, and words of each tissue region, as in `Region 1 (left): 2D, 0.15 mm per pixel`."""
    regions = enumerate(dataset.get("SequenceOfUltrasoundRegions") or [])
    return tuple((number, _words(number, region, dataset)) for number, region in regions if _is_tissue(region))


def _words(number: int, region: Dataset, dataset: Dataset) -> str:
    """Where the region is and how large its pixels are; people count from 1."""
    box, spacing = _box(region, dataset), _region_spacing(region)
    place = "" if box is None else f" ({_place(box, int(dataset.Rows), int(dataset.Columns))})"
    scale = "scale unknown" if spacing is None else f"{spacing.row_mm:.3g} mm per pixel"
    return f"Region {number + 1}{place}: 2D, {scale}"


def _place(box: tuple[int, int, int, int], rows: int, cols: int) -> str:
    """Where most of the box lies in the picture: left, right, top, bottom or middle."""
    x0, y0, x1, y1 = box
    across, down = (x0 + x1) / (2 * cols) - 0.5, (y0 + y1) / (2 * rows) - 0.5
    if max(abs(across), abs(down)) < MIDDLE:
        return "middle"
    if abs(across) >= abs(down):
        return "left" if across < 0 else "right"
    return "top" if down < 0 else "bottom"


def _box(region: Dataset, dataset: Dataset) -> tuple[int, int, int, int] | None:
    """The region's box, or None if it isn't inside the picture.

    Corners are inclusive (C.8.5.5.1.1), but scanners also write the first pixel outside: 800 in a picture of 800.
    """
    corners = _corners(region)
    if None in corners:
        return None
    x0, y0, x1, y1 = (int(corner) for corner in corners)
    rows, cols = int(dataset.Rows), int(dataset.Columns)
    inside = 0 <= x0 < x1 <= cols and 0 <= y0 < y1 <= rows
    return (x0, y0, min(x1 + 1, cols), min(y1 + 1, rows)) if inside else None


def _region_spacing(region: Dataset) -> PixelSpacing | None:
    """PhysicalDeltaX/Y in cm per pixel; negative if the axis runs up or left."""
    units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
    deltas = (region.get("PhysicalDeltaX"), region.get("PhysicalDeltaY"))
    if units != (CENTIMETRES, CENTIMETRES) or None in deltas:
        return None
    col_mm, row_mm = (10 * abs(float(delta)) for delta in deltas)
    return _spacing(row_mm, col_mm, Provenance.DICOM_REGION)


def _pixel_spacing(dataset: Dataset, name: str) -> Pane:
    stated = _stated_spacing(dataset)
    if stated is None:
        return Pane(None, None, f"{name} carries neither ultrasound regions nor a pixel spacing: {REMEDY}.")
    if float(stated[0]) == float(stated[1]) == 1:
        return Pane(None, None, f"The pixel spacing of {name} is 1, 1, which counts pixels: {REMEDY}.")
    spacing = _spacing(float(stated[0]), float(stated[1]), Provenance.PIXEL_SPACING)
    if spacing is None:
        return Pane(None, None, f"{name} states a pixel spacing of {stated[0]}, {stated[1]} mm: {REMEDY}.")
    return _unless_denied(Pane(None, spacing, ""), "pixel spacing", _other_shape(spacing, dataset), name)


def pixel_aspect(dataset: Dataset) -> float:
    """Width of a pixel over its height from PixelAspectRatio (0028,0034), height first; 1 if it does not say."""
    stated = _pair(dataset.get("PixelAspectRatio"))
    return stated[1] / stated[0] if stated is not None and min(stated) > 0 else 1.0


def _stated_spacing(dataset: Dataset) -> tuple[float, float] | None:
    """(row, col) mm from PixelSpacing (0028,0030), or from pixel measures if all frames agree (C.7.6.16.2.1)."""
    kinds = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
    groups = [group for kind in kinds for group in dataset.get(kind) or []]
    measures = [item for group in groups for item in group.get("PixelMeasuresSequence") or []]
    found = [_pair(item.get("PixelSpacing")) for item in (dataset, *measures) if "PixelSpacing" in item]
    if not found or found[0] is None:
        return None
    agreed = all(pair is not None and _close(pair, found[0]) for pair in found)
    return found[0] if agreed else None


def _pair(value: object) -> tuple[float, float] | None:
    if not isinstance(value, MultiValue) or len(value) != 2:
        return None
    return float(value[0]), float(value[1])


def _close(first: tuple[float, float], second: tuple[float, float], within: float = ROUNDING) -> bool:
    return all(math.isclose(one, other, rel_tol=within) for one, other in zip(first, second, strict=True))


def _spacing(row_mm: float, col_mm: float, provenance: Provenance) -> PixelSpacing | None:
    good = all(math.isfinite(value) and value > 0 for value in (row_mm, col_mm))
    return PixelSpacing(row_mm, col_mm, provenance) if good else None
