"""Frames or masks laid back into the volume whose slices they are."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.sources.base import SweptGrid

if TYPE_CHECKING:
    import nibabel as nib


def in_volume(grid: SweptGrid, slices: Iterable[tuple[int, NDArray[Any]]]) -> NDArray[Any]:
    """Lay slices into their volume.

    Args:
        grid: the volume.
        slices: at least one (place along the axis, (rows, cols) picture); a later one at the same place wins.

    Returns:
        (i, j, k), 0 where there is no slice.

    Raises:
        FormatError: if one lies outside the volume.
    """
    placed = list(slices)
    first = placed[0][1]
    stack = np.zeros((grid.count, *first.shape), first.dtype)
    for place, picture in placed:
        if not 0 <= place < grid.count:
            raise FormatError(f"Slice {place} lies outside a volume of {grid.count}: it cannot be written as NIfTI.")
        stack[place] = picture
    return np.moveaxis(stack, 0, "kji".index(grid.axis)).T


def header_of(grid: SweptGrid) -> "nib.Nifti1Header":
    """The volume's NIfTI header.

    Raises:
        FormatError: if its bytes are none.
    """
    import nibabel as nib  # a third of a second, which opening a record does not need

    kinds = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
    kind = kinds.get(len(grid.header))
    if kind is None:
        raise FormatError("The record's volume header is damaged: masks cannot be placed in the volume.")
    return kind.from_fileobj(io.BytesIO(grid.header), check=False)
