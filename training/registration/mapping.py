"""What a registration finds: a matrix, or a displacement field; read, written, applied and told apart."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray
from scipy import ndimage

from inference.errors import FormatError, NotFoundError
from training.registration.deformation import Deformation, Points, as_deformation, sampled, write_deformation
from training.registration.transforms import (
    ITK_SUFFIXES,
    Matrix,
    apply,
    as_itk,
    read_itk,
    read_transform,
    write_transform,
)
from training.registration.volume import UNPLACED, Pixels, Volume, as_volume, box, read_to_the_end, states_place, warp

Mapping = Matrix | Deformation
"""A matrix from MRI to ultrasound, or a field from ultrasound to MRI."""
FIELD = ".nii.gz"
_FIELDS = (".nii.gz", ".nii", ".nrrd", ".mha")
STEP_MM = 2.5
"""At most so much between the points of a field that is kept: brain shift changes over centimetres."""
PICTURE_MM, AROUND_MM = 0.7, 8.0
"""Voxels of a deformed MRI that is shown, and how much of it around the sector."""
_RIGID = 1e-3
"""How far singular values may be off 1."""


def kind_of(mapping: Mapping) -> str:
    """`rigid`, `affine` or `deformable`."""
    if isinstance(mapping, Deformation):
        return "deformable"
    stretches = np.linalg.svd(mapping[:3, :3], compute_uv=False)
    return "rigid" if np.abs(stretches - 1).max() < _RIGID else "affine"


def to_us(mapping: Mapping, mri: Points) -> Points:
    """MRI points (n, 3) in the ultrasound, RAS mm."""
    return mapping.to_us(mri) if isinstance(mapping, Deformation) else apply(mapping, mri)


def itk_of(mapping: Mapping) -> sitk.Transform:
    """As ITK resamples with it: ultrasound to MRI, LPS mm."""
    return mapping.as_itk() if isinstance(mapping, Deformation) else as_itk(mapping)


def warped(moving: Volume, fixed: Volume, mapping: Mapping) -> Pixels:
    """Sample `moving`, in the MRI's world, linearly on the grid of `fixed`; NaN where it has no data."""
    if not isinstance(mapping, Deformation):
        return warp(moving, fixed, mapping)
    shape = fixed.pixels.shape
    world = apply(fixed.affine, np.indices(shape).reshape(3, -1).T.astype(np.float64))
    index = apply(np.asarray(np.linalg.inv(moving.affine), np.float64), mapping.to_mri(world)).T
    values = ndimage.map_coordinates(moving.pixels, index, order=1, cval=np.nan, output=np.float32)
    return np.asarray(values.reshape(shape), np.float32)


def placed(moving: Volume, us: Volume, mapping: Mapping) -> tuple[Matrix, Volume]:
    """A volume of the MRI's world and the matrix that puts it: deformed, it is sampled first, and stays there."""
    if not isinstance(mapping, Deformation):
        return mapping, moving
    grid = _around(us)
    values = warped(moving, grid, mapping)
    return np.eye(4), Volume(values, grid.affine)


def _around(us: Volume) -> Volume:
    """An empty grid along the ultrasound's axes over the sector and what is shown around it."""
    part = box(us.pixels > 0, 0)
    voxels = np.maximum(1, np.round(PICTURE_MM / us.spacing))
    first = [one.start - AROUND_MM / mm for one, mm in zip(part, us.spacing, strict=True)]
    sides = [(one.stop - one.start) + 2 * AROUND_MM / mm for one, mm in zip(part, us.spacing, strict=True)]
    affine = us.affine.copy()
    affine[:3, :3] *= voxels
    affine[:3, 3] += us.affine[:3, :3] @ np.array(first)
    i, j, k = (int(np.ceil(side / step)) + 1 for side, step in zip(sides, voxels, strict=True))
    return Volume(np.zeros((i, j, k), np.float32), affine)


def grid_over(us: Volume) -> Deformation:
    """A field that moves nothing, on a grid over the sector's box along the ultrasound's own axes."""
    part = box(us.pixels > 0, 0)
    first = np.array([one.start for one in part], np.float64)
    extent = np.array([one.stop - 1 - one.start for one in part], np.float64)
    cells = np.maximum(1, np.ceil(extent * us.spacing / STEP_MM)).astype(int)
    affine = us.affine.copy()
    affine[:3, :3] *= np.maximum(extent, 1.0) / cells
    affine[:3, 3] += us.affine[:3, :3] @ first
    return Deformation(np.zeros((*(int(n) + 1 for n in cells), 3)), affine)


def least_jacobian(deformation: Deformation, us: Volume) -> float:
    """The least Jacobian determinant of any cell that touches the sector; not above 0, the field folds there."""
    found = deformation.jacobian()
    centres = np.indices(found.shape).reshape(3, -1).T.astype(np.float64) + 0.5
    index = apply(np.asarray(np.linalg.inv(us.affine), np.float64), apply(deformation.affine, centres)).T
    inside = ndimage.map_coordinates((us.pixels > 0).astype(np.uint8), index, order=0).reshape(found.shape) > 0
    touched = ndimage.binary_dilation(inside)
    return float(found[touched].min()) if touched.any() else float(found.min())


def volume_change_percent(mapping: Mapping, mask: sitk.Image) -> float | None:
    """By how much what lies in a mask on the ultrasound's grid is larger there than in the MRI; None if it is empty."""
    if not isinstance(mapping, Deformation):
        return 100.0 * (float(np.linalg.det(mapping[:3, :3])) - 1)
    inside = as_volume(mask)
    at = np.argwhere(inside.pixels > 0).astype(np.float64)
    return 100.0 * (1 / mapping.mean_jacobian(apply(inside.affine, at)) - 1) if len(at) else None


def mapping_path(folder: Path, case: str) -> Path:
    """The file of a case's result in the folder of `ius-train register`, whether it is there or not."""
    field = folder / "transforms" / f"{case}{FIELD}"
    return field if field.is_file() else folder / "transforms" / f"{case}.txt"


def write_mapping(mapping: Mapping, stem: Path) -> None:
    """Write STEM.txt and STEM.tfm, or STEM.nii.gz, and remove what an earlier result of the other kind left."""
    linear = [stem.with_name(f"{stem.name}{ending}") for ending in (".txt", ".tfm")]
    field = stem.with_name(f"{stem.name}{FIELD}")
    if isinstance(mapping, Deformation):
        write_deformation(mapping, field)
        for path in linear:
            path.unlink(missing_ok=True)
    else:
        write_transform(mapping, stem)
        field.unlink(missing_ok=True)


def read_mapping(path: Path) -> Mapping:
    """Read a linear transform as `read_transform` does, or a displacement field.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it is neither.
    """
    return as_deformation(_read_field(path)) if _is_field(path) else read_transform(path)


def read_start(path: Path, us: Volume) -> Mapping:
    """Read what a registration starts from: a linear transform, or any deformation, which is then kept as it is.

    Fields are images of three components, in ITK's and ANTs' convention: ultrasound is the fixed image, LPS mm. Any
    other transform of ITK's is taken from .h5 or .tfm. Both are kept every `STEP_MM` over the sector.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it is none, does not cover the sector, or folds there.
    """
    if _is_field(path):
        image, grid = _read_field(path), grid_over(us)
        if not as_deformation(image).covers(grid.nodes):
            raise FormatError(f"The field in {path} does not cover the ultrasound: write it on the ultrasound's grid.")
        transform: sitk.Transform = sitk.DisplacementFieldTransform(sitk.Cast(image, sitk.sitkVectorFloat64))
    elif path.suffix.lower() not in ITK_SUFFIXES or (transform := read_itk(path)).IsLinear():
        return read_transform(path)
    else:
        grid = grid_over(us)
    shape: tuple[int, int, int] = grid.shift.shape[:3]
    found = sampled(transform, grid.affine, shape)
    if not np.isfinite(found.shift).all() or least_jacobian(found, us) <= 0:
        raise FormatError(f"The deformation in {path} folds within the ultrasound: make it smoother.")
    return found


def _is_field(path: Path) -> bool:
    return path.name.lower().endswith(_FIELDS)


def _read_field(path: Path) -> sitk.Image:
    """An image of displacements."""
    if not path.is_file():
        raise NotFoundError(f"There is no displacement field at {path}.")
    try:
        if path.suffix == ".gz":
            read_to_the_end(path)
        image = sitk.ReadImage(str(path))
    except (RuntimeError, EOFError, OSError) as error:
        raise FormatError(f"{path} cannot be read as a displacement field: is it whole?") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 3:
        raise FormatError(f"{path} is no displacement field: it needs three components in each voxel of a volume.")
    if image.HasMetaDataKey("intent_name") and image.GetMetaData("intent_name").startswith("NREG"):
        raise FormatError(f"{path} is of NiftyReg, whose fields are positions: convert it with 'reg_transform -disp'.")
    if not states_place(image):
        raise FormatError(UNPLACED.format(path))
    return image


def apart_mm(mapping: Mapping, other: Mapping, us: Volume) -> NDArray[np.float64]:
    """How far apart two mappings put what lies in the sector, mm, (points,)."""
    points = _sector_points(us)
    places = [
        one.to_mri(points) if isinstance(one, Deformation) else apply(np.asarray(np.linalg.inv(one)), points)
        for one in (mapping, other)
    ]
    return np.asarray(np.linalg.norm(places[0] - places[1], axis=1), np.float64)


def _sector_points(us: Volume) -> Points:
    """Every few voxels of the sector, RAS mm."""
    step = tuple(slice(None, None, max(1, round(STEP_MM / mm))) for mm in us.spacing)
    index = np.argwhere(us.pixels[step] > 0) * [part.step for part in step]
    return apply(us.affine, index.astype(np.float64))
