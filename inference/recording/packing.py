"""Lossless compression of pictures and masks, in about a millisecond each: zstandard's fastest level."""

from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from inference.frame import Pixels

LEVEL = 1
"""About 1 ms for 1280×720, tests/benchmarks/bench_ring.py; higher levels cost more than they save on speckle."""


def pack_pixels(pixels: Pixels) -> bytes:
    """Pack (rows, cols) grey values, little-endian in C order, into one zstandard frame with a checksum."""
    plain = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    return _packed(plain.tobytes())


def unpack_pixels(packed: bytes, shape: tuple[int, int], dtype: np.dtype[Any]) -> Pixels:
    """Undo `pack_pixels`; the array may be written to.

    Raises:
        ValueError: if the bytes are damaged, or have another shape or type.
    """
    plain = _plain(packed, shape[0] * shape[1] * dtype.itemsize)
    values = np.frombuffer(bytearray(plain), dtype.newbyteorder("<"))
    pixels: Pixels = values.reshape(shape).astype(dtype, copy=False)
    return pixels


def pack_mask(mask: NDArray[np.uint8]) -> bytes:
    """Pack a (rows, cols) 0/1 mask, eight pixels per byte, into one zstandard frame with a checksum."""
    return _packed(np.packbits(mask).tobytes())


def unpack_mask(packed: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Undo `pack_mask`.

    Raises:
        ValueError: if the bytes are damaged or have another shape.
    """
    bits = np.frombuffer(_plain(packed, -(-shape[0] * shape[1] // 8)), np.uint8)
    return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape)


def _packed(plain: bytes) -> bytes:
    compressed = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(plain)
    # The library's bytes keep the memory for the worst case allocated, whatever their length: a copy frees it.
    return memoryview(compressed).tobytes()


def _plain(packed: bytes, size: int) -> bytes:
    """The bytes that were packed, which have to be this many: 12 kB of zeros may state a gigabyte."""
    try:
        stated = zstandard.frame_content_size(packed)
        if stated != size:
            raise ValueError(f"{stated} bytes instead of {size}")
        return zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
