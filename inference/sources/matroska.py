"""What a Matroska file tells beside its pictures: its checksums, and how many videos it holds.

Checksums are the only thing that tells damage of codecs which hide it, as HEVC, VP8 and VP9 do. FFmpeg, and recorders
that use it, write one into each cluster of an .mkv (RFC 9559, 5.1.3 and RFC 8794, 11.3.1), none into WebM, and does not
look at them when it reads.
"""

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT, _CLUSTER, _INFO, _TRACKS = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1549A966, 0x1654AE6B
_TRACK, _KIND, _VIDEO = 0xAE, 0x83, 1
"""Identifiers of Matroska (RFC 9559), and its number for a video."""
_OTHERS = (0x114D9B74, _TRACKS, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0xEC, 0xBF, _INFO)
"""What else there is at this level: SeekHead, Tracks, Cues, Attachments, Chapters, Tags, Void, CRC-32."""
_SCALE, _TIME = 0x2AD7B1, 0xE7
_MARK = _CLUSTER.to_bytes(4, "big")
_CHUNK = 1 << 20
_ELEMENTS = 27
"""So many are looked at before the list of tracks, which stands near the beginning."""
_NS = 1e6
"""Nanoseconds of a millisecond, which is the usual unit of a file's times."""


def torn_ms(path: Path) -> tuple[tuple[float, float], ...]:
    """When what is damaged by its checksum begins and the next whole cluster does, ms since the first cluster.

    None where a file has no checksums, or is no Matroska.

    Raises:
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(4) != _EBML.to_bytes(4, "big"):
            return ()
        file.seek(0)
        clusters = list(_clusters(file))
    times = [time for time, whole in clusters if whole]
    if not times:
        return ()
    first = clusters[0][0]
    if not (clusters[0][1] or first < times[0]):
        return ((-math.inf, math.inf),)  # nobody knows then when anything is
    spans = list[tuple[float, float]]()
    for at, (time, whole) in enumerate(clusters):
        if not whole:
            before = max((it for it, fine in clusters[:at] if fine), default=-math.inf)
            after = next((it for it, fine in clusters[at + 1 :] if fine), math.inf)
            spans.append(((time if before < time < after else before) - first, after - first))
    return tuple(spans)


def videos(file: BinaryIO) -> int:
    """Number of tracks that are videos; 0 if no list of tracks is found."""
    file.seek(0)
    for _ in range(_ELEMENTS):
        kind, length = _number(file, marked=True), _number(file)
        if kind == _TRACKS:
            return _videos(file, _CHUNK if length is None else min(length, _CHUNK))
        if kind == _SEGMENT:
            continue
        if kind in (None, _CLUSTER) or length is None:
            break
        file.seek(length, 1)
    return 0


def _videos(file: BinaryIO, length: int) -> int:
    count, end = 0, file.tell() + length
    while file.tell() < end:
        kind, size = _number(file, marked=True), _number(file)
        if kind is None or size is None:
            break
        if kind == _KIND:
            count += int.from_bytes(file.read(min(size, 8)), "big") == _VIDEO
        elif kind != _TRACK:
            file.seek(size, 1)
    return count


def _clusters(file: BinaryIO) -> Iterator[tuple[float, bool]]:
    """Time in ms of each cluster and whether its checksum is there and right; NaN where its own head is damaged.

    A last one that is cut short is left out: the pictures before the cut are whole.
    """
    scale, size = 1.0, file.seek(0, 2)
    file.seek(0)
    while (start := file.tell()) < size:
        kind, length = _number(file, marked=True), _number(file)
        if kind == _SEGMENT:
            continue
        if length is None or kind not in (_EBML, _CLUSTER, *_OTHERS):
            yield math.nan, False
            if not _to_next(file, start + 1):
                return
            continue
        body, end = file.tell(), file.tell() + length
        if end > size:
            if not _to_next(file, start + 1):
                return
            yield math.nan, False
            continue
        if kind == _INFO:
            scale = _scale(file.read(min(length, _CHUNK)))
        if kind == _CLUSTER:
            stated = file.read(6)
            time = _time(file) * scale
            file.seek(body + 6)
            yield time, stated[:2] == b"\xbf\x84" and _sum(file, length - 6) == int.from_bytes(stated[2:], "little")
        file.seek(end)


def _scale(info: bytes) -> float:
    """Milliseconds of one of the file's units."""
    at = info.find(_SCALE.to_bytes(3, "big"))
    size = info[at + 3] & 0x7F if 0 <= at < len(info) - 4 else 0
    return int.from_bytes(info[at + 4 : at + 4 + size], "big") / _NS if size else 1.0


def _time(file: BinaryIO) -> float:
    """The time with which a cluster begins."""
    if _number(file, marked=True) != _TIME:
        return math.nan
    return float(int.from_bytes(file.read(min(_number(file) or 0, 8)), "big"))


def _sum(file: BinaryIO, length: int) -> int:
    """The CRC-32 of the next bytes."""
    found = 0
    while length > 0 and (chunk := file.read(min(length, _CHUNK))):
        found, length = zlib.crc32(chunk, found), length - len(chunk)
    return found if length <= 0 else -1


def _to_next(file: BinaryIO, at: int) -> bool:
    """Move to the next cluster's mark; False if there is none."""
    file.seek(at)
    kept = b""
    while chunk := file.read(_CHUNK):
        if (place := (kept + chunk).find(_MARK)) >= 0:
            file.seek(at - len(kept) + place)
            return True
        at, kept = at + len(chunk), (kept + chunk)[-3:]
    return False


def _number(file: BinaryIO, *, marked: bool = False) -> int | None:
    """A number of EBML (RFC 8794, 4), with the bit that tells its length if `marked`; None if unknown or not there."""
    head = file.read(1)
    if not head or head == b"\0":
        return None
    further = 8 - head[0].bit_length()
    rest = file.read(further)
    value = int.from_bytes(bytes([head[0] if marked else head[0] & (0xFF >> (further + 1))]) + rest, "big")
    unknown = not marked and value == (1 << (7 * (further + 1))) - 1
    return None if unknown or len(rest) < further else value
