"""The grid of a volume's voxels: spacing as in the raw header, directions, letters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.spacing import REMEDY

AXES = "ijk"
"""Axes of a volume in NIfTI order; SimpleITK's numpy order is the reverse, (k, j, i)."""
LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))
"""Letters at the negative and positive end of each RAS axis."""
LARGEST = 1 << 30
"""Largest size of the voxels, bytes: ten times the largest ultrasound volume; a damaged header may state more."""
TINY_MM, HUGE_MM = 1e-6, 1e6
"""Limits of a voxel's size; a matrix of numbers beyond them cannot even be computed with."""
DISAGREEMENT = 0.01
"""Relative difference allowed between two statements of one length; beyond it nobody knows which is right."""
SQUARE = 0.01
"""Cosine between two axes up to which they count as perpendicular: a length is then right to half a percent."""
SKEW = f"{{}} has axes that are not perpendicular ({{}}), so that no length and no area is known: {REMEDY}."
COUNTED = f"{{}} states 1 mm along all axes, which is what software writes when it doesn't know: {REMEDY}."
CLEAR = 0.8
"""A direction gets a letter if its cosine to a RAS axis is at least this."""
TWO_PLACES = "{} is placed in two ways, by a qform and a sform that point apart"


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A volume file as stored, before it is swept.

    Attributes:
        voxels: (k, j, i) grey values; k = 1 for a 2D file.
        spacing: mm along i, j, k; None where the header holds no usable number.
        note: what the raw header says where a spacing is None; else empty.
        directions: (3, 3) whose columns are the unit vectors of i, j, k in RAS; None if the header gives none.
        header: NIfTI header of the same grid, for masks.
        flat: the file is 2D.
        clip: k is time: pictures of one plane, as a probe delivers them.
        two_places: the header has two statements on where the volume lies, and they point apart; neither is believed.
        simulated: the header says that the volume is simulated.
    """

    voxels: NDArray[Any]
    spacing: tuple[float | None, float | None, float | None]
    note: str
    directions: NDArray[np.float64] | None
    header: nib.Nifti1Header
    flat: bool
    simulated: bool
    clip: bool = False
    two_places: bool = False


def check_size(shape: Sequence[int], itemsize: int, name: str) -> int:
    """The size of the voxels in bytes.

    Raises:
        FormatError: if it exceeds the limit.
    """
    size = math.prod(int(side) for side in shape) * itemsize
    if not 0 < size <= LARGEST:
        raise FormatError(f"{name} states no voxels, or more than 1 GB of them: crop it, or export it again.")
    return size


def of_clip(sizes: Sequence[int], name: str) -> tuple[list[int], bool]:
    """The grid's sizes as (i, j, k), and whether k is time, as in (columns, rows, 1, pictures).

    Raises:
        FormatError: if there is time besides a third spatial axis, or a fifth axis.
    """
    whole = list(sizes)
    while len(whole) > 3 and whole[-1] == 1:
        whole.pop()
    if len(whole) == 4 and whole[2] == 1:
        return [*whole[:2], whole[3]], True
    if len(whole) > 3:
        raise FormatError(f"{name} holds time or several values a voxel: export one 3D volume of it.")
    return whole, False


def usable(values: Sequence[float | None], unit_mm: float = 1.0) -> tuple[float | None, float | None, float | None]:
    """Spacings in mm along i, j, k; None if missing, zero, negative, not finite or impossible for a voxel."""
    padded = [*values, None, None, None][:3]
    first, second, third = (
        value * unit_mm if value is not None and TINY_MM < value * unit_mm < HUGE_MM else None for value in padded
    )
    return first, second, third


def plane_reason(volume: Volume, axes: str, name: str) -> str:
    """One sentence on why the plane of `axes` has no scale; empty if it has one."""
    if _counts(volume):
        return COUNTED.format(name)
    missing = [axis for axis in axes if volume.spacing[AXES.index(axis)] is None]
    if not missing and is_skew(volume.header, axes):
        return SKEW.format(name, " and ".join(axes))
    if not missing:
        return ""
    return f"{name} has no usable spacing along {' and '.join(missing)} ({volume.note}): {REMEDY}."


def _counts(volume: Volume) -> bool:
    """Whether a grid is the one that libraries write around an array of which they know nothing: 1, from 0, upright.

    A volume may truly have 1 mm, and is then placed somewhere; a picture of a probe never has.
    """
    across, down, through = volume.spacing
    if not across == down == 1:
        return False
    turned = volume.directions is not None and not np.array_equal(np.abs(volume.directions), np.eye(3))
    return volume.flat or volume.clip or not (through != 1 or turned or _origin(volume.header).any())


def _origin(header: nib.Nifti1Header) -> NDArray[np.float64]:
    if header["sform_code"] > 0:
        return np.asarray(header.get_sform()[:3, 3], np.float64)
    return np.array([header[f"qoffset_{axis}"] for axis in "xyz"], np.float64)


def is_skew(header: nib.Nifti1Header, axes: str) -> bool:
    """Whether two axes of a grid are not perpendicular; a qform alone is a rotation, whose axes always are.

    Two lengths do not describe a pixel then: its area is their product times the sine between them.
    """
    if header["sform_code"] <= 0:
        return False
    unit = unit_columns(header.get_sform()[:3, :3].astype(np.float64))
    one, other = (AXES.index(axis) for axis in axes)
    return unit is not None and abs(float(unit[:, one] @ unit[:, other])) > SQUARE


def edge_letter(directions: NDArray[np.float64] | None, axis: str, *, forward: bool) -> str:
    """Anatomical letter towards which `axis` runs (forward) or from which it comes; empty if unclear."""
    if directions is None:
        return ""
    direction = directions[:, AXES.index(axis)] * (1 if forward else -1)
    main = int(np.argmax(np.abs(direction)))
    return LETTERS[main][int(direction[main] > 0)] if abs(direction[main]) >= CLEAR else ""


def grid_header(affine: NDArray[np.float64]) -> nib.Nifti1Header:
    """NIfTI header of a grid that another format describes.

    Args:
        affine: (4, 4), from voxel indices to RAS mm.
    """
    header = nib.Nifti1Header()
    header.set_data_shape((1, 1, 1))
    header.set_zooms(np.linalg.norm(affine[:3, :3], axis=0))
    header.set_qform(affine, code=1)
    header.set_sform(affine, code=1)
    header.set_xyzt_units("mm")
    return header


def unit_columns(matrix: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The columns of a (3, 3) matrix scaled to length 1; None if a column has no length."""
    lengths = np.linalg.norm(matrix, axis=0)
    if not np.isfinite(matrix).all() or (lengths <= 0).any():
        return None
    return np.asarray(matrix / lengths, dtype=np.float64)
