"""Volumes with their place in the world, averaged to coarser cubes and warped onto each other."""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray
from scipy import ndimage

from inference.errors import FormatError, NotFoundError
from inference.sources.grid import TWO_PLACES
from inference.sources.grid import Volume as Grid
from inference.sources.nifti import UNIT_MM
from inference.sources.paths import PICTURES, is_dicom, suffix_of
from inference.sources.volume import READERS, reader_of
from training.registration.transforms import LPS, Matrix

SHEAR = 0.02
"""Cosine by which a direction may be off a right angle: a degree, which is what rounding and tilted gantries leave."""
APART_MM = 1.0
"""How far a corner may lie from itself by a volume's two statements on its place: rounding stays far below."""
_TWICE_PLACED = (".nii", ".nii.gz")
"""Formats that state a volume's place twice; of others the reader makes both, and a qform cannot hold their shear."""
UNPLACED = (
    "{} does not state where it lies (a NIfTI without a qform and sform code, an NRRD without a space), and every "
    "program makes up another place: export it again with its orientation and origin."
)
SMOOTHING = 0.7
"""Standard deviation of the Gaussian before sampling, in new voxels."""

Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A scalar volume.

    Attributes:
        pixels: (k, j, i) float32.
        affine: (4, 4), from the index (k, j, i) to the world, RAS mm.
    """

    pixels: Pixels
    affine: Matrix

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Mm along (k, j, i)."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0), np.float64)


def read_image(path: Path) -> sitk.Image:
    """Read a volume: NIfTI, NRRD and MetaImage as the viewer does, other formats as ITK does.

    ITK invents 1 mm where a header states none, takes micrometres and dots per inch for millimetres, and refuses a
    direction that is sheared by a rounding. Values that are no numbers are background, 0, as the viewer shows them:
    programs that resample write them outside the picture.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it cannot be read, is not a scalar volume, is DICOM, or states no spacing.
    """
    return _read(path)[0]


def read_placed(path: Path) -> sitk.Image:
    """Read a volume whose place in the world counts, since something of another grid is put on it or it on another.

    Readers make up a place where a header states none, each its own: ITK puts the first voxel at 0, nibabel the middle.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: as `read_image`, and if the file states no place in the world.
    """
    image, placed = _read(path)
    if not placed:
        raise FormatError(UNPLACED.format(path))
    return image


def _read(path: Path) -> tuple[sitk.Image, bool]:
    """A volume, and whether its header says where it lies."""
    if not path.is_file():
        raise NotFoundError(f"There is no image at {path}.")
    refuse_dicom(path)
    if suffix_of(path) in READERS:
        volume = reader_of(path)(path)
        return _image(volume, path), volume.directions is not None
    if suffix_of(path) in PICTURES:
        raise FormatError(f"{path} is a picture file, which states no millimetres: export it as NIfTI.")
    try:
        if path.suffix == ".gz":
            read_to_the_end(path)
        image = sitk.ReadImage(str(path))
    except (RuntimeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(f"{path} cannot be read as an image: is it whole?") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise FormatError(f"{path} is not a volume of grey values.")
    return image, states_place(image)


def states_place(image: sitk.Image) -> bool:
    """Whether the header that ITK read says where the image lies; formats that always do are believed."""
    told = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    codes = [int(told[key]) for key in ("qform_code", "sform_code") if key in told]
    if told.get("ITK_InputFilterName") == "NrrdImageIO":
        return "NRRD_space" in told
    return not codes or max(codes) > 0


def refuse_dicom(path: Path) -> None:
    """Refuse a DICOM file where a volume or picture is wanted: ITK gives a clip 1 mm in all directions.

    Raises:
        FormatError: if it is one.
    """
    if is_dicom(path):
        raise FormatError(f"{path} is DICOM: name a clip as the case's sweep, or convert a volume or picture to NIfTI.")


def _image(volume: Grid, path: Path) -> sitk.Image:
    """A grid as ITK has it, in LPS and mm."""
    if volume.flat or volume.clip:
        raise FormatError(f"{path} is not a volume of grey values.")
    if volume.two_places:
        raise FormatError(f"{TWO_PLACES.format(path)}: keep the right one.")
    unit_mm = UNIT_MM.get(int(volume.header["xyzt_units"]) & 7, 1.0)
    apart = _apart(volume.header, volume.voxels.shape[::-1]) * unit_mm if suffix_of(path) in _TWICE_PLACED else 0.0
    if apart > APART_MM:
        raise FormatError(
            f"{path} is placed in two ways, by a qform and a sform that are {apart:.0f} mm apart, and a mask drawn on "
            "it lies in one of them: keep the right one."
        )
    spacing = [mm for mm in volume.spacing if mm is not None]
    if len(spacing) < 3:
        raise FormatError(f"{path} states no usable spacing ({volume.note}): export it with one.")
    voxels = finite(volume.voxels)
    if voxels.dtype.itemsize > 8 or voxels.dtype == np.float16:
        voxels = voxels.astype(np.float32)
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels, voxels.dtype.newbyteorder("=")))
    image.SetSpacing(spacing)
    if volume.directions is not None:
        image.SetDirection((LPS[:3, :3] @ _rotation(volume.directions, path)).ravel().tolist())
        image.SetOrigin((LPS[:3, :3] @ volume.header.get_best_affine()[:3, 3] * unit_mm).tolist())
    return image


def _apart(header: nib.Nifti1Header, shape: tuple[int, ...]) -> float:
    """How far the corner that moves most lies from itself by qform and by sform; 0 where there is only one of them.

    nibabel believes the sform, ITK (and so Slicer and ITK-SNAP) one or the other, by their codes.
    """
    if header["sform_code"] <= 0 or header["qform_code"] <= 0:
        return 0.0
    try:
        between = header.get_qform() - header.get_sform()
    except (HeaderDataError, ValueError):  # a qform that is not a rotation is nobody's choice
        return 0.0
    corners = [(*(at * (n - 1) for at, n in zip(corner, shape, strict=True)), 1) for corner in np.ndindex(2, 2, 2)]
    return float(np.linalg.norm(between[:3] @ np.array(corners).T, axis=0).max())


def _rotation(directions: NDArray[np.float64], path: Path) -> NDArray[np.float64]:
    """The nearest directions at right angles to each other."""
    left, _, right = np.linalg.svd(directions)
    nearest: NDArray[np.float64] = left @ right
    if np.abs(nearest - directions).max() > SHEAR:
        raise FormatError(f"{path} has axes that are not at right angles: resample it.")
    return nearest


def read_to_the_end(path: Path) -> None:
    """Unpack a file to its end, since ITK silently fills a truncated one with zeros."""
    with gzip.open(path) as stream:
        while stream.read(1 << 24):
            pass


def finite(values: NDArray[Any]) -> NDArray[Any]:
    """Values of which those that are no numbers are 0; the array itself if there are none."""
    return values if np.isfinite(values).all() else np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def as_volume(image: sitk.Image) -> Volume:
    """ITK's image as an array with its affine; values that are no numbers become 0."""
    affine = np.eye(4)
    direction = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, :3] = direction[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    pixels = sitk.GetArrayFromImage(image).astype(np.float32, copy=False)
    return Volume(finite(pixels), LPS @ affine)


def coarser(volume: Volume, side_mm: float | NDArray[np.float64], mask: Mask | None = None) -> tuple[Volume, Mask]:
    """Average a volume over larger voxels; along an axis that gets finer it is interpolated linearly.

    Args:
        volume: the volume.
        side_mm: side of the new voxels, or their extent along (k, j, i).
        mask: the voxels that count; None counts all.

    Returns:
        The volume, and the voxels of which more than half counted; the others are 0.
    """
    factor = side_mm / volume.spacing
    counts = np.ones(volume.pixels.shape, np.float32) if mask is None else mask.astype(np.float32)
    size = [max(1, round(step)) for step in factor]
    shape = tuple(max(1, round(n / step)) for n, step in zip(volume.pixels.shape, factor, strict=True))
    # The edges of the first voxels coincide, not their centres.
    first = (factor - 1) / 2
    # A filter of even size is centred half a voxel before its output.
    offset = first + [0.5 * (n % 2 == 0) for n in size]

    def average(pixels: Pixels) -> Pixels:
        smooth = ndimage.uniform_filter(pixels, size, mode="constant") if max(size) > 1 else pixels
        sampled = ndimage.affine_transform(smooth, factor, offset, shape, order=1, mode="nearest")
        return np.asarray(sampled, np.float32)

    weight = average(counts)
    inside = weight > 0.5
    total = average(volume.pixels * counts)
    pixels = np.divide(total, weight, out=np.zeros_like(total), where=inside)
    affine = volume.affine.copy()
    affine[:3, :3] *= factor
    affine[:3, 3] = volume.affine[:3, :3] @ first + volume.affine[:3, 3]
    return Volume(pixels, affine), inside


def smoothed(volume: Volume, side_mm: float) -> Volume:
    """A volume without detail finer than `side_mm`, to be sampled on a grid of that spacing.

    Voxels are joined only while they stay below half of `side_mm`. Linear interpolation on the coarse grid itself would
    smooth more or less with each fraction of a voxel moved, and the search would take the ripples for maxima.
    """
    joined = np.maximum(1.0, np.floor(side_mm / 2 / volume.spacing + 0.01))
    half = coarser(volume, joined * volume.spacing)[0] if joined.max() > 1 else volume
    sigma = SMOOTHING * side_mm / half.spacing
    return Volume(np.asarray(ndimage.gaussian_filter(half.pixels, sigma), np.float32), half.affine)


def gradient_magnitude(volume: Volume) -> Volume:
    """|∇| a mm, by central differences on the volume's own axes."""
    along = np.gradient(volume.pixels, *volume.spacing)
    return Volume(np.sqrt(sum(part * part for part in along)).astype(np.float32), volume.affine)


def warp(moving: Volume, fixed: Volume, moving_to_fixed: Matrix) -> Pixels:
    """Sample `moving` linearly on the grid of `fixed`; NaN where it has no data."""
    index = np.linalg.inv(moving_to_fixed @ moving.affine) @ fixed.affine
    return np.asarray(
        ndimage.affine_transform(
            moving.pixels, index[:3, :3], index[:3, 3], fixed.pixels.shape, order=1, cval=np.nan, output=np.float32
        )
    )


def box(mask: Mask, margin: int) -> tuple[slice, ...]:
    """The smallest box around a mask, wider by `margin` voxels where there are any."""
    boxes = ndimage.find_objects(mask.astype(np.uint8))
    if not boxes:
        return tuple(slice(0, n) for n in mask.shape)
    return tuple(
        slice(max(0, part.start - margin), min(n, part.stop + margin))
        for part, n in zip(boxes[0], mask.shape, strict=True)
    )


def cropped(volume: Volume, to: tuple[slice, ...]) -> Volume:
    """A part of a volume, where it is in the world."""
    affine = volume.affine.copy()
    affine[:3, 3] += volume.affine[:3, :3] @ [part.start for part in to]
    return Volume(volume.pixels[to], affine)
