"""The decoding process from inside: it opens one source or stream at a time, and answers until the program hangs up."""

import gc
import mmap
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from inference.errors import IusError, legible
from inference.limits import alarm, available, calm, limit_memory
from inference.sources import complaints
from inference.sources.wire import (
    SHARED,
    Ask,
    Connect,
    Done,
    Failed,
    Gone,
    Next,
    Open,
    Opened,
    Read,
    Release,
    Reply,
    Request,
    SaveMasks,
    Shown,
    put,
    receive,
    send,
)

ROOM = 1 << 30
"""Bytes a file may take beyond twice its own size, or a stream; but no more than half of what the computer has free."""
LATE_S = 5.0
"""Seconds after its limit at which a request ends the process from inside, in case nobody else does."""
TOO_LARGE = "{} needs more memory than a file of its size may take: it is damaged, or crop it and export it again."


def serve(arguments: Sequence[str]) -> None:
    """Answer until the program hangs up.

    Args:
        arguments: from the program's command line: -c, then the numbers of the socket and of the shared memory.
    """
    calm()
    complaints.listen()
    connection, memory = _shared(arguments[1], arguments[2])
    process = _Process(memory)
    decoder = msgspec.msgpack.Decoder(Ask)
    while True:
        try:
            ask = decoder.decode(receive(connection))
        except OSError:
            return
        alarm(ask.limit_s + LATE_S)
        reply = process.answer(ask.request)
        alarm(0)
        try:
            send(connection, reply)
        except OSError:
            return


class _Process:
    """What is open in the process, and its answers."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory
        self._open: Any = None
        self._name = "The stream"

    def answer(self, request: Request) -> Reply:
        """Carry out a request; an error that is not about a file ends the process, and the program reports it."""
        try:
            return self._answer(request)
        except IusError as error:
            return Failed(type(error).__name__, legible(str(error)), getattr(error, "regions", ()))
        except MemoryError:
            return Failed("FormatError", TOO_LARGE.format(self._name))
        except cv2.error as error:
            if error.code != cv2.Error.STS_NO_MEM:
                raise
            return Failed("FormatError", TOO_LARGE.format(self._name))

    def _answer(self, request: Request) -> Reply:
        match request:
            case Open():
                return self._opened(request)
            case Connect(url):
                from inference.sources.network_capture import NetworkCapture

                self._release()
                limit_memory(ROOM)
                self._open = NetworkCapture(url)
                return Done()
            case Read(index):
                frame = self._open.read(index)
                whole = self._open.whole() if hasattr(self._open, "whole") else None
                return self._shown((frame.pixels, frame.colour, whole), frame.time_s, "", damaged=False)
            case Next():
                picture = self._open.read()
                if picture is None:
                    return Gone()
                arrays = picture.pixels, picture.colour, None
                return self._shown(
                    arrays, None, picture.no_spacing_reason, damaged=picture.damaged, aspect=picture.aspect
                )
            case SaveMasks(path, shape, packed):
                bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=int(np.prod(shape)))
                self._open.save_masks(list(bits.reshape(shape)), path)
                return Done()
            case Release():
                self._release()
                return Done()

    def _opened(self, request: Open) -> Reply:
        from inference.sources import open_here

        self._release()
        path = Path(request.text)
        self._name = path.name
        limit_memory(ROOM + min(2 * _size(path.expanduser()), available() // 2))
        self._open = open_here(
            request.text,
            axis=request.axis,
            spacing=request.spacing,
            region=request.region,
            config=None if request.config is None else Path(request.config),
        )
        return Opened(self._open.info, len(self._open))

    def _release(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None
        gc.collect()

    def _shown(
        self, arrays: Sequence[Any], time_s: float | None, reason: str, *, damaged: bool, aspect: float = 1.0
    ) -> Reply:
        try:
            pixels, colour, whole = put(self._memory, arrays)
        except ValueError:
            return Failed("FormatError", f"{self._name} holds pictures of more than 100 million pixels: crop it first.")
        assert pixels is not None  # noqa: S101 (a frame has pixels)
        return Shown(pixels, colour, whole, time_s, reason, damaged, aspect)


def _size(path: Path) -> int:
    """Bytes of a file, or of a folder's files."""
    with suppress(OSError):
        files = [path] if path.is_file() else [child for child in path.iterdir() if child.is_file()]
        return sum(file.stat().st_size for file in files)
    return 0


def _shared(place: str, memory: str) -> tuple[socket.socket, mmap.mmap]:
    """The socket and the memory that the program opened for this process."""
    if sys.platform == "win32":
        return socket.fromshare(sys.stdin.buffer.read()), mmap.mmap(-1, SHARED, tagname=memory)
    mapped = mmap.mmap(int(memory), SHARED)
    os.close(int(memory))
    return socket.socket(fileno=int(place)), mapped
