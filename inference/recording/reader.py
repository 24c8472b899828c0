"""Reads a record: finds each entry by walking over the entries' lengths, and reads a picture when it is asked for.

The walk ends at the first incomplete entry, so a record cut off by a kill is fully usable up to there. Every entry has
a checksum: a damaged entry is reported, never believed, and does not affect the others.
(`mcap`'s own reader returns a half last message as a whole one, and needs the closing summary for anything more.)
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
    CorrectedContour,
    Entry,
    Event,
    ModelUsed,
    Opening,
    Picture,
    checksum,
    topic,
)

_HEAD = struct.Struct("<BQ")
"""Opcode and length, which precede every MCAP record."""
_MESSAGE = struct.Struct("<HIQQ")
"""Channel, sequence, log time and publish time, which precede a message's data."""
_CHANNEL = struct.Struct("<HHI")
"""Channel, schema and the length of the topic that follows them."""
OPCODES = frozenset(Opcode)
"""All of MCAP's opcodes; any other value is not an entry but the remains of an interrupted write."""
_SEAL = 4
"""Length of a checksum, bytes."""
_LONGEST = 256
"""Longest topic, bytes."""
_READ_WHOLE = 1 << 29
"""A record of version 1 up to this size, bytes, is read once in full to check its checksum."""
_SECOND = 1_000_000_000
_Kind = TypeVar("_Kind", bound=Entry)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry's data lies, and its MCAP fields.

    Attributes:
        offset: offset of its data, bytes.
        length: length of its data without the checksum, bytes.
        number: its sequence number.
        at_ns: its time, ns.
        sealed: whether a checksum follows; False in records of version 1.
    """

    offset: int
    length: int
    number: int = 0
    at_ns: int = 0
    sealed: bool = False


@dataclass(slots=True)
class Index:
    """The entries that the walk found.

    Attributes:
        opening: place of the first entry; None if there is none.
        pictures: places of the frames, in order.
        at_s: when each frame was captured, seconds since the record began.
        answers: place of each answer, by the frame's number.
        others: places of events and models, in order.
        whole: whether the closing mark is there.
        ended_at: offset of the closing mark, bytes.
    """

    opening: Place | None = None
    pictures: list[Place] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    answers: dict[int, Place] = field(default_factory=dict)
    others: list[tuple[type[Entry], Place]] = field(default_factory=list)
    whole: bool = False
    ended_at: int = 0


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
        damaged: number of damaged entries other than frames, which are left out.
        trusted: whether its content can be believed; False for a record of version 1 whose only checksum fails.
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
            self.corrections = {found.number: found for found in self._others(CorrectedContour)}
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
        return self._read(self._index.pictures[number], Picture)

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
            seal = self._file.read(_SEAL) if place.sealed else b""
        if place.sealed and int.from_bytes(seal, "little") != checksum(data, place.number, place.at_ns):
            raise FormatError(f"An entry of {self.name} is damaged: go on to the next.")
        try:
            return msgspec.msgpack.decode(data, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise FormatError(f"{self.name} is damaged, or of another version of this program ({error}).") from error

    def _walk(self, size: int) -> Index:
        """Find every complete entry, skipping over the pictures."""
        if self._file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
            raise FormatError(f"{self.name} is no record of this program: give a .mcap that it wrote.")
        index, topics, offset = Index(), dict[int, tuple[type[Entry], bool]](), len(MCAP0_MAGIC)
        known = {topic(kind): kind for kind in KINDS}
        # One read identifies an entry and one seek skips it, so an hour's record opens in seconds.
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
        """A channel's number, topic and encoding; a damaged channel matches no known topic or encoding."""
        head = self._file.read(_CHANNEL.size)
        if len(head) < _CHANNEL.size:
            return 0, "", ""
        number, _, length = _CHANNEL.unpack(head)
        name = self._text(length)
        return number, name, self._text(int.from_bytes(self._file.read(4), "little"))

    def _text(self, length: int) -> str:
        return self._file.read(min(length, _LONGEST)).decode("utf-8", "replace")

    def _checked(self) -> bool:
        """Whether a finished record of version 1 matches the checksum at its end. The longest ones are not checked."""
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
    """Add an entry to the index: its channel, sequence, log and publish time, and where its data lies."""
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
