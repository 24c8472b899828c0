"""The last half minute in memory, compressed: to freeze and scrub what was just seen, each contour on its own frame."""

import mmap
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inference.frame import Frame
from inference.outcome import Outcome, Tumour
from inference.recording.packing import pack_mask, pack_pixels, unpack_mask, unpack_pixels

SECONDS = 30.0
LARGEST = 400_000_000
"""Bytes; where half a minute does not fit, it holds less time rather than more memory."""


@dataclass(frozen=True, slots=True, eq=False)
class _Packed:
    """An outcome whose pictures are compressed; its own frame holds a single pixel in their place.

    The pictures have memory pages of their own, which go back to the system with them. On the heap they would lie
    between short-lived blocks for half a minute, and the holes they leave fit nothing (tests/soak/soak_memory.py).
    """

    outcome: Outcome
    pages: mmap.mmap
    split: int
    """Bytes of the picture; the mask's follow."""
    shape: tuple[int, int]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Bytes of the pictures."""
        return len(self.pages)


class Ring:
    """Outcomes of the last `SECONDS`, oldest first. Added to by one thread, read by another.

    Args:
        seconds: how far back it goes.
        largest: bytes of compressed pictures at most.
    """

    def __init__(self, seconds: float = SECONDS, largest: int = LARGEST) -> None:
        self._seconds, self._largest = seconds, largest
        self._lock = threading.Lock()
        self._packed: deque[_Packed] = deque()
        self._size = 0

    def __len__(self) -> int:
        """Number of outcomes held."""
        return len(self._packed)

    @property
    def size(self) -> int:
        """Bytes of compressed pictures."""
        return self._size

    def add(self, outcome: Outcome) -> None:
        """Take an outcome in, and let go of what is too old or too much."""
        packed = _pack(outcome)
        now = outcome.frame.captured_at
        with self._lock:
            self._packed.append(packed)
            self._size += packed.size
            while self._packed[0].outcome.frame.captured_at < now - self._seconds or (
                self._size > self._largest and len(self._packed) > 1
            ):
                self._size -= self._packed.popleft().size

    def held(self) -> "Held":
        """What is in it now, to be looked at while it goes on."""
        with self._lock:
            return Held(tuple(self._packed))

    def clear(self) -> None:
        """Forget everything: another source."""
        with self._lock:
            self._packed.clear()
            self._size = 0


class Held:
    """The ring at one moment; pictures are unpacked as they are asked for."""

    def __init__(self, packed: tuple[_Packed, ...]) -> None:
        self._packed = packed

    def __len__(self) -> int:
        """Number of outcomes."""
        return len(self._packed)

    def outcome(self, index: int) -> Outcome:
        """The outcome at `index`, oldest first, exactly as it was given."""
        return _unpack(self._packed[index])

    def captured_at(self, index: int) -> float:
        """When its frame was captured, `time.monotonic()` seconds."""
        return self._packed[index].outcome.frame.captured_at


def _pack(outcome: Outcome) -> _Packed:
    frame = outcome.frame
    bare = replace(frame, pixels=frame.pixels[:1, :1].copy(), colour=None)
    kept: Outcome = replace(outcome, frame=bare)
    mask = b""
    if isinstance(outcome, Tumour) and isinstance(kept, Tumour):
        mask = pack_mask(outcome.mask)
        kept = replace(kept, mask=np.zeros((1, 1), np.uint8))
    pixels = pack_pixels(frame.pixels)
    pages = mmap.mmap(-1, len(pixels) + len(mask))
    pages.write(pixels + mask)
    return _Packed(kept, pages, len(pixels), (frame.rows, frame.cols), frame.pixels.dtype)


def _unpack(packed: _Packed) -> Outcome:
    pixels = unpack_pixels(packed.pages[: packed.split], packed.shape, packed.dtype)
    frame: Frame = replace(packed.outcome.frame, pixels=pixels)
    if not isinstance(packed.outcome, Tumour):
        return replace(packed.outcome, frame=frame)
    return replace(packed.outcome, frame=frame, mask=unpack_mask(packed.pages[packed.split :], packed.shape))
