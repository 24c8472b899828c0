"""Messages between the program and its decoding process: MessagePack over a socket, pixels in shared memory.

Both ends validate strictly, since a file that has taken over the decoder could write anything.
"""

import math
import mmap
import socket
import struct
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing

SHARED = 1 << 27
"""Size of the shared memory, bytes; pages exist only once written. A 16-bit picture of 8000 × 8000 fits."""
LONGEST = 1 << 28
"""Longest message, bytes; masks to be written are the largest."""
_LENGTH = struct.Struct("<I")


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """Base of all messages; no field may be added or left out."""


class Open(_Message, frozen=True):
    """Open a file or folder: the arguments of `open_source`."""

    text: str
    axis: str
    spacing: PixelSpacing | None
    region: int | None
    config: str | None


class Read(_Message, frozen=True):
    """Read a frame."""

    index: int


class SaveMasks(_Message, frozen=True):
    """Write masks on the source's own geometry, packed at eight pixels per byte."""

    path: str
    shape: tuple[int, int, int]
    packed: bytes


class Connect(_Message, frozen=True):
    """Connect to a network stream."""

    url: str


class Next(_Message, frozen=True):
    """Wait for the stream's next picture."""


class Release(_Message, frozen=True):
    """Close what is open."""


Request: TypeAlias = Open | Read | SaveMasks | Connect | Next | Release


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request, and the seconds after which nobody waits for its answer any more."""

    limit_s: float
    request: Request


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An array in shared memory; arrays follow each other in the order in which they are named."""

    dtype: Literal["uint8", "uint16", "float32"]
    shape: tuple[int, int]


class Opened(_Message, frozen=True):
    """A source is open."""

    info: SourceInfo
    count: int


class Shown(_Message, frozen=True):
    """A picture in shared memory: its pixels, where it was coloured, and the whole picture.

    The spacing of a network picture is never known, so only the reason is sent.
    """

    pixels: Place
    colour: Place | None
    whole: Place | None
    time_s: float | None
    no_spacing_reason: str
    damaged: bool
    aspect: float = 1.0


class Done(_Message, frozen=True):
    """The request was carried out."""


class Gone(_Message, frozen=True):
    """The sender is gone."""


class Failed(_Message, frozen=True):
    """The request failed: name of the error's class, its sentence, and what can be picked if it asks for a choice."""

    error: str
    sentence: str
    regions: tuple[tuple[int, str], ...] = ()


Reply: TypeAlias = Opened | Shown | Done | Gone | Failed


def send(connection: socket.socket, message: Ask | Reply) -> None:
    """Send one message.

    Raises:
        OSError: if the other end is gone or does not take it in time.
    """
    data = msgspec.msgpack.encode(message)
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket) -> bytes:
    """One message, to be decoded by the reader.

    Raises:
        OSError: if the other end is gone, sends too much or does not send in time.
    """
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > LONGEST:
        raise OSError(f"a message of {length} bytes")
    return _exactly(connection, length)


def put(memory: mmap.mmap, arrays: Sequence[NDArray[Any] | None]) -> list[Place | None]:
    """Write arrays into shared memory, one after the other.

    Raises:
        ValueError: if they do not fit.
    """
    offset, places = 0, list[Place | None]()
    for array in arrays:
        if array is None:
            places.append(None)
            continue
        if offset + array.nbytes > len(memory):
            raise ValueError(f"a picture of {array.shape} does not fit into {len(memory)} bytes")
        np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)[:] = array
        places.append(Place(array.dtype.name, (array.shape[0], array.shape[1])))  # type: ignore[arg-type]
        offset = _aligned(offset + array.nbytes)
    return places


def taken(memory: mmap.mmap, places: Sequence[Place | None]) -> list[NDArray[Any] | None]:
    """Copies of the arrays in shared memory.

    Raises:
        ValueError: if an array cannot lie there.
    """
    offset, arrays = 0, list[NDArray[Any] | None]()
    for place in places:
        if place is None:
            arrays.append(None)
            continue
        count = math.prod(place.shape)
        if min(place.shape) < 1 or count * np.dtype(place.dtype).itemsize > len(memory) - offset:
            raise ValueError(f"no picture can be {place.shape}")
        array = np.frombuffer(memory, np.dtype(place.dtype), count, offset).reshape(place.shape).copy()
        arrays.append(array)
        offset = _aligned(offset + array.nbytes)
    return arrays


def _aligned(offset: int) -> int:
    return -(-offset // 64) * 64


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view, have = memoryview(data), 0
    while have < size:
        got = connection.recv_into(view[have:])
        if got == 0:
            raise ConnectionResetError("the other end is gone")
        have += got
    return bytes(data)
