"""What a video's container says and OpenCV does not: how many videos there are, and whether one is shown mirrored."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from inference.sources import matroska

LARGEST = 1 << 26
"""Bytes of a table of contents that are read at most: hours of video."""
HEAD = 1 << 16
"""Bytes that hold an AVI's list of streams."""
_STRAIGHT = 0.01
"""How far a matrix may be off a quarter turn."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """The videos in a file.

    Attributes:
        count: how many; 1 where that is not known.
        turned: the first one is to be shown mirrored or at an angle that is no quarter turn.
    """

    count: int = 1
    turned: bool = False


def tracks_of(path: Path) -> Tracks:
    """The videos of an MP4, MOV, Matroska, WebM or AVI file; of any other, and of a damaged one, one is assumed.

    Raises:
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return _iso(file)
        if head.startswith(b"\x1a\x45\xdf\xa3"):
            return Tracks(max(1, matroska.videos(file)))
        if head.startswith(b"RIFF"):
            return Tracks(max(1, len(re.findall(rb"strh....vids", file.read(HEAD), re.DOTALL))))
    return Tracks()


def _iso(file: BinaryIO) -> Tracks:
    """Of an MP4 or MOV, by its table of contents (ISO/IEC 14496-12: moov, trak, tkhd, hdlr)."""
    moov = _contents(file)
    movie = next((body for kind, body in _boxes(moov) if kind == b"mvhd"), b"")
    turns = []
    for _, track in (box for box in _boxes(moov) if box[0] == b"trak"):
        boxes = dict(_boxes(track))
        handler = dict(_boxes(boxes.get(b"mdia", b""))).get(b"hdlr", b"")
        if handler[8:12] == b"vide":
            turns.append(_matrix(boxes.get(b"tkhd", b""), 40) @ _matrix(movie, 36))
    return Tracks(max(1, len(turns)), bool(turns) and not _is_quarter(turns[0]))


def _contents(file: BinaryIO) -> bytes:
    """The body of `moov`; nothing if there is none."""
    at, size = 0, file.seek(0, 2)
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length, begins = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, begins = int.from_bytes(head[8:16], "big"), 16
        if head[4:8] == b"moov":
            file.seek(at + begins)
            return file.read(min(max(0, length - begins), LARGEST))
        if length < begins:
            break
        at += length
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + length]
        at += max(length, 8)


def _matrix(box: bytes, at: int) -> NDArray[np.float64]:
    """(2, 2) of a header's transformation, 12 bytes later in version 1; all zeros stand for none, as in FFmpeg."""
    at += 12 if box[:1] == b"\1" else 0
    numbers = [int.from_bytes(box[place : place + 4], "big", signed=True) for place in range(at, at + 20, 4)]
    matrix: NDArray[np.float64] = np.array([numbers[:2], numbers[3:5]], np.float64)
    return matrix if matrix.any() else np.eye(2)


def _is_quarter(matrix: NDArray[np.float64]) -> bool:
    """Whether a matrix turns by quarters, and perhaps stretches: such ones OpenCV applies."""
    sides = np.abs(matrix)
    straight = sides.min(axis=0).max() <= _STRAIGHT * sides.max()
    return bool(straight and np.linalg.det(matrix) > 0)
