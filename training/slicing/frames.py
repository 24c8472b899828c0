"""Single 2D pictures and their masks, as data sets of frames hold them."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray

from inference.errors import FormatError, NotFoundError
from inference.sources.paths import suffix_of
from inference.sources.volume import READERS, reader_of
from training.slicing.volumes import Labelled


def is_frame(path: Path) -> bool:
    """Whether a file holds one 2D picture, whatever singleton axes it has.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it cannot be read.
    """
    return _flat_size(_header(path)) is not None


def read_frame(us: Path, label: Path) -> Labelled:
    """Read one 2D picture and its mask as a stack of one; extra singleton axes are ignored.

    Raises:
        NotFoundError: if a file is missing.
        FormatError: if a file cannot be read, is not 2D, has another shape than the other, or has no scale.
    """
    size, spacing = _flat_size(_header(us)), frame_spacing(us)
    if size is None or size != _flat_size(_header(label)):
        raise FormatError(f"{label} has another shape than {us}: one mask a picture is needed.")
    if spacing is None:
        raise FormatError(f"{us} has no scale, its pixels are 1 × 1 mm: name theirs to 'ius-train cases' (--pixel-mm).")
    (cols, rows), (col_mm, row_mm) = size, spacing
    pixels, mask = (read_pixels(path).reshape(1, rows, cols) for path in (us, label))
    return Labelled(pixels, mask > 0, (float("nan"), row_mm, col_mm))


def frame_spacing(path: Path) -> tuple[float, float] | None:
    """(x, y) mm of a 2D picture's pixels; None where the header says 1 × 1, which stands for no known scale."""
    header = _header(path)
    kept = [mm for n, mm in zip(header.GetSize(), header.GetSpacing(), strict=True) if n > 1]
    if len(kept) != 2 or kept == [1.0, 1.0]:
        return None
    return kept[0], kept[1]


def read_pixels(path: Path) -> NDArray[np.float32]:
    """A file's pixels as float32, as many axes as it has.

    Raises:
        FormatError: if it cannot be read, or is cut short.
    """
    if suffix_of(path) in READERS:
        reader_of(path)(path)  # refuses a file that is cut short, which ITK fills up with zeros
    try:
        pixels: NDArray[np.float32] = sitk.GetArrayFromImage(sitk.ReadImage(str(path), sitk.sitkFloat32))
    except RuntimeError as error:
        raise FormatError(f"{path} cannot be read as an image: is it whole?") from error
    return pixels


def _header(path: Path) -> sitk.ImageFileReader:
    """What a file says before its pixels."""
    if not path.is_file():
        raise NotFoundError(f"There is no image at {path}.")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise FormatError(f"{path} cannot be read as an image: is it whole?") from error
    return reader


def _flat_size(header: sitk.ImageFileReader) -> tuple[int, int] | None:
    """(cols, rows) if all other axes have one pixel, else None."""
    size = [n for n in header.GetSize() if n > 1]
    return (size[0], size[1]) if len(size) == 2 else None
