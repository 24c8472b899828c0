"""Writes NIfTI files. Each gets a temporary name until it is complete, so no half-written file has the final name."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.files import replacing
from inference.safety import INTENDED_USE
from inference.source_info import SourceInfo, SweptGrid
from inference.spacing import PixelSpacing
from inference.version import SOFTWARE

if TYPE_CHECKING:
    import nibabel as nib


_MM = {"meter": 1000.0, "micron": 0.001}
"""Millimetres of NIfTI's other units; those of an unknown unit are taken for millimetres, as readers do."""
MOST_PICTURES = 32767
"""The most pictures that a NIfTI-1 file can count."""


def write_mask_nifti(mask: NDArray[np.uint8], header: "nib.Nifti1Header", path: str) -> None:
    """Write a mask as NIfTI.

    Args:
        mask: (i, j, k) 0/1.
        header: the grid: spacing, qform and sform are kept as they are; texts, which may name a patient, are dropped.
        path: .nii or .nii.gz.

    Raises:
        OutputError: if the file cannot be written.
    """
    write_nifti(np.asarray(mask, dtype=np.uint8), header, path)


def write_nifti(values: NDArray[Any], header: "nib.Nifti1Header", path: str) -> None:
    """Write grey values or a mask as NIfTI, in their own type.

    Args:
        values: (i, j, k).
        header: the grid, as for `write_mask_nifti`.
        path: .nii or .nii.gz.

    Raises:
        OutputError: if the file cannot be written.
    """
    import nibabel as nib  # takes a third of a second to import: not at the window's start

    grid = without_texts(header)
    lengths = grid["pixdim"][1:4]
    broken = ~(np.isfinite(lengths) & (lengths > 0))
    # Viewers and nibabel read an invalid length as 1. Writing 1 with unknown units leaves nothing to guess.
    lengths[broken] = 1
    known = (header["qform_code"] > 0 or header["sform_code"] > 0) and not broken.any()
    grid["descrip"] = described(known=bool(known))
    grid["intent_code"] = 0
    grid.set_data_dtype(values.dtype)
    kind = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    with replacing(Path(path)) as aside:
        kind(values, None, grid).to_filename(aside)


def described(*, known: bool) -> bytes:
    """What stands in a file's `descrip`, at most 80 bytes: what it may be used for, and what made it."""
    return f"{'' if known else 'scale unknown. '}{INTENDED_USE} {SOFTWARE}".encode()


def without_texts(header: "nib.Nifti1Header") -> "nib.Nifti1Header":
    """The same grid without extensions and texts, which may name a patient."""
    grid = header.copy()
    for text in ("descrip", "db_name", "aux_file", "intent_name"):
        if text in grid.keys():  # noqa: SIM118 (a header's `in` looks at its values)
            grid[text] = b""
    grid.extensions.clear()
    return grid


def picture_header(spacing: PixelSpacing | None) -> "nib.Nifti1Header":
    """The NIfTI header of a stack of pictures (columns, rows, frames): x right, y down, as ITK places a picture.

    Without a scale the codes are 0, which is NIfTI's way to say unknown.
    """
    import nibabel as nib

    header: Any = nib.Nifti1Header()
    header.set_data_shape((1, 1, 1))
    if spacing is not None:
        affine = np.diag([-spacing.col_mm, -spacing.row_mm, 1.0, 1.0])
        header.set_zooms((spacing.col_mm, spacing.row_mm, 1.0))
        header.set_qform(affine, code=1)
        header.set_sform(affine, code=1)
        header.set_xyzt_units("mm")
    return header


def in_volume(grid: SweptGrid, slices: Iterable[tuple[int, NDArray[Any]]]) -> NDArray[Any]:
    """Put slices into their volume.

    Args:
        grid: the volume.
        slices: at least one (place along the axis, (rows, cols) picture); a later one replaces one at the same place.

    Returns:
        (i, j, k) array, 0 where there is no slice, in a type that holds the values of all.

    Raises:
        FormatError: if a slice lies outside the volume.
    """
    placed = list(slices)
    dtype = np.result_type(*{picture.dtype for _, picture in placed})
    stack = np.zeros((grid.count, *placed[0][1].shape), dtype)
    for place, picture in placed:
        if not 0 <= place < grid.count:
            raise FormatError(f"Slice {place} lies outside a volume of {grid.count}: it cannot be written as NIfTI.")
        stack[place] = picture
    return np.moveaxis(stack, 0, "kji".index(grid.axis)).T


def other_scale(path: Path, info: SourceInfo) -> str:
    """That masks on a file's own grid have other millimetres than the readings, one sentence; empty if they have not.

    They lie on the grid that the file has, so that they can be laid over it, also where a person gave another scale.

    Args:
        path: the masks, as written here.
        info: the source, with the scale of the readings.
    """
    import nibabel as nib

    if info.spacing is None:
        return ""
    header: Any = nib.load(path).header
    swept = "ijk".index("k" if info.grid is None else info.grid.axis)
    sides = np.delete(header.get_zooms()[:3], swept) * _MM.get(header.get_xyzt_units()[0], 1.0)
    unknown = bytes(header["descrip"]).startswith(described(known=False)[:13])
    if not unknown and np.allclose(sorted(sides), sorted((info.spacing.row_mm, info.spacing.col_mm)), rtol=1e-3):
        return ""
    stated = "no scale" if unknown else f"{sides[1]:.4g} × {sides[0]:.4g} mm a pixel"
    return f"{path.name} lies on the file's own grid, which states {stated}: measure by the readings, not by it."


def header_of(grid: SweptGrid) -> "nib.Nifti1Header":
    """The volume's NIfTI header.

    Raises:
        FormatError: if its bytes are not a NIfTI header.
    """
    import nibabel as nib  # takes a third of a second to import: not when a record is opened

    kinds = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
    kind = kinds.get(len(grid.header))
    if kind is None:
        raise FormatError("The record's volume header is damaged: masks cannot be placed in the volume.")
    return kind.from_fileobj(io.BytesIO(grid.header), check=False)
