"""A record opened: where each entry lies, found by walking over their lengths; pictures are read as they are asked for.

The walk ends at the first entry that is not whole, so that a record cut off by a kill is as good as any up to there.
Every entry has a checksum: one that is damaged is told, never believed, and costs no other.
(`mcap`'s own reader hands a half last message out as a whole one, and needs the closing summary for more than that.)
"""

import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from mcap.opcode import Opcode
from mcap.writer import MCAP0_MAGIC

from inference.errors import FormatError
from inference.recording.schema import (
    ENCODING,
    KINDS,
    Answer,
    Entry,
    Event,
    ModelUsed,
    Opening,
    Picture,
    checksum,
    topic,
)

_HEAD = struct.Struct("<BQ")
"""Opcode and length, before every MCAP record."""
_MESSAGE = struct.Struct("<HIQQ")
"""Channel, sequence, log time and publish time, before a message's data."""
_CHANNEL = struct.Struct("<HHI")
"""Channel, schema and the length of the topic that follows."""
OPCODES = frozenset(Opcode)
"""All that MCAP knows; anything else is no entry, but what a torn write left."""
_SEAL = 4
"""Bytes of a checksum."""
_LONGEST = 256
"""Bytes of a topic."""
_READ_WHOLE = 1 << 29
"""Bytes up to which a record of version 1 is read once for its checksum."""
_SECOND = 1_000_000_000
_Kind = TypeVar("_Kind", bound=Entry)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the data of an entry lies, bytes, and what MCAP says of it.

    Attributes:
        offset: of its data.
        length: of its data, the checksum left out.
        number: its sequence number.
        at_ns: its time.
        sealed: a checksum follows; False in records of version 1.
    """

    offset: int
    length: int
    number: int = 0
    at_ns: int = 0
    sealed: bool = False


@dataclass(slots=True)
class Index:
    """What the walk found.

    Attributes:
        opening: the first entry's place; None where there is none.
        pictures: places of the frames, in order.
        at_s: when each was captured, from the record's beginning.
        answers: place of the answer, by the frame's number.
        others: places of events and models, in order.
        whole: the closing mark is there.
        ended_at: where it stands, bytes.
    """

    opening: Place | None = None
    pictures: list[Place] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    answers: dict[int, Place] = field(default_factory=dict)
    others: list[tuple[type[Entry], Place]] = field(default_factory=list)
    whole: bool = False
    ended_at: int = 0


class RecordReader:
    """Reads a record, also while it is being written. Every method may be called from any thread.

    Args:
        path: the file.

    Raises:
        FormatError: if it is no record of ours, or ends before its first entry.
        OSError: if it cannot be read.

    Attributes:
        opening: what is true of the whole record.
        events: in order.
        models: in order.
        whole: it was finished; False if it ends where a kill or a full disk ended it.
        damaged: entries between the frames that are damaged and left out.
        trusted: what it says can be believed; False for a record of version 1 whose one checksum fails.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._lock = threading.Lock()
        self._file = path.open("rb", buffering=0)
        try:
            self._index = self._walk(path.stat().st_size)
            self.whole = self._index.whole
            if self._index.opening is None:
                raise FormatError(f"{self.name} ends before its first frame: nothing of it can be shown.")
            self.opening = self._read(self._index.opening, Opening)
            self.damaged = 0
            self.events = tuple(self._others(Event))
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
        """When each frame was captured, seconds from the record's beginning."""
        return self._index.at_s

    def picture(self, number: int) -> Picture:
        """A frame's entry.

        Raises:
            IndexError: outside the record.
            FormatError: if it is damaged.
        """
        return self._read(self._index.pictures[number], Picture)

    def answer(self, number: int) -> Answer | None:
        """The entry of what the engine said of it; None where it was passed over.

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
            seal = self._file.read(_SEAL) if place.sealed else b""
        if place.sealed and int.from_bytes(seal, "little") != checksum(data, place.number, place.at_ns):
            raise FormatError(f"An entry of {self.name} is damaged: go on to the next.")
        try:
            return msgspec.msgpack.decode(data, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise FormatError(f"{self.name} is damaged, or of another version of this program ({error}).") from error

    def _walk(self, size: int) -> Index:
        """Every whole entry, skipping over pictures."""
        if self._file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
            raise FormatError(f"{self.name} is no record of this program: give a .mcap that it wrote.")
        index, topics, offset = Index(), dict[int, tuple[type[Entry], bool]](), len(MCAP0_MAGIC)
        known = {topic(kind): kind for kind in KINDS}
        # One read finds out about an entry, one seek leaps over it: an hour's record opens in seconds.
        while len(head := self._file.read(_HEAD.size + _MESSAGE.size)) >= _HEAD.size:
            opcode, length = _HEAD.unpack_from(head)
            offset += _HEAD.size
            if offset + length > size:
                break
            if opcode == Opcode.MESSAGE and length >= _MESSAGE.size:
                _note(
                    index,
                    topics,
                    _MESSAGE.unpack_from(head, _HEAD.size),
                    offset + _MESSAGE.size,
                    length - _MESSAGE.size,
                )
            elif opcode == Opcode.CHANNEL:
                self._file.seek(offset)
                number, name, encoding = self._channel()
                if name in known:
                    topics[number] = known[name], encoding == ENCODING
            elif opcode == Opcode.DATA_END or opcode not in OPCODES:
                index.whole = opcode == Opcode.DATA_END
                index.ended_at = offset - _HEAD.size
                break
            offset += length
            self._file.seek(offset)
        return index

    def _channel(self) -> tuple[int, str, str]:
        """A channel's number, topic and encoding; of a damaged one, of nothing that is known."""
        head = self._file.read(_CHANNEL.size)
        if len(head) < _CHANNEL.size:
            return 0, "", ""
        number, _, length = _CHANNEL.unpack(head)
        name = self._text(length)
        return number, name, self._text(int.from_bytes(self._file.read(4), "little"))

    def _text(self, length: int) -> str:
        return self._file.read(min(length, _LONGEST)).decode("utf-8", "replace")

    def _checked(self) -> bool:
        """Whether a finished record of version 1 has the checksum that stands at its end; the longest are not read."""
        if not self._index.whole or self._index.ended_at > _READ_WHOLE:
            return True
        with self._lock:
            self._file.seek(0)
            data = self._file.read(self._index.ended_at)
            stated = self._file.read(_HEAD.size + 4)[_HEAD.size :]
        return int.from_bytes(stated, "little") in (0, zlib.crc32(data))


def _note(
    index: Index,
    topics: dict[int, tuple[type[Entry], bool]],
    message: tuple[int, int, int, int],
    offset: int,
    length: int,
) -> None:
    """Take an entry into the index: its channel, sequence, log and publish time, and where its data lies."""
    channel, sequence, at, _ = message
    kind, sealed = topics.get(channel, (None, False))
    place = Place(offset, max(0, length - _SEAL * sealed), sequence, at, sealed)
    if kind is Picture:
        index.pictures.append(place)
        index.at_s.append(at / _SECOND)
    elif kind is Answer:
        index.answers[sequence] = place
    elif kind is Opening and index.opening is None:
        index.opening = place
    elif kind is not None:
        index.others.append((kind, place))
