"""One flipped bit anywhere in a record: what it hit is told or gone, everything else is as it was written."""

from pathlib import Path

import numpy as np
import pytest

from inference.errors import IusError
from inference.frame import Frame, Origin, View
from inference.recording.entries import opening_of, picture_of
from inference.recording.schema import Event, EventKind
from inference.recording.writer import RecordFile
from inference.source_info import SourceInfo
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing, Provenance

SPACING = PixelSpacing(0.4, 0.4, Provenance.TYPED)
COUNT = 5


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "a.mcap"
    origin = Origin("probe", View.NATIVE, live=True)
    file = RecordFile(path, opening_of(SourceInfo(origin, 64, 80, SPACING, "", (0.0, 255.0))))
    for number in range(COUNT):
        frame = Frame(number, np.full((64, 80), 10 + number, np.uint8), SPACING, number / 25, origin)
        file.append(picture_of(frame, number, 0.0))
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
            assert np.unique(frame.pixels).tolist() == [10 + number] or len(source) < COUNT
            right += 1
        return right, source._reader.damaged


@pytest.mark.parametrize("seed", range(300))
def test_a_flipped_bit_is_never_believed(record: Path, seed: int) -> None:
    data, generator = bytearray(record.read_bytes()), np.random.default_rng(seed)
    data[generator.integers(8, len(data))] ^= 1 << int(generator.integers(8))
    record.write_bytes(data)
    try:
        seen(record)
    except IusError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_a_damaged_event_is_counted_and_the_frames_stay(record: Path) -> None:
    data = bytearray(record.read_bytes())
    data[data.rindex(b"resection", 0, len(data) // 1)] ^= 4
    record.write_bytes(data)
    assert seen(record) == (COUNT, 1)
    with RecordSource(record) as source:
        assert "1 damaged entries" in source.info.notice


@pytest.mark.parametrize("name", ["flip-scale", "flip-Event", "flip-opening", "flip-picture"])
def test_a_record_of_before_with_a_wrong_checksum_has_no_scale(shared_data: Path, name: str) -> None:
    with RecordSource(shared_data / f"hostile/min/{name}.mcap") as source:
        assert source.info.spacing is None
        assert "damaged" in source.info.notice
        assert all(source.read(number).spacing is None for number in range(len(source)))
