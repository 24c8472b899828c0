"""Single 2D pictures and their masks, as data sets of frames hold them."""

from pathlib import Path

import cv2
import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray

from inference.errors import FormatError, NotFoundError
from inference.sources.complaints import heard
from inference.sources.grid import CLEAR, DISAGREEMENT, Volume
from inference.sources.images import PictureSource
from inference.sources.paths import PICTURES, suffix_of
from inference.sources.volume import READERS, reader_of
from training.cohort.mask_checks import check_mask
from training.registration.volume import finite, refuse_dicom
from training.slicing.volumes import Labelled


def is_frame(path: Path) -> bool:
    """Whether a file holds one 2D picture, whatever singleton axes it has.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it cannot be read.
    """
    return _flat_size(_header(path)) is not None


def read_frame(us: Path, label: Path) -> Labelled:
    """Read one 2D picture and its mask as a stack of one; extra singleton axes are ignored. The mask may be empty.

    Raises:
        NotFoundError: if a file is missing.
        FormatError: if a file cannot be read, is not 2D or has no scale, or if the mask cannot be the picture's.
    """
    size, spacing = _flat_size(_header(us)), frame_spacing(us)
    if size is None or size != _flat_size(_header(label)):
        raise FormatError(f"{label} has another shape than {us}: one mask a picture is needed.")
    if spacing is None:
        raise FormatError(f"{us} has no scale that can be used: name its pixels' to 'ius-train cases' (--pixel-mm).")
    _refuse_another_place(us, label, spacing)
    (cols, rows), (col_mm, row_mm) = size, spacing
    pixels, mask = (read_pixels(path).reshape(1, rows, cols) for path in (us, label))
    if (mask > 0).any():
        check_mask(pixels, mask, label)
    return Labelled(pixels, mask > 0, (float("nan"), row_mm, col_mm))


def frame_spacing(path: Path) -> tuple[float, float] | None:
    """(x, y) mm of a 2D picture's pixels, as the viewer reads them; None where there is no scale.

    Formats that the viewer has no volumes of have none: ITK takes the printer's dots per inch of a JPEG or TIFF for
    one. Neither has a header that says 1 × 1.
    """
    grid = _grid(path)
    if grid is None or grid.two_places:
        return None
    sides = zip(reversed(grid.voxels.shape), grid.spacing, strict=True)
    kept = [mm for n, mm in sides if n > 1]
    if len(kept) != 2 or kept[0] is None or kept[1] is None or kept == [1.0, 1.0]:
        return None
    return kept[0], kept[1]


def _refuse_another_place(us: Path, label: Path, spacing: tuple[float, float]) -> None:
    """Refuse a mask whose header states other millimetres or another direction than the picture's.

    Raises:
        FormatError: if so; a header that states neither is believed.
    """
    here, there, drawn = _grid(us), _grid(label), frame_spacing(label)
    other = drawn is not None and not np.allclose(drawn, spacing, rtol=DISAGREEMENT)
    if here is not None and there is not None and here.directions is not None and there.directions is not None:
        other |= bool(((here.directions * there.directions).sum(axis=0) < CLEAR).any())
    if other:
        raise FormatError(f"{label} is not on the grid of {us}: is it another picture's mask, or a mirrored one?")


def _grid(path: Path) -> Volume | None:
    """The file as the viewer reads it; None if it has no reader of its own."""
    return reader_of(path)(path) if suffix_of(path) in READERS else None


def read_pixels(path: Path) -> NDArray[np.float32]:
    """A file's pixels as float32, as many axes as it has.

    A picture is read as the viewer reads it: colours by their luma, and none that is damaged; what is no number is 0.

    Raises:
        FormatError: if it cannot be read, or is cut short.
    """
    if suffix_of(path) in PICTURES:
        return _picture(path)
    if suffix_of(path) in READERS:
        reader_of(path)(path)  # refuses a file that is cut short, which ITK fills up with zeros
    try:
        pixels: NDArray[np.float32] = sitk.GetArrayFromImage(sitk.ReadImage(str(path), sitk.sitkFloat32))
    except RuntimeError as error:
        raise FormatError(f"{path} cannot be read as an image: is it whole?") from error
    return finite(pixels)


def _picture(path: Path) -> NDArray[np.float32]:
    """A picture file's grey values.

    Raises:
        FormatError: if it is damaged or holds several, if its pixels are not square, or if it is to be turned: nobody
            knows then whether its mask was drawn on it as it lies, or as it is shown.
    """
    with heard(), PictureSource(path) as source:
        if len(source) != 1:
            raise FormatError(f"{path} holds {len(source)} pictures: export each by itself, with its mask.")
        if source.turned:
            raise FormatError(f"{path} is to be turned as its EXIF says: save it and its mask upright.")
        if source.info.pixel_aspect != 1:
            raise FormatError(f"{path}: {source.info.notice} Resample it and its mask to square ones.")
        return source.read(0).pixels.astype(np.float32)


def read_mask_pixels(path: Path) -> NDArray[np.float32]:
    """A mask's pixels, as `read_pixels`.

    Raises:
        FormatError: also if it is a picture file in colours or with transparency, which grey values lose.
    """
    pixels = read_pixels(path)
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if suffix_of(path) in PICTURES else None
    if stored is not None and stored.ndim == 3:
        rest = stored[..., 3:]
        if (stored[..., :3] != stored[..., :1]).any() or (rest != rest[:1, :1]).any():
            raise FormatError(f"{path} is coloured or transparent: save the mask as grey values, 0 where no tumour is.")
    return pixels


def _header(path: Path) -> sitk.ImageFileReader:
    """What a file says before its pixels."""
    if not path.is_file():
        raise NotFoundError(f"There is no image at {path}.")
    refuse_dicom(path)
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
