"""A stack of pictures as NIfTI, written one after another: hours of video never stand in memory."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import OutputError
from inference.files import replacing
from inference.nifti import picture_header
from inference.safety import INTENDED_USE
from inference.spacing import PixelSpacing

MOST = 32767
"""Pictures that a NIfTI-1 can count."""


def write_stack(path: Path, pictures: Iterable[NDArray[Any]], count: int, spacing: PixelSpacing | None) -> None:
    """Write (columns, rows, frames): x right, y down, in the pictures' own type.

    Args:
        path: .nii.gz.
        pictures: (rows, cols), all of one shape and type.
        count: how many come.
        spacing: mm a pixel; None writes NIfTI's codes for unknown.

    Raises:
        OutputError: if it cannot be written, or there are more than one file can count.
    """
    if count > MOST:
        raise OutputError(f"{count} frames are more than a NIfTI file can hold ({MOST}): record shorter pieces.")
    with replacing(path) as aside, gzip.open(aside, "wb", compresslevel=1) as file:
        for number, picture in enumerate(pictures):
            if number == 0:
                _begin(file, picture, count, spacing)
            file.write(np.ascontiguousarray(picture, picture.dtype.newbyteorder("<")).tobytes())


def _begin(file: Any, first: NDArray[Any], count: int, spacing: PixelSpacing | None) -> None:  # noqa: ANN401 (gzip's)
    """The header, and the four bytes that say that nothing follows it."""
    header: Any = picture_header(spacing)
    rows, cols = first.shape
    header.set_data_dtype(first.dtype)
    header.set_data_shape((cols, rows, count))
    header["descrip"] = (INTENDED_USE if spacing else f"scale unknown. {INTENDED_USE}").encode()
    header["vox_offset"], header["magic"] = header.sizeof_hdr + 4, b"n+1"
    file.write(header.as_byteswapped("<").binaryblock + bytes(4))
