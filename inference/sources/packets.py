"""The compressed pictures of a video, and their bytes that state the picture's size.

OpenCV silently scales every later picture to the size of the first one. Its raw mode returns the compressed pictures;
when the bytes that state the size change, a newly opened decoder tells the true size.
"""

import io
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2

Size = tuple[int, int]
"""(rows, cols)."""
HEADS = 8192
"""Bytes of a compressed picture that contain its headers, which come before the picture itself."""
_START = b"\x00\x00\x01"
_JPEG_FRAME = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]..(.....)", re.DOTALL)
"""SOFn: length, then precision, rows and columns (ITU-T T.81, B.2.2)."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How a codec's pictures are passed to a decoder, and where they state their size.

    Attributes:
        tag: four letters that name the codec for FFmpeg's IVF reader; empty if that does not know it.
        size_bytes: returns the bytes of a compressed picture that decide its size and the shape of its pixels; empty if
            it has none.
    """

    tag: bytes
    size_bytes: Callable[[bytes], bytes]


def _units(of: Callable[[int], bool], length: int | None = None) -> Callable[[bytes], bytes]:
    """Units after a start code whose first byte satisfies `of`, each up to `length` bytes."""

    def found(packet: bytes) -> bytes:
        units = packet[:HEADS].split(_START)[1:]
        return b"".join(unit[:length].rstrip(b"\0") for unit in units if unit and of(unit[0]))

    return found


def _vp8(packet: bytes) -> bytes:
    """Only key frames state the size (RFC 6386, 9.1)."""
    return packet[6:10] if packet[3:6] == b"\x9d\x01\x2a" else b""


def _vp9(packet: bytes) -> bytes:
    """Width and height of a profile 0 key frame, which start four bits into a byte."""
    return bytes((*packet[4:8], packet[8] & 0xF0)) if packet[1:4] == b"\x49\x83\x42" and len(packet) > 8 else b""


def _av1(packet: bytes) -> bytes:
    """The sequence header that opens a key frame's temporal unit."""
    at = packet.find(b"\x0a", 0, 4)
    return packet[at + 2 : at + 2 + packet[at + 1]] if 0 <= at < len(packet) - 1 else b""


def _jpeg(packet: bytes) -> bytes:
    found = _JPEG_FRAME.search(packet, 0, HEADS)
    return b"" if found is None else found[1]


_H264 = Codec(b"H264", _units(lambda first: first & 0x1F == 7))
_HEVC = Codec(b"", _units(lambda first: first >> 1 & 0x3F == 33))
_MPEG4 = Codec(b"FMP4", _units(lambda first: 0x20 <= first <= 0x2F))
_MPEG2 = Codec(b"mpg2", _units(lambda first: first == 0xB3, 5))
_MPEG1 = Codec(b"mpg1", _units(lambda first: first == 0xB3, 5))
_JPEG = Codec(b"MJPG", _jpeg)
CODECS = {
    **dict.fromkeys((b"h264", b"avc1", b"avc3", b"x264", b"\x1b"), _H264),
    **dict.fromkeys((b"hevc", b"hvc1", b"hev1", b"h265", b"\x24"), _HEVC),
    **dict.fromkeys((b"mp4v", b"fmp4", b"xvid", b"divx", b"dx50", b"\x10"), _MPEG4),
    **dict.fromkeys((b"mpg2", b"\x02"), _MPEG2),
    **dict.fromkeys((b"mpg1", b"\x01"), _MPEG1),
    **dict.fromkeys((b"mjpg", b"jpeg", b"mjpa"), _JPEG),
    b"vp80": Codec(b"VP80", _vp8),
    b"vp90": Codec(b"VP90", _vp9),
    b"av01": Codec(b"AV01", _av1),
}
"""By the tag in lower case that a container or OpenCV gives; the single bytes are those of MPEG-TS."""


def codec_of(capture: cv2.VideoCapture) -> Codec | None:
    """The codec of an open video; None if its pictures do not state their own size."""
    return CODECS.get(_tag(capture).lower())


def pixel_aspect(capture: cv2.VideoCapture) -> float:
    """Width of a pixel over its height, as an open video states it; 1 if it does not."""
    width, height = capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)
    return float(width / height) if width > 0 and height > 0 else 1.0


def tag_words(capture: cv2.VideoCapture) -> str:
    """The codec's tag, for a sentence."""
    return _tag(capture).decode("ascii", "replace") or "an unknown codec"


def _tag(capture: cv2.VideoCapture) -> bytes:
    return int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(8, "little", signed=True)[:4].rstrip(b"\0")


def extradata(capture: cv2.VideoCapture) -> bytes:
    """The container's data about all pictures, if it can be put before the first one; else nothing."""
    found, data = capture.retrieve(flag=int(capture.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)))
    head = data.tobytes() if found and data is not None else b""
    return head if head.startswith((_START, b"\0" + _START)) else b""


def packet_of(capture: cv2.VideoCapture) -> bytes:
    """The compressed picture that was grabbed last."""
    found, data = capture.retrieve()
    return data.tobytes() if found and data is not None else b""


def decoder_of(stream: io.BufferedIOBase) -> cv2.VideoCapture:
    """A decoder with one thread, since each further thread delays the pictures by one.

    Keep the stream for as long as the decoder: OpenCV releases it without Python's lock.
    """
    source: Any = stream
    return cv2.VideoCapture(source, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])


class Ivf(io.BufferedIOBase):
    """Compressed pictures as an IVF file, which frames any codec's pictures one by one and adds no delay.

    Args:
        codec: codec of the pictures.
        packets: (milliseconds, compressed picture); the next one is fetched whenever a decoder wants it.
    """

    def __init__(self, codec: Codec, packets: Iterator[tuple[float, bytes]]) -> None:
        super().__init__()
        self._packets = packets
        self._buffer = bytearray(struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, codec.tag, 0, 0, 1000, 1, 0, 0))

    def readable(self) -> bool:
        """Always true."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        while not self._buffer:
            entry = next(self._packets, None)
            if entry is None:
                return b""
            milliseconds, packet = entry
            self._buffer += struct.pack("<IQ", len(packet), max(0, round(milliseconds))) + packet
        length = len(self._buffer) if size is None or size < 0 else size
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken

    def seek(self, offset: int, whence: int = 0, /) -> int:  # noqa: ARG002
        """Not possible in a stream."""
        return -1


def size_of(codec: Codec, packet: bytes) -> Size | None:
    """(rows, cols) of a compressed key picture as its decoder sees it; None if it cannot be decoded."""
    stream = Ivf(codec, iter([(0.0, packet)])) if codec.tag else io.BytesIO(packet)
    capture = decoder_of(stream)
    size = round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)), round(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    opened = capture.isOpened()
    capture.release()
    return size if opened else None
