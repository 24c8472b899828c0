"""Pictures and masks without loss in as few bytes as a millisecond allows: zstandard's fastest level."""

from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from inference.frame import Pixels

LEVEL = 1
"""About 1 ms for 1280×720, tests/benchmarks/bench_ring.py; higher levels cost more than they save on speckle."""


def pack_pixels(pixels: Pixels) -> bytes:
    """The (rows, cols) grey values in little-endian C order as one zstandard frame with its checksum."""
    plain = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    return _packed(plain.tobytes())


def unpack_pixels(packed: bytes, shape: tuple[int, int], dtype: np.dtype[Any]) -> Pixels:
    """What `pack_pixels` was given; may be written to.

    Raises:
        ValueError: if the bytes are damaged, or of another shape or type.
    """
    values = np.frombuffer(bytearray(_plain(packed)), dtype.newbyteorder("<"))
    pixels: Pixels = values.reshape(shape).astype(dtype, copy=False)
    return pixels


def pack_mask(mask: NDArray[np.uint8]) -> bytes:
    """A (rows, cols) 0/1 mask, eight pixels a byte, as one zstandard frame with its checksum."""
    return _packed(np.packbits(mask).tobytes())


def unpack_mask(packed: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """What `pack_mask` was given.

    Raises:
        ValueError: if the bytes are damaged or of another shape.
    """
    bits = np.frombuffer(_plain(packed), np.uint8)
    if bits.size != -(-shape[0] * shape[1] // 8):
        raise ValueError(f"{bits.size} bytes are no mask of {shape}")
    return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape)


def _packed(plain: bytes) -> bytes:
    compressed = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(plain)
    # The library shortens its bytes in name only, and the memory of the worst case stays with them: hence a copy.
    return memoryview(compressed).tobytes()


def _plain(packed: bytes) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
