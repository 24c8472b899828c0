"""Keeps the last half minute in memory, compressed, for freezing and scrubbing, each contour on its own frame."""

import math
import mmap
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.frame import Frame
from inference.live.review import HELD_S
from inference.outcome import NothingFound, Outcome, Tumour
from inference.recording.packing import pack_mask, pack_pixels, unpack_mask, unpack_pixels

LARGEST = 400_000_000
"""Bytes; if half a minute does not fit, the ring keeps less time rather than use more memory."""


@dataclass(frozen=True, slots=True, eq=False)
class _Packed:
    """An outcome with its pictures compressed; its own frame holds a single pixel in their place.

    The pictures have their own memory pages, which are returned to the system when they are dropped. On the heap they
    would sit between short-lived blocks for half a minute and leave holes that fit nothing (tests/soak/soak_memory.py).
    """

    outcome: Outcome
    pages: mmap.mmap
    splits: tuple[int, int]
    """Where the bytes of the picture end, and those of the tumour's mask; the cavity's follow."""
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    area_mm2: float
    """Of all regions; nan if there is no contour or no scale."""

    @property
    def size(self) -> int:
        """Bytes of the pictures."""
        return len(self.pages)


class Ring:
    """The outcomes of the last `HELD_S`, oldest first. One thread adds, another reads.

    Args:
        seconds: how far back the ring goes.
        largest: limit for the compressed pictures, bytes.
    """

    def __init__(self, seconds: float = HELD_S, largest: int = LARGEST) -> None:
        self._seconds, self._largest = seconds, largest
        self._lock = threading.Lock()
        self._packed: deque[_Packed] = deque()
        self._size = 0
        self._since = -math.inf

    def __len__(self) -> int:
        """Number of outcomes held."""
        return len(self._packed)

    @property
    def size(self) -> int:
        """Bytes of compressed pictures."""
        return self._size

    def add(self, outcome: Outcome) -> None:
        """Add an outcome, and drop those that are too old or exceed the size limit; see also `clear`."""
        packed = _pack(outcome)
        now = outcome.frame.captured_at
        with self._lock:
            if now < self._since:
                return
            self._packed.append(packed)
            self._size += packed.size
            while self._packed[0].outcome.frame.captured_at < now - self._seconds or (
                self._size > self._largest and len(self._packed) > 1
            ):
                self._size -= self._packed.popleft().size

    def held(self) -> "Held":
        """A snapshot of the ring, to look at while it goes on."""
        with self._lock:
            return Held(tuple(self._packed))

    def clear(self, before: float) -> None:
        """Drop every frame captured before this time, also those whose answer is still to come.

        Args:
            before: now, `time.monotonic()` seconds.
        """
        with self._lock:
            self._packed.clear()
            self._size, self._since = 0, before


class Held:
    """The ring at one moment; each picture is unpacked when it is asked for."""

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

    @property
    def times(self) -> NDArray[np.float64]:
        """When each frame was captured, `time.monotonic()` seconds, ascending."""
        return np.array([packed.outcome.frame.captured_at for packed in self._packed])

    @property
    def areas_mm2(self) -> NDArray[np.float64]:
        """Area of each outcome's contour; nan where there is none or its scale is unknown."""
        return np.array([packed.area_mm2 for packed in self._packed])

    @property
    def pixels_mm2(self) -> NDArray[np.float64]:
        """Area of a pixel of each frame, mm², which tells scales apart; nan where its scale is unknown."""
        scales = [packed.outcome.frame.spacing for packed in self._packed]
        return np.array([math.nan if scale is None else scale.pixel_mm2 for scale in scales])


def _pack(outcome: Outcome) -> _Packed:
    frame = outcome.frame
    bare = replace(frame, pixels=frame.pixels[:1, :1].copy(), colour=None)
    kept: Outcome = replace(outcome, frame=bare)
    mask = hole = b""
    nothing = np.zeros((1, 1), np.uint8)
    if isinstance(kept, Tumour | NothingFound) and kept.cavity is not None:
        hole = pack_mask(kept.cavity.mask)
        kept = replace(kept, cavity=replace(kept.cavity, mask=nothing))
    if isinstance(kept, Tumour):
        mask = pack_mask(kept.mask)
        kept = replace(kept, mask=nothing)
    pixels = pack_pixels(frame.pixels)
    pages = mmap.mmap(-1, len(pixels) + len(mask) + len(hole))
    pages.write(pixels + mask + hole)
    area = outcome.area_mm2 if isinstance(outcome, Tumour) else None
    shape, dtype = (frame.rows, frame.cols), frame.pixels.dtype
    splits = (len(pixels), len(pixels) + len(mask))
    return _Packed(kept, pages, splits, shape, dtype, math.nan if area is None else area)


def _unpack(packed: _Packed) -> Outcome:
    (first, second), kept = packed.splits, packed.outcome
    pixels = unpack_pixels(packed.pages[:first], packed.shape, packed.dtype)
    frame: Frame = replace(kept.frame, pixels=pixels)
    if not isinstance(kept, Tumour | NothingFound):
        return replace(kept, frame=frame)
    cavity = kept.cavity
    if cavity is not None:
        cavity = replace(cavity, mask=unpack_mask(packed.pages[second:], packed.shape))
    if isinstance(kept, NothingFound):
        return replace(kept, frame=frame, cavity=cavity)
    return replace(kept, frame=frame, mask=unpack_mask(packed.pages[first:second], packed.shape), cavity=cavity)
