"""What a decoder does not report about a picture file: its end, its pages, what is up, white and square."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

PAGES = 10_000
"""Most pages in a TIFF."""
ENTRIES = 64
"""So many entries of a page are looked at: they are in the order of their tags, and those wanted come first."""
_PNG = b"\x89PNG\r\n\x1a\n"
_SIZED = range(0xC0, 0xFF)
_APP0, _APP1 = 0xE0, 0xE1
_ORIENTATION, _PHOTOMETRIC, _ACROSS, _DOWN = 274, 262, 282, 283
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_WHITE_IS_0 = 0
_ROUND = 1.001
"""How far densities that are meant to be equal may differ: they are whole numbers."""
_TURNS: dict[float, tuple[int, bool]] = {
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (1, True),
    6: (3, False),
    7: (3, True),
    8: (1, False),
}
"""EXIF orientation to quarter turns to the left, and whether left and right are exchanged first (EXIF 2.32, 4.6.4)."""


def end_of(data: bytes) -> int | None:
    """Where the picture ends, since others may follow; None if it is cut short, which OpenCV would fill with grey."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_end(data)
    return _png_end(data) if data.startswith(_PNG) else len(data)


def _jpeg_end(data: bytes) -> int | None:
    """The position after the end marker of the outermost picture: previews inside have their own (ITU-T T.81, B.1)."""
    at = 2
    while 0 <= at < len(data) - 1:
        at = data.find(b"\xff", at)
        if at < 0 or at >= len(data) - 1:
            return None
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _png_end(data: bytes) -> int | None:
    """The position after the chunk IEND."""
    at = len(_PNG)
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        at += 12 + length
        if kind == b"IEND":
            return at if at <= len(data) else None
    return None


def tiff_pages(data: bytes) -> list[dict[int, float]] | None:
    """Of each page of a TIFF, its tags that hold one number; none for other files.

    None if the chain of pages has no end, which a decoder learns only by following it.
    """
    kind = _KINDS.get(data[:4])
    if kind is None or len(data) < 16:
        return []
    pages: list[dict[int, float]] = []
    seen: set[int] = set()
    at = kind.number(data, kind.first, kind.offset)
    while at and at not in seen and len(seen) < PAGES and at + kind.offset <= len(data):
        seen.add(at)
        entries = kind.number(data, at, kind.count)
        after = at + kind.count + kind.entry * entries
        if after + kind.offset > len(data):
            return pages  # cut short: the decoder reports that
        pages.append(dict(kind.numbers(data, at)))
        at = kind.number(data, after, kind.offset)
    return pages if at == 0 or at + kind.offset > len(data) else None


@dataclass(frozen=True, slots=True)
class _Tiff:
    """The order and the sizes of a TIFF's numbers (TIFF 6.0, section 2; BigTIFF has 8 bytes where it has 4 or 2)."""

    order: Literal["little", "big"]
    first: int
    offset: int
    count: int
    entry: int

    def number(self, data: bytes, at: int, size: int) -> int:
        """A whole number of `size` bytes."""
        return int.from_bytes(data[at : at + size], self.order)

    def numbers(self, data: bytes, at: int) -> Iterator[tuple[int, float]]:
        """(tag, first value) of each entry of the directory at `at` whose type is SHORT, LONG or RATIONAL."""
        start, entries = at + self.count, min(ENTRIES, self.number(data, at, self.count))
        for place in range(start, min(start + self.entry * entries, len(data) - self.entry + 1), self.entry):
            tag, kind, value = self.number(data, place, 2), self.number(data, place + 2, 2), place + 4 + self.offset
            if kind in (_SHORT, _LONG):
                yield tag, self.number(data, value, 2 if kind == _SHORT else 4)
            elif kind == _RATIONAL:
                lies = value if self.offset == 8 else self.number(data, value, 4)
                yield tag, self.number(data, lies, 4) / (self.number(data, lies + 4, 4) or 1)


_KINDS = {
    b"II*\0": _Tiff("little", 4, 4, 2, 12),
    b"MM\0*": _Tiff("big", 4, 4, 2, 12),
    b"II+\0": _Tiff("little", 8, 8, 8, 20),
    b"MM\0+": _Tiff("big", 8, 8, 8, 20),
}


def white_high(pictures: list[NDArray[Any]], pages: list[dict[int, float]]) -> list[NDArray[Any]] | None:
    """The pages of a TIFF, by their `tiff_pages`, with white as the greatest value; None if that is not known.

    A decoder turns pages of 8 bits whose white is 0 (PhotometricInterpretation 0) by itself, deeper ones it does not.
    """
    turned = [page.get(_PHOTOMETRIC) == _WHITE_IS_0 for page in pages]
    deep = [picture.dtype != np.uint8 for picture in pictures]
    if not any(turned) or not any(deep):
        return pictures
    if len(pages) != len(pictures) or any(picture.dtype.kind != "u" for picture in pictures):
        return None
    flipped = [white and far for white, far in zip(turned, deep, strict=True)]
    return [np.iinfo(it.dtype).max - it if flip else it for it, flip in zip(pictures, flipped, strict=True)]


def upright(picture: NDArray[Any], data: bytes) -> NDArray[Any]:
    """The picture turned as its EXIF orientation (274) says; unchanged without one."""
    turns, mirrored = _TURNS.get(_exif_number(data, _ORIENTATION), (0, False))
    picture = picture[:, ::-1] if mirrored else picture
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns or mirrored else picture


def turned(data: bytes, pages: list[dict[int, float]]) -> set[float]:
    """How the picture is to be turned, by EXIF's or a TIFF's orientation; empty if it is upright."""
    stated = {_exif_number(data, _ORIENTATION), *(page.get(_ORIENTATION, 1) for page in pages)}
    return stated & set(_TURNS)


def pixel_aspect(data: bytes, pages: list[dict[int, float]]) -> float | None:
    """Width of a pixel over its height, as shown; 1 if the file does not say, None if it does not say which is which.

    From dots per length across and down: PNG's pHYs, JFIF's or EXIF's in a JPEG, a TIFF's pages, a BMP's header; they
    have to agree. JFIF without a unit states a ratio, which FFmpeg reads the other way round than the standard.

    Args:
        data: the file.
        pages: its `tiff_pages`.
    """
    densities = {density for density in _densities(data, pages) if min(density) > 0}
    ratios = sorted(down / across for across, down in densities)
    if not ratios:
        return 1.0
    unclear = ratios[-1] > ratios[0] * _ROUND or (_is_unitless(data) and not 1 / _ROUND < ratios[0] < _ROUND)
    if unclear:
        return None
    lying = any(_TURNS[number][0] % 2 for number in turned(data, pages))
    return 1 / ratios[0] if lying else ratios[0]


def _densities(data: bytes, pages: list[dict[int, float]]) -> Iterator[tuple[float, float]]:
    """(across, down) dots per length, wherever the file states them."""
    if data.startswith(_PNG):
        for kind, body in _chunks(data):
            if kind == b"pHYs" and len(body) == 9:
                yield int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
    for body in _jfif(data):
        yield int.from_bytes(body[8:10], "big"), int.from_bytes(body[10:12], "big")
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") >= 40:
        yield int.from_bytes(data[38:42], "little"), int.from_bytes(data[42:46], "little")
    for page in (*pages, *map(_numbers, _exif(data))):
        yield page.get(_ACROSS, 0), page.get(_DOWN, 0)


def _jfif(data: bytes) -> Iterator[bytes]:
    """The segment of a JPEG that says that it is JFIF (JFIF 1.02, page 5)."""
    if data.startswith(b"\xff\xd8"):
        yield from (body for marker, body in jpeg_segments(data) if marker == _APP0 and body.startswith(b"JFIF\0"))


def _is_unitless(data: bytes) -> bool:
    return any(body[7:8] == b"\0" for body in _jfif(data))


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, body) of each segment of a JPEG before its first scan (ITU-T T.81, B.1)."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] in _SIZED and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at + 1], data[at + 4 : at + 2 + length]
        at += 2 + length


def _exif_number(data: bytes, tag: int) -> float:
    """A number of the EXIF of a JPEG or PNG; 1 if it is not there. Of a TIFF, the decoder applies the orientation."""
    return next(map(_numbers, _exif(data)), {}).get(tag, 1)


def _numbers(exif: bytes) -> dict[int, float]:
    """The tags of EXIF's block that hold one number."""
    kind = _KINDS.get(exif[:4])
    if kind is None or len(exif) < 8:
        return {}
    return dict(kind.numbers(exif, kind.number(exif, kind.first, kind.offset)))


def _exif(data: bytes) -> Iterator[bytes]:
    """EXIF's own block, a small TIFF: in a JPEG's APP1, or in a PNG's chunk eXIf."""
    if data.startswith(b"\xff\xd8"):
        for marker, body in jpeg_segments(data):
            if marker == _APP1 and body.startswith(b"Exif\0\0"):
                yield body[6:]
    if data.startswith(_PNG):
        yield from (body for kind, body in _chunks(data) if kind == b"eXIf")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of each whole chunk of a PNG."""
    at = len(_PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length
