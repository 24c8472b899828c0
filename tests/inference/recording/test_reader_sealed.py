"""One flipped bit anywhere in a record: what it hit is told or gone, everything else is as it was written."""

import re
import struct
import tracemalloc
from pathlib import Path

import msgspec
import numpy as np
import pytest
import zstandard
from mcap.reader import make_reader
from mcap.writer import IndexType, Writer

from inference.errors import FormatError, IusError
from inference.frame import Frame, Origin, View
from inference.outcome import Failed
from inference.recording.entries import answer_of, opening_of, picture_of
from inference.recording.schema import Event, EventKind
from inference.recording.walk import SEAL
from inference.recording.writer import RecordFile
from inference.source_info import SourceInfo
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing, Provenance

SPACING = PixelSpacing(0.4, 0.4, Provenance.TYPED)
COUNT = 3


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Every frame shows its number, and its answer says it."""
    path = tmp_path / "a.mcap"
    origin = Origin("probe", View.NATIVE, live=True)
    file = RecordFile(path, opening_of(SourceInfo(origin, 64, 80, SPACING, "", (0.0, 255.0))))
    for number in range(COUNT):
        frame = Frame(number, np.full((64, 80), 10 + number, np.uint8), SPACING, number / 25, origin)
        file.append(picture_of(frame, number, 0.0))
        file.append(answer_of(Failed(frame, f"{number}"), number))
        file.append(Event(at_s=number / 25, kind=EventKind.PHASE, words="resection"))
    file.close()
    return path


def seen(path: Path) -> tuple[int, int]:
    """How many frames are right, and how many entries are counted as damaged; asserts that none is wrong."""
    right = 0
    with RecordSource(path) as source:
        for number in range(len(source)):
            try:
                frame = source.read(number)
            except IusError:
                continue
            assert frame.spacing == SPACING
            assert np.unique(frame.pixels).tolist() == [10 + number]
            right += 1
            try:
                outcome = source.outcome(number)
            except IusError:
                continue
            assert outcome is None or (isinstance(outcome, Failed) and outcome.sentence == f"{number}")
        return right, source._reader.damaged


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit the other way round."""
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def heads(data: bytes) -> list[int]:
    """Where each message of a record begins."""
    found, offset = [], 8
    while offset < len(data) - 8:
        opcode, length = struct.unpack_from("<BQ", data, offset)
        found += [offset] if opcode == 5 else []
        offset += 9 + length
    return found


@pytest.mark.parametrize("seed", range(300))
def test_a_flipped_bit_is_never_believed(record: Path, seed: int) -> None:
    data = record.read_bytes()
    record.write_bytes(flipped(data, int(np.random.default_rng(seed).integers(64, 8 * len(data)))))
    try:
        seen(record)
    except IusError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_a_scale_or_sentence_with_a_flipped_bit_is_never_believed(record: Path) -> None:
    """Where a flip leaves an entry that reads well: in the numbers of a scale, and in the letter of an answer."""
    data = record.read_bytes()
    scale, answer = struct.pack(">d", SPACING.row_mm), b"\xa1" + b"1"
    places = [8 * at + bit for at in found(data, scale) for bit in range(2, 64, 7)]
    places += [8 * (at + 1) + 1 for at in found(data, answer)]
    assert len(places) > 20
    for bit in places:
        record.write_bytes(flipped(data, bit))
        try:
            seen(record)
        except IusError as error:
            assert "damaged" in str(error)  # noqa: PT017


def found(data: bytes, part: bytes) -> list[int]:
    """Everywhere where some bytes stand."""
    return [match.start() for match in re.finditer(re.escape(part), data)]


def test_an_entry_whose_head_is_damaged_costs_no_other_and_is_told(record: Path) -> None:
    """Opcode, length, channel, number and time of every entry: what follows stays beside its own answer."""
    data = record.read_bytes()
    assert seen(record) == (COUNT, 0)
    for head in (*heads(data)[1:4], heads(data)[-1]):
        for bit in range(8 * head, 8 * (head + 23)):
            record.write_bytes(flipped(data, bit))
            right, _ = seen(record)
            assert right >= COUNT - 1
            assert right == COUNT - 1 or told(record), bit - 8 * head


def told(path: Path) -> bool:
    """Whether nothing is missing from a record, or it says that something is."""
    with RecordSource(path) as source:
        try:
            answers = [source._reader.answer(number) for number in range(COUNT)]
        except IusError:
            return True
        return None not in answers or source._reader.damaged > 0 or not source.finished


def test_a_picture_that_states_another_size_is_damaged_and_takes_no_memory(tmp_path: Path) -> None:
    """6 kB that would become 64 MB, and a picture that says nothing of its size."""
    path, origin = tmp_path / "bomb.mcap", Origin("probe", View.NATIVE, live=True)
    file = RecordFile(path, opening_of(SourceInfo(origin, 64, 80, SPACING, "", (0.0, 255.0))))
    picture = picture_of(Frame(0, np.full((64, 80), 10, np.uint8), SPACING, 0.0, origin), 0, 0.0)
    silent = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(64 * 80))
    for number, packed in enumerate((zstandard.compress(bytes(1 << 26)), silent, picture.pixels)):
        file.append(msgspec.structs.replace(picture, number=number, pixels=packed))
    file.close()
    with RecordSource(path) as source:
        tracemalloc.start()
        for number in (0, 1):
            with pytest.raises(FormatError, match="damaged: go on to the next"):
                source.read(number)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20
        assert np.unique(source.read(2).pixels).tolist() == [10]


def test_a_record_of_pictures_beyond_any_is_refused(tmp_path: Path) -> None:
    path, origin = tmp_path / "large.mcap", Origin("probe", View.NATIVE, live=True)
    file = RecordFile(path, opening_of(SourceInfo(origin, 20_000, 20_000, SPACING, "", (0.0, 255.0))))
    file.close()
    with pytest.raises(FormatError, match="more than 100 million pixels"):
        RecordSource(path)


def test_a_damaged_event_is_counted_and_the_frames_stay(record: Path) -> None:
    data = bytearray(record.read_bytes())
    data[data.index(b"resection", heads(data)[0])] ^= 4
    record.write_bytes(data)
    assert seen(record) == (COUNT, 1)
    with RecordSource(record) as source:
        assert "1 damaged entries" in source.info.notice


def of_version_1(sealed: Path, path: Path) -> Path:
    """The same record as version 1 wrote it: one checksum at its end instead of one an entry."""
    with sealed.open("rb") as old:
        entries = list(make_reader(old).iter_messages(log_time_order=False))
    with path.open("wb") as new:
        writer = Writer(new, index_types=IndexType.NONE, use_chunking=False, enable_data_crcs=True)
        writer.start(profile="ius", library="ius")
        channels: dict[str, int] = {}
        for topic in {channel.topic for _, channel, _ in entries}:
            kind = writer.register_schema(topic, "jsonschema", b"{}")
            channels[topic] = writer.register_channel(topic, "msgpack", kind)
        for _, channel, message in entries:
            data = message.data[:-SEAL]
            if channel.topic.endswith("opening"):
                data = msgspec.msgpack.encode(msgspec.msgpack.decode(data) | {"version": 1})
            writer.add_message(channels[channel.topic], message.log_time, data, message.publish_time, message.sequence)
        writer.finish()
    return path


def distrusted(path: Path) -> None:
    with RecordSource(path) as source:
        assert source.info.spacing is None
        assert "damaged" in source.info.notice
        assert all(source.read(number).spacing is None for number in range(len(source)))


FLIPPED = {"scale": struct.pack(">d", SPACING.row_mm), "event": b"resection", "opening": b"probe"}


@pytest.mark.parametrize("where", FLIPPED)
def test_a_record_of_before_with_a_wrong_checksum_has_no_scale(record: Path, tmp_path: Path, where: str) -> None:
    old = of_version_1(record, tmp_path / "old.mcap")
    with RecordSource(old) as source:
        assert (source.info.spacing, len(source)) == (SPACING, COUNT)
    data = bytearray(old.read_bytes())
    data[data.index(FLIPPED[where]) + 3] ^= 1
    old.write_bytes(data)
    distrusted(old)


@pytest.mark.parametrize("name", ["flip-scale", "flip-Event", "flip-opening", "flip-picture"])
def test_nor_has_one_that_a_version_of_before_wrote(shared_data: Path, name: str) -> None:
    distrusted(shared_data / f"hostile/min/{name}.mcap")
