"""Finds a record's entries by walking over their lengths. Damage costs the entries that it hit, and is counted.

A frame is known by its own number, never by its place among those that were found: else one lost picture would put
every later answer beside another frame. An entry whose number or time is unexpected is believed only if its checksum is
right; where a length or a kind is nonsense, the walk goes on at the next entry whose checksum is.
"""

import mmap
import re
import struct
from dataclasses import dataclass, field
from io import FileIO

from mcap.opcode import Opcode
from mcap.writer import MCAP0_MAGIC

from inference.recording.schema import ENCODING, KINDS, Answer, Entry, Opening, Picture, checksum, topic

_HEAD = struct.Struct("<BQ")
"""Opcode and length, which precede every MCAP record."""
_MESSAGE = struct.Struct("<HIQQ")
"""Channel, sequence, log time and publish time, which precede a message's data."""
_CHANNEL = struct.Struct("<HHI")
"""Channel, schema and the length of the topic that follows them."""
_BEFORE = frozenset({Opcode.HEADER, Opcode.SCHEMA, Opcode.CHANNEL})
"""What stands in a record beside messages, all of it before the first one."""
_END_LENGTH = 4
_POSSIBLE = re.compile(rb"\x05....\0\0\0\0", re.DOTALL)
"""How a message of less than 4 GiB begins."""
_KNOWN = {topic(kind): kind for kind in KINDS}
SEAL = 4
"""Length of a checksum, bytes."""
_LONGEST = 256
"""Longest topic, bytes."""
_SECOND = 1_000_000_000
_PAUSE_NS = 2 * _SECOND
"""Frames further apart are believed only with a right checksum."""


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
        pictures: places of the frames by their number; None for one that is lost.
        at_s: when each frame was captured, seconds since the record began; of a lost one, that of the one before.
        answers: place of each answer, by the frame's number.
        others: places of events and models, in order.
        lost: number of entries that are nowhere in here, beside lost frames.
        whole: whether the closing mark is there.
        ended_at: offset of the closing mark, bytes.
    """

    opening: Place | None = None
    pictures: list[Place | None] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    answers: dict[int, Place] = field(default_factory=dict)
    others: list[tuple[type[Entry], Place]] = field(default_factory=list)
    lost: int = 0
    whole: bool = False
    ended_at: int = 0


class Walk:
    """One walk over a record.

    Args:
        file: the record, open for reading.
        size: its size, bytes.
    """

    def __init__(self, file: FileIO, size: int) -> None:
        self._file, self._size = file, size
        self._index = Index()
        self._topics: dict[int, tuple[type[Entry] | None, bool]] = {}
        self._nonsense = self._unplaced = 0

    def index(self) -> Index:
        """Walk from the first entry to the closing mark, or to where the record was cut off."""
        offset = last = len(MCAP0_MAGIC)
        # One read identifies an entry and one seek skips it, so an hour's record opens in seconds.
        while True:
            head = self._read(offset, _HEAD.size + _MESSAGE.size)
            opcode, length = _HEAD.unpack_from(head.ljust(_HEAD.size, b"\0"))
            data = offset + _HEAD.size
            if opcode == Opcode.DATA_END and length == _END_LENGTH:
                self._index.whole, self._index.ended_at = True, offset
                return self._closed()
            if self._is_message(head, data):
                last = data + _MESSAGE.size
                self._note(self._message(head, data, length))
                offset = data + length
            elif opcode in _BEFORE and self._index.opening is None and data + length <= self._size:
                self._learn(opcode, data)
                offset = data + length
            elif (following := self._next_right(last)) is not None:
                self._nonsense += 1
                offset = following
            else:
                # The mark at the very end is there, and what leads to it is not.
                self._index.whole = self._read(self._size - len(MCAP0_MAGIC), len(MCAP0_MAGIC)) == MCAP0_MAGIC
                self._nonsense += self._index.whole
                return self._closed()

    def _is_message(self, head: bytes, data: int) -> bool:
        """Whether a message of a channel that was declared begins here and lies within the file."""
        if len(head) < _HEAD.size + _MESSAGE.size:
            return False
        opcode, length = _HEAD.unpack_from(head)
        channel = _MESSAGE.unpack_from(head, _HEAD.size)[0]
        return opcode == Opcode.MESSAGE and channel in self._topics and _MESSAGE.size <= length <= self._size - data

    def _learn(self, opcode: int, data: int) -> None:
        """Take down which kind of entry a channel has; other programs' and later versions' kinds are passed over."""
        if opcode == Opcode.CHANNEL:
            self._file.seek(data)
            number, name, encoding = self._channel()
            self._topics[number] = _KNOWN.get(name), encoding == ENCODING

    def _closed(self) -> Index:
        """The index, with the frames at the end whose numbers cannot be believed, and the count of what is lost."""
        index = self._index
        self._lose(len(index.pictures) + self._unplaced)
        index.lost += max(0, self._nonsense - sum(place is None for place in index.pictures))
        return index

    def _message(self, head: bytes, data: int, length: int) -> tuple[type[Entry] | None, Place]:
        """What kind of entry a message is, None if nobody knows, and its place."""
        channel, sequence, at_ns, _ = _MESSAGE.unpack_from(head, _HEAD.size)
        kind, sealed = self._topics[channel]
        whole = length - _MESSAGE.size
        return kind, Place(data + _MESSAGE.size, max(0, whole - SEAL * sealed), sequence, at_ns, sealed)

    def _note(self, message: tuple[type[Entry] | None, Place]) -> None:
        kind, place = message
        index = self._index
        if kind is Picture:
            self._note_picture(place)
        elif kind is Answer:
            self._note_answer(place)
        elif kind is Opening:
            self._nonsense += index.opening is not None
            index.opening = index.opening or place
        elif kind is not None:
            index.others.append((kind, place))

    def _note_picture(self, place: Place) -> None:
        index, at_s = self._index, place.at_ns / _SECOND
        before = index.at_s[-1] if index.at_s else at_s
        expected = place.number == len(index.pictures) and 0 <= at_s - before <= _PAUSE_NS / _SECOND
        if not expected and not self._is_right(place):
            self._unplaced += 1
            return
        if place.number < len(index.pictures):
            self._nonsense += index.pictures[place.number] is not None
            index.pictures[place.number] = index.pictures[place.number] or place
            return
        self._lose(place.number)
        index.pictures.append(place)
        index.at_s.append(max(at_s, before))
        self._unplaced = 0

    def _note_answer(self, place: Place) -> None:
        index, former = self._index, self._index.answers.get(place.number)
        if (former is not None or place.number >= len(index.pictures)) and not self._is_right(place):
            index.lost += 1
            return
        if former is not None:
            index.lost += not self._is_right(former)
        self._lose(place.number + 1)
        index.answers[place.number] = place

    def _lose(self, until: int) -> None:
        """Keep the places of frames that are not there, so that those after them keep their numbers."""
        index = self._index
        while len(index.pictures) < until:
            index.pictures.append(None)
            index.at_s.append(index.at_s[-1] if index.at_s else 0.0)

    def _is_right(self, place: Place) -> bool:
        """Whether an entry's checksum is right; there is none in version 1, whose numbers are taken as they are."""
        if place.number * (_HEAD.size + _MESSAGE.size) > self._size:
            return False  # so many frames have no room in the file
        if not place.sealed:
            return place.number <= len(self._index.pictures)
        data = self._read(place.offset, place.length + SEAL)
        return int.from_bytes(data[place.length :], "little") == checksum(
            data[: place.length], place.number, place.at_ns
        )

    def _next_right(self, start: int) -> int | None:
        """The offset of the next message with a right checksum; None if there is none."""
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for found in _POSSIBLE.finditer(data, start):
                offset = found.start()
                head = data[offset : offset + _HEAD.size + _MESSAGE.size]
                if not self._is_message(head, offset + _HEAD.size):
                    continue
                _, place = self._message(head, offset + _HEAD.size, _HEAD.unpack_from(head)[1])
                if place.sealed and self._is_right(place):
                    return offset
        return None

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

    def _read(self, offset: int, length: int) -> bytes:
        self._file.seek(max(0, offset))
        return self._file.read(length)
