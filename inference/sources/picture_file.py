"""What a decoder does not report about a picture file: where it ends, whether its pages do, and which way is up."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAGES = 10_000
"""Most pages in a TIFF."""
_PNG = b"\x89PNG\r\n\x1a\n"
_TURNS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (1, True), 6: (3, False), 7: (3, True), 8: (1, False)}
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


def tiff_ends(data: bytes) -> bool:
    """Whether a TIFF's chain of pages ends, which a decoder learns only by following it; True for other files."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return True
    seen: set[int] = set()
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    while at and at not in seen and len(seen) < PAGES and at + 2 <= len(data):
        seen.add(at)
        (entries,) = struct.unpack_from(f"{order}H", data, at)
        after = at + 2 + 12 * entries
        if after + 4 > len(data):
            return True  # cut short: the decoder reports that
        (at,) = struct.unpack_from(f"{order}I", data, after)
    return bool(at == 0 or at + 2 > len(data))


def upright(picture: NDArray[Any], data: bytes) -> NDArray[Any]:
    """The picture turned as its EXIF orientation (274) says; unchanged without one."""
    turns, mirrored = _TURNS.get(_orientation(data), (0, False))
    picture = picture[:, ::-1] if mirrored else picture
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns or mirrored else picture


def _orientation(data: bytes) -> int:
    """A JPEG's EXIF orientation; 1 is upright."""
    start = data.find(b"Exif\0\0", 0, 1 << 16) if data.startswith(b"\xff\xd8") else -1
    tiff = data[start + 6 : start + 6 + (1 << 16)]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if start < 0 or order is None or len(tiff) < 8:
        return 1
    (at,) = struct.unpack_from(f"{order}I", tiff, 4)
    if at + 2 > len(tiff):
        return 1
    (entries,) = struct.unpack_from(f"{order}H", tiff, at)
    for place in range(at + 2, min(at + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, kind = struct.unpack_from(f"{order}HH", tiff, place)
        if (tag, kind) == (274, 3):
            return int(struct.unpack_from(f"{order}H", tiff, place + 8)[0])
    return 1
