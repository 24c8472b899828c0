"""Reads a record: an entry is read when it is asked for, where `walk` found it.

A record cut off by a kill is fully usable up to there. Every entry has a checksum: a damaged entry is reported, never
believed, and does not affect the others.
(`mcap`'s own reader returns a half last message as a whole one, and needs the closing summary for anything more.)
"""

import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from mcap.writer import MCAP0_MAGIC

from inference.errors import FormatError
from inference.recording.schema import (
    MOST_PX,
    Answer,
    CorrectedContour,
    Entry,
    Event,
    ModelUsed,
    Opening,
    Picture,
    checksum,
)
from inference.recording.walk import SEAL, Place, Walk

_END_HEAD = 9
"""Opcode and length of the closing mark, bytes."""
_READ_WHOLE = 1 << 29
"""A record of version 1 up to this size, bytes, is read once in full to check its checksum."""
_Kind = TypeVar("_Kind", bound=Entry)


class RecordReader:
    """Reads a record, even while it is being written. Every method may be called from any thread.

    Args:
        path: the file.

    Raises:
        FormatError: if it is not one of our records, or ends before its first entry.
        OSError: if it cannot be read.

    Attributes:
        opening: the facts that hold for the whole record.
        events: the events, in order.
        corrections: the last correction by a person of each frame that has one, by the frame's number.
        models: the models, in order.
        whole: True if the record was finished, False if a kill or a full disk cut it off.
        damaged: number of damaged entries that are left out, lost frames among them; a frame that is found and whose
            picture is damaged says so when it is read.
        trusted: whether its content can be believed; False for a record of version 1 whose only checksum fails.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._lock = threading.Lock()
        self._file = path.open("rb", buffering=0)
        try:
            if self._file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
                raise FormatError(f"{self.name} is no record of this program: give a .mcap that it wrote.")
            self._index = Walk(self._file, path.stat().st_size).index()
            self.whole = self._index.whole
            if self._index.opening is None:
                raise FormatError(f"{self.name} ends before its first frame: nothing of it can be shown.")
            self.opening = self._read(self._index.opening, Opening)
            if self.opening.rows * self.opening.cols > MOST_PX:
                raise FormatError(f"{self.name} states pictures of more than 100 million pixels: it is damaged.")
            self.damaged = self._index.lost + sum(place is None for place in self._index.pictures)
            self.events = tuple(self._others(Event))
            last = {found.number: found for found in self._others(CorrectedContour)}
            self.corrections = {number: found for number, found in last.items() if found.mask}  # the rest: taken back
            self.models = tuple(self._others(ModelUsed))
            self.trusted = self._index.opening.sealed or self._checked()
        except FormatError:
            self._file.close()
            raise

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._index.pictures)

    @property
    def times_s(self) -> Sequence[float]:
        """When each frame was captured, seconds since the record began."""
        return self._index.at_s

    def picture(self, number: int) -> Picture:
        """A frame's entry.

        Raises:
            IndexError: if there is no such frame.
            FormatError: if the entry is damaged.
        """
        place = self._index.pictures[number]
        picture = None if place is None else self._read(place, Picture)
        if picture is None or picture.number != number:
            raise FormatError(f"Frame {number} of {self.name} is damaged: go on to the next.")
        return picture

    def answer(self, number: int) -> Answer | None:
        """The entry with the engine's answer to a frame; None if a slower analysis skipped the frame.

        Raises:
            FormatError: if it is damaged.
        """
        place = self._index.answers.get(number)
        answer = None if place is None else self._read(place, Answer)
        if answer is not None and answer.number != number:
            raise FormatError(f"The answer to frame {number} of {self.name} is damaged: go on to the next.")
        return answer

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _others(self, kind: type[_Kind]) -> Iterator[_Kind]:
        for found, place in self._index.others:
            if found is not kind:
                continue
            try:
                yield self._read(place, kind)
            except FormatError:
                self.damaged += 1

    def _read(self, place: Place, kind: type[_Kind]) -> _Kind:
        with self._lock:
            self._file.seek(place.offset)
            data = self._file.read(place.length)
            seal = self._file.read(SEAL) if place.sealed else b""
        if place.sealed and int.from_bytes(seal, "little") != checksum(data, place.number, place.at_ns):
            raise FormatError(f"An entry of {self.name} is damaged: go on to the next.")
        try:
            return msgspec.msgpack.decode(data, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise FormatError(f"{self.name} is damaged, or of another version of this program ({error}).") from error

    def _checked(self) -> bool:
        """Whether a finished record of version 1 matches the checksum at its end. The longest ones are not checked."""
        if not self._index.whole or self._index.ended_at > _READ_WHOLE:
            return True
        with self._lock:
            self._file.seek(0)
            data = self._file.read(self._index.ended_at)
            stated = self._file.read(_END_HEAD + 4)[_END_HEAD:]
        return int.from_bytes(stated, "little") in (0, zlib.crc32(data))
