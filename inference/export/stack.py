"""A stack of pictures as NIfTI, written one by one, so that hours of video never have to fit in memory."""

from collections.abc import Iterable
from gzip import GzipFile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import OutputError
from inference.files import replacing
from inference.nifti import MOST_PICTURES, described, picture_header
from inference.spacing import PixelSpacing


def write_stack(path: Path, pictures: Iterable[NDArray[Any]], count: int, spacing: PixelSpacing | None) -> None:
    """Write the stack as (columns, rows, frames): x right, y down, in the pictures' own type.

    Args:
        path: .nii.gz.
        pictures: (rows, cols), all of one shape and type.
        count: number of pictures.
        spacing: mm per pixel; None writes NIfTI's codes for unknown.

    Raises:
        OutputError: if the file cannot be written, or there are more pictures than it can count.
        ValueError: if a picture has another shape or type than the first: all after it would be shifted.
    """
    if count > MOST_PICTURES:
        raise OutputError(
            f"{count} frames are more than a NIfTI file can hold ({MOST_PICTURES}): record shorter pieces."
        )
    # By itself gzip tells the time of the export, which may be that of the operation.
    with replacing(path) as aside, aside.open("wb") as packed, GzipFile("", "wb", 1, packed, mtime=0) as file:
        first = None
        for picture in pictures:
            if first is None:
                first = picture
                _begin(file, first, count, spacing)
            if (picture.shape, picture.dtype) != (first.shape, first.dtype):
                raise ValueError(f"{picture.shape} {picture.dtype} in a stack of {first.shape} {first.dtype}")
            file.write(np.ascontiguousarray(picture, picture.dtype.newbyteorder("<")).tobytes())


def _begin(file: GzipFile, first: NDArray[Any], count: int, spacing: PixelSpacing | None) -> None:
    """Write the header and the four bytes that say that no extension follows."""
    header: Any = picture_header(spacing)
    rows, cols = first.shape
    header.set_data_dtype(first.dtype)
    header.set_data_shape((cols, rows, count))
    header["descrip"] = described(known=spacing is not None)
    header["vox_offset"], header["magic"] = header.sizeof_hdr + 4, b"n+1"
    file.write(header.as_byteswapped("<").binaryblock + bytes(4))
