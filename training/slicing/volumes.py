"""Ultrasound volumes, native sweeps and their masks, read as arrays with their spacing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray
from scipy import ndimage

from inference.errors import ChoiceError, FormatError
from inference.sources.complaints import heard
from inference.sources.dicom_pixels import DicomPixels, damage_told
from inference.sources.dicom_region import pane_of
from inference.spacing import REMEDY, admitted
from training.cohort.mask_checks import check_classes, check_mask
from training.io.dicom import read_dicom
from training.registration.volume import read_image, read_placed

ISOTROPIC_TOLERANCE = 1.02
"""A volume counts as isotropic if its largest spacing is within this factor of its smallest."""
SECTOR_THRESHOLD = 8
"""Grey level (of 255) that a pixel inside the sector exceeds at least once: JPEG noise outside stays below."""
_GRID_TOLERANCE_MM = 1e-2


AXES = ("k", "j", "i")
"""The axes of an array, by NIfTI's names."""
Slicing = Literal["isotropic", "native", "as-published"]
"""`isotropic`: anisotropic volumes become cubes first. `native`: its own grid. `as-published`: the native grid, each
slice with the volume's first two zooms whatever its direction, as the authors' code does: where the spacing is
anisotropic its mm² are wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """An image stack with its tumour mask on the same grid.

    Attributes:
        image: (k, j, i) float32, exactly 0 outside the sector.
        mask: (k, j, i) bool.
        cavity: (k, j, i) bool, where the resection cavity is and no tumour; None where nobody drew it.
        spacing: mm along (k, j, i); NaN along k for a sweep, whose frames have no known distance.
        as_published: whether slices get the zooms of the volume's first two axes.
    """

    image: NDArray[np.float32]
    mask: NDArray[np.bool_]
    spacing: tuple[float, float, float]
    as_published: bool = False
    cavity: NDArray[np.bool_] | None = None

    def plane_mm(self, axis: int) -> tuple[float, float]:
        """(row, col) mm of a slice perpendicular to the axis."""
        _, j, i = self.spacing
        if self.as_published:
            return j, i
        rows, cols = np.delete(self.spacing, axis).tolist()
        return rows, cols


def read_volume(us: Path, label: Path, slicing: Slicing = "isotropic", *, may_be_empty: bool = False) -> Labelled:
    """Read a volume and its mask, as `read_pair`, on the grid that is sliced.

    Raises:
        NotFoundError: if a file is missing.
        FormatError: if a file cannot be read, the two are not on one grid, or the mask cannot be the volume's.
    """
    return gridded(*read_pair(us, label, may_be_empty=may_be_empty), slicing)


def read_pair(us: Path, label: Path, *, may_be_empty: bool = False) -> tuple[sitk.Image, sitk.Image]:
    """A volume and its mask, checked to belong together; the mask holds 0 and 1.

    Args:
        us: the volume.
        label: its tumour mask.
        may_be_empty: whether no tumour may be in it, as after resection, or found by a reader.

    Raises:
        NotFoundError: if a file is missing.
        FormatError: if a file cannot be read, the two are not on one grid, or the mask cannot be the volume's.
    """
    image, mask = read_image(us), read_image(label)
    if not same_grid(image, mask):
        for path in (us, label):
            read_placed(path)  # a made-up place is the reason where only one of the two states its own
        raise FormatError(
            f"{label} is not on the grid of {us}: is it MRI's, which has to be registered first, or another volume's?"
        )
    image = sitk.Cast(image, sitk.sitkFloat32)
    values = sitk.GetArrayViewFromImage(mask)
    if values.any() or not may_be_empty:
        check_mask(sitk.GetArrayViewFromImage(image), values, label)
    return image, sitk.Cast(mask > 0, sitk.sitkUInt8)


def read_cavity(path: Path, mask: sitk.Image) -> sitk.Image:
    """The mask of a resection cavity, 0 and 1, without the voxels that `mask` calls tumour: those stay tumour.

    Raises:
        NotFoundError: if the file is missing.
        FormatError: if it cannot be read, is no mask, holds several labels, or is not on the grid of `mask`.
    """
    cavity = read_image(path)
    if not same_grid(mask, cavity):
        raise FormatError(f"{path} is not on the grid of its volume: draw or resample the cavity there.")
    values = sitk.GetArrayViewFromImage(cavity)
    check_classes(values[values > 0], path, "the cavity's")
    hole = sitk.Cast(cavity > 0, sitk.sitkUInt8)
    hole.CopyInformation(mask)
    return sitk.And(hole, sitk.Cast(mask == 0, sitk.sitkUInt8))


def gridded(image: sitk.Image, mask: sitk.Image, slicing: Slicing, cavity: sitk.Image | None = None) -> Labelled:
    """A volume and its masks on the grid that is sliced."""
    if slicing == "isotropic":
        image, mask = as_cubes(image, sitk.sitkLinear), as_cubes(mask, sitk.sitkNearestNeighbor)
        cavity = None if cavity is None else as_cubes(cavity, sitk.sitkNearestNeighbor)
    i, j, k = image.GetSpacing()
    return Labelled(
        sitk.GetArrayFromImage(image),
        sitk.GetArrayFromImage(mask) > 0,
        (float(k), float(j), float(i)),
        as_published=slicing == "as-published",
        cavity=None if cavity is None else sitk.GetArrayFromImage(cavity) > 0,
    )


def as_cubes(image: sitk.Image, interpolator: int) -> sitk.Image:
    """The image itself if it is isotropic, else resampled to cubes of its voxels' volume."""
    spacing = image.GetSpacing()
    if max(spacing) / min(spacing) <= ISOTROPIC_TOLERANCE:
        return image
    return _cubes(image, float(np.prod(spacing)) ** (1 / 3), interpolator)


def read_sweep(sweep: Path, label: Path) -> Labelled:
    """Read a multi-frame DICOM of native frames and the mask of each; everything outside the sector becomes 0.

    The scale is that of the one tissue region, DICOM (0018,6011), or the pixel spacing, as in the viewer.

    Raises:
        FormatError: if the file is not DICOM, has no scale that can be used, or has another shape than its mask.
    """
    dataset = read_dicom(sweep)
    grey = _grey(dataset, sweep)
    row_mm, col_mm = _spacing(dataset, sweep)
    values = sitk.GetArrayFromImage(read_image(label))
    mask = values > 0
    if mask.shape != grey.shape:
        raise FormatError(f"{label} has the shape {mask.shape} and {sweep} {grey.shape}: one mask a frame is needed.")
    image = np.where(sector(grey.max(axis=0)), grey, 0).astype(np.float32)
    if mask.any():
        check_mask(image, values, label)
    return Labelled(image, mask, (float("nan"), row_mm, col_mm))


def _grey(dataset: pydicom.FileDataset, path: Path) -> NDArray[np.uint8]:
    """All frames, (frames, rows, cols), as the viewer shows them: colours by their luma, palettes looked up."""
    with heard(), damage_told(f"{path} cannot be decoded: is it whole?"):
        pixels = DicomPixels(dataset, path.name)
        frames = [pixels(number) for number in range(len(pixels))]
    if any(frame.dtype != np.uint8 for frame in frames):
        raise FormatError(f"{path} has {frames[0].dtype} pixels: export it with 8 bits.")
    return np.stack(frames).astype(np.uint8, copy=False)


def sector(brightest: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The largest connected region that is brighter than JPEG noise at least once, holes filled.

    Args:
        brightest: maximum over the frames, (rows, cols).
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats((brightest > SECTOR_THRESHOLD).astype(np.uint8))
    if len(stats) < 2:
        return np.zeros(brightest.shape, bool)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(ndimage.binary_fill_holes(labels == largest), bool)


def same_grid(one: sitk.Image, other: sitk.Image) -> bool:
    """Whether all corners agree, within a tolerance, since software rounds affines differently."""
    if one.GetSize() != other.GetSize():
        return False
    corners = [(0, 0, 0), tuple(n - 1 for n in one.GetSize())]
    corners += [tuple(n - 1 if axis == at else 0 for at, n in enumerate(one.GetSize())) for axis in range(3)]
    here, there = (
        np.array([image.TransformIndexToPhysicalPoint([int(c) for c in corner]) for corner in corners])
        for image in (one, other)
    )
    return bool(np.abs(here - there).max() < _GRID_TOLERANCE_MM)


def _cubes(image: sitk.Image, side: float, interpolator: int) -> sitk.Image:
    """Resample to cubes of `side` mm on the same axes; outside the volume is 0."""
    size = [max(1, round(n * mm / side)) for n, mm in zip(image.GetSize(), image.GetSpacing(), strict=True)]
    # Keep voxel edges, not centres, in place, so that the volume keeps its extent.
    first = [(side / mm - 1) / 2 for mm in image.GetSpacing()]
    origin = image.TransformContinuousIndexToPhysicalPoint(first)
    pixel_type = image.GetPixelID() if interpolator == sitk.sitkNearestNeighbor else sitk.sitkFloat32
    return sitk.Resample(
        image, size, sitk.Transform(), interpolator, origin, [side] * 3, image.GetDirection(), 0.0, pixel_type
    )


def _spacing(dataset: pydicom.Dataset, path: Path) -> tuple[float, float]:
    """(row, col) mm a pixel, as the viewer reads it.

    None where regions are several, lie outside a picture that was resized, or contradict its pixel spacing.
    """
    try:
        pane = pane_of(dataset, None, str(path))
    except ChoiceError as error:
        raise FormatError(f"{path} shows several pictures, and has to show one: export it alone.") from error
    rows = int(dataset.Rows) if pane.box is None else pane.box[3] - pane.box[1]
    spacing, reason = admitted(pane.spacing, pane.reason, rows, name=str(path))
    if spacing is None:
        raise FormatError(f"{reason.removesuffix(f': {REMEDY}.')}: export it with one calibrated ultrasound region.")
    return spacing.row_mm, spacing.col_mm
