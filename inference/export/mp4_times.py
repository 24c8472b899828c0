"""Gives each picture of an MP4 its own time (ISO/IEC 14496-12, stts): OpenCV's writer knows only a constant rate."""

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from inference.errors import OutputError
from inference.version import SOFTWARE

TICKS = 1000
"""Ticks a second: times are right to half a millisecond, and errors do not add up."""
_HOLDERS = frozenset({b"trak", b"mdia", b"minf", b"stbl"})
_ENGLISH = 0x15C7
"""`eng`, packed as ISO 639-2 codes are in these files."""
_HEAD = struct.Struct(">I4s")
_EMPTY = "{} cannot be written whole: free space on the disk, or choose another folder."


def retime(path: Path, times_s: Sequence[float]) -> None:
    """Set when each picture is shown; the first is shown at once, and the last for as long as the one before it.

    Args:
        path: an MP4 of one video track whose table of contents stands at its end, as FFmpeg writes it.
        times_s: one time a picture, ascending, seconds.

    Raises:
        OutputError: if the file does not hold exactly so many pictures: the disk was full.
    """
    at, moov = _contents(path)
    if at is None or _pictures(moov) != len(times_s):
        raise OutputError(_EMPTY.format(path.name))
    lasting = durations(times_s)
    whole = sum(lasting)
    changes: Mapping[bytes, Callable[[bytes], bytes]] = {
        b"mvhd": lambda body: body[:12] + struct.pack(">II", TICKS, whole) + body[20:],
        b"mdhd": lambda body: body[:12] + struct.pack(">II", TICKS, whole) + body[20:],
        b"tkhd": lambda body: body[:20] + struct.pack(">I", whole) + body[24:],
        b"udta": lambda body: body + _box(b"\xa9swr", struct.pack(">HH", len(SOFTWARE), _ENGLISH) + SOFTWARE.encode()),
        b"stts": lambda _: struct.pack(">II", 0, len(lasting)) + b"".join(struct.pack(">II", 1, d) for d in lasting),
    }
    body = _changed(moov, changes)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(_box(b"moov", body))
        file.truncate()


def durations(times_s: Sequence[float]) -> list[int]:
    """How long each picture is shown, in ticks; at least one."""
    ticks = np.rint((np.asarray(times_s) - times_s[0]) * TICKS).astype(np.int64)
    ticks = np.maximum.accumulate(ticks - np.arange(len(ticks))) + np.arange(len(ticks))  # no two at once
    lasting = np.diff(ticks).tolist()
    return [*lasting, lasting[-1] if lasting else TICKS]


def _contents(path: Path) -> tuple[int | None, bytes]:
    """Where the table of contents (moov) begins, and what is in it; None if there is none."""
    with path.open("rb") as file:
        size, at = path.stat().st_size, 0
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, kind = _HEAD.unpack(head)
            length = int.from_bytes(file.read(8)) if length == 1 else length
            if kind == b"moov" and at + length == size:
                return at, file.read()
            if length < _HEAD.size:
                break
            at += length
            file.seek(at)
    return None, b""


def _pictures(data: bytes) -> int:
    """Number of pictures, as the table of their sizes (stsz) has it."""
    for kind, body in _boxes(data):
        if kind in _HOLDERS and (found := _pictures(body)):
            return found
        if kind == b"stsz":
            return int.from_bytes(body[8:12])
    return 0


def _changed(data: bytes, changes: Mapping[bytes, Callable[[bytes], bytes]]) -> bytes:
    """The boxes with these changed, without edit lists, which state the old duration once more."""
    parts = []
    for kind, body in _boxes(data):
        if kind == b"edts":
            continue
        change = (lambda held: _changed(held, changes)) if kind in _HOLDERS else changes.get(kind, bytes)
        content = change(body)
        parts.append(_box(kind, content))
    return b"".join(parts)


def _box(kind: bytes, content: bytes) -> bytes:
    return _HEAD.pack(_HEAD.size + len(content), kind) + content


def _boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and content of each box."""
    found, at = [], 0
    while at + _HEAD.size <= len(data):
        length, kind = _HEAD.unpack_from(data, at)
        found.append((kind, data[at + _HEAD.size : at + length]))
        at += max(length, _HEAD.size)
    return found
