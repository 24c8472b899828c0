"""Picture files, and folders of them: PNG, JPEG, TIFF (also with several pages), BMP. They do not know the scale."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from cv2.utils import logging
from numpy.typing import NDArray

from inference.display import display_levels
from inference.errors import FormatError, NotFoundError
from inference.frame import ColourMap, Origin, Pixels, View
from inference.source_info import SQUARE, SourceInfo, shape_words
from inference.sources import complaints
from inference.sources.colour import colour_map
from inference.sources.paths import PICTURES, RECORDS, VIDEOS, VOLUMES, natural_order, suffix_of
from inference.sources.picture_file import end_of, pixel_aspect, tiff_pages, turned, upright, white_high
from inference.sources.pixels import as_pixels, luma
from inference.sources.recorded import Recorded, quiet_opencv
from inference.spacing import REMEDY, PixelSpacing

NO_SCALE = f"A picture file does not say how large a pixel is: {REMEDY}."


class PictureSource(Recorded):
    """One picture file; each page of a TIFF is a frame.

    Attributes:
        turned: whether it is shown otherwise than its rows and columns lie in the file, as its EXIF says.
    """

    def __init__(self, path: Path, *, typed: PixelSpacing | None = None) -> None:
        pictures = _read(path)
        self._seen_pages, self.turned = pictures.pages, pictures.turned
        pages = [page for page, _ in self._seen_pages]
        _same_size([(path.name, page) for page in pages])
        super().__init__(_info(path.name, pages[0], pages, pictures.aspect), typed)

    def __len__(self) -> int:
        """Number of pages."""
        return len(self._seen_pages)

    def _pixels(self, index: int) -> Pixels:
        return self._seen_pages[index][0]

    def _seen(self, index: int) -> tuple[Pixels, ColourMap | None]:
        return self._seen_pages[index]


class FolderSource(Recorded):
    """A folder of pictures of one size, in natural order (2 before 10).

    Every file is read on opening, so that a run of an hour does not end at its last picture; none is kept.
    """

    def __init__(self, folder: Path, *, typed: PixelSpacing | None = None) -> None:
        shown = [path for path in folder.iterdir() if not path.name.startswith(".")]  # other computers' leftovers
        self._paths = natural_order(path for path in shown if path.suffix.lower() in PICTURES)
        if not self._paths:
            raise FormatError(f"The folder {folder.name} holds no picture or DICOM file: {_instead(shown)}.")
        (first, _), aspect = self._picture(0)
        samples = [first]
        every = max(1, len(self._paths) // 8)
        for index in range(1, len(self._paths)):
            (picture, _), other = self._picture(index)
            _same_size([(self._paths[0].name, first), (self._paths[index].name, picture)])
            if not math.isclose(aspect, other, rel_tol=SQUARE):
                raise FormatError(f"The pixels of {self._paths[index].name} have another shape than those before it.")
            if index % every == 0:
                samples.append(picture)
        super().__init__(_info(folder.name, first, samples, aspect), typed)

    def __len__(self) -> int:
        """Number of files."""
        return len(self._paths)

    def _pixels(self, index: int) -> Pixels:
        return self._seen(index)[0]

    def _seen(self, index: int) -> tuple[Pixels, ColourMap | None]:
        return self._picture(index)[0]

    def _picture(self, index: int) -> tuple[tuple[Pixels, ColourMap | None], float]:
        """One picture, and the width of its pixels over their height."""
        pages, aspect, _ = _read(self._paths[index])
        if len(pages) > 1:
            raise FormatError(f"{self._paths[index].name} holds {len(pages)} pages: open it by itself.")
        return pages[0], aspect


def _instead(shown: list[Path]) -> str:
    """What is to be done about a folder without pictures: volumes, videos and records are opened one by one."""
    single = natural_order(path for path in shown if suffix_of(path) in VOLUMES + VIDEOS + RECORDS)
    return f"open one of its files by itself, as {single[0].name}" if single else "name another one"


class _Pictures(NamedTuple):
    """What one file holds.

    Attributes:
        pages: the grey values at the file's own bit depth, and where each page was coloured.
        aspect: width of a pixel over its height.
        turned: whether the pages were turned or mirrored as the file says.
    """

    pages: list[tuple[Pixels, ColourMap | None]]
    aspect: float
    turned: bool


def _read(path: Path) -> _Pictures:
    """The pictures of one file.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it is not a picture, or an incomplete one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read ({error.strerror}): check its name and rights.") from error
    end = end_of(data)
    if end is None:
        raise FormatError(f"{path.name} ends in the middle of the picture: copy it again.")
    listed = tiff_pages(data)
    if listed is None:
        raise FormatError(f"{path.name} is a TIFF whose pages have no end, or too many: export it again.")
    data = data[:end]
    complaints.new()
    found, pages = _decode(data)
    if not found:
        raise FormatError(f"{path.name} is not a picture that can be read: give a PNG, JPEG, TIFF or BMP file.")
    said = complaints.new()
    if complaints.is_partial(said, data) or complaints.is_torn(said):
        raise FormatError(f"{path.name} is damaged, and a part of the picture is missing: copy it again.")
    bright = white_high(pages, listed)
    if bright is None:
        raise FormatError(f"{path.name} does not say how white its white is: export it with black as 0.")
    aspect = pixel_aspect(data, listed)
    if aspect is None:
        raise FormatError(f"{path.name} does not say which way its pixels are longer: export it with square pixels.")
    shown = [upright(page, data) for page in bright]
    seen = [(as_pixels(_grey(page)), colour_map(page, order="BGR")) for page in shown]
    return _Pictures(seen, aspect, bool(turned(data, listed)))


def _decode(data: bytes) -> tuple[bool, list[NDArray[Any]]]:
    if not data:
        return False, []
    try:
        with quiet_opencv(logging.LOG_LEVEL_WARNING if complaints.listens() else logging.LOG_LEVEL_SILENT):
            found, pages = cv2.imdecodemulti(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return False, []
    return found, list(pages)


def _grey(picture: NDArray[Any]) -> NDArray[Any]:
    if picture.ndim == 2:
        return picture
    return picture[..., 0] if picture.shape[2] < 3 else luma(picture, order="BGR")


def _same_size(pictures: list[tuple[str, Pixels]]) -> None:
    (first, wanted), *others = pictures
    for name, picture in others:
        if picture.shape != wanted.shape or picture.dtype != wanted.dtype:
            raise FormatError(
                f"{name} is {picture.shape[1]}×{picture.shape[0]} {picture.dtype}, {first} is "
                f"{wanted.shape[1]}×{wanted.shape[0]} {wanted.dtype}: pictures of one sequence must have one size."
            )


def _info(name: str, first: Pixels, samples: list[Pixels], aspect: float) -> SourceInfo:
    square = math.isclose(aspect, 1, rel_tol=SQUARE)
    return SourceInfo(
        origin=Origin(name, View.UNKNOWN),
        rows=first.shape[0],
        cols=first.shape[1],
        spacing=None,
        no_spacing_reason=NO_SCALE,
        levels=display_levels(np.stack(samples)),
        notice=shape_words(name, aspect),
        pixel_aspect=1.0 if square else aspect,
    )
