"""A record on its way to the disk: never in anybody's way, never over a file, readable while it grows."""

import os
import struct
import threading
from dataclasses import replace
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from disks import full_disk
from outcomes import INFO, frame, tumour

from inference.errors import OutputError
from inference.live.keep_last import keep
from inference.live.ring import Ring
from inference.recording.recorder import Recorder
from inference.recording.schema import End
from inference.sources.record import RecordSource

HEAD = struct.Struct("<BQ")
"""Of an MCAP record: its kind, and the bytes that follow."""
MAGIC_BYTES = 8


def end_of_whole_entries(path: Path) -> int:
    """Where the last MCAP record ends that is there from its first byte to its last."""
    data, at = path.read_bytes(), MAGIC_BYTES
    while at + HEAD.size <= len(data):
        end = at + HEAD.size + HEAD.unpack_from(data, at)[1]
        if end > len(data):
            break
        at = end
    return at


def test_a_slow_disk_costs_frames_and_says_so_but_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free, asked, sync = threading.Event(), threading.Event(), os.fsync

    def stuck(fd: int) -> None:
        asked.set()
        free.wait(30)
        sync(fd)

    monkeypatch.setattr(os, "fsync", stuck)
    size = frame(0).pixels.nbytes
    recorder = Recorder(tmp_path / "slow.mcap", INFO, room=20 * size)
    recorder.frame(frame(0))
    assert asked.wait(20), "what is called written was never made to survive the computer's death"
    deadline, sent, longest = monotonic() + 20, 1, 0.0
    while recorder.status().dropped < 5 and monotonic() < deadline:
        begun = monotonic()
        recorder.frame(frame(sent % 3))
        longest, sent = max(longest, monotonic() - begun), sent + 1
    assert recorder.status().dropped == 5
    assert longest < 1.0
    free.set()
    status = recorder.close()
    with RecordSource(tmp_path / "slow.mcap") as source:
        assert (len(source), source.dropped) == (status.frames, 5)
        assert len(source) + source.dropped == sent


def test_a_disk_that_fills_stops_the_record_with_a_sentence(tmp_path: Path) -> None:
    path, limit = tmp_path / "full.mcap", 60_000
    with full_disk(limit):
        recorder, deadline, index = Recorder(path, INFO), monotonic() + 30, 0
        while not recorder.status().error and monotonic() < deadline:
            recorder.frame(frame(index))
            index += 1
        status = recorder.close()
    assert status.error.startswith("The disk is full")
    assert path.stat().st_size <= limit
    assert end_of_whole_entries(path) == path.stat().st_size, "a part of what did not fit is left"
    with RecordSource(path) as source:
        assert len(source) == status.frames > 10
        assert not source.finished
        assert np.array_equal(source.read(len(source) - 1).pixels, frame(len(source) - 1).pixels)


def test_of_a_record_that_does_not_even_begin_nothing_is_said_to_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "full.mcap"
    with full_disk(1000), pytest.raises(OutputError, match="the disk is full") as told:
        Recorder(path, INFO)
    assert "nothing is kept" in str(told.value)
    assert not path.exists()


def test_of_a_half_minute_that_does_not_fit_is_said_how_much_was_kept(tmp_path: Path) -> None:
    path, ring = tmp_path / "full.mcap", Ring()
    for index in range(60):
        ring.add(tumour(frame(index)))
    with full_disk(60_000), pytest.raises(OutputError) as told:
        keep(ring.held(), path, INFO)
    with RecordSource(path) as source:
        assert str(told.value).endswith(f" {len(source)} of 60 frames were kept.")
        assert 0 < len(source) < 60


def test_another_picture_size_ends_the_record_whole(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "size.mcap", INFO)
    recorder.frame(frame(0))
    recorder.frame(replace(frame(1), pixels=np.zeros((9, 9), np.uint8)))
    assert "another size" in recorder.close().error
    with RecordSource(tmp_path / "size.mcap") as source:
        assert (len(source), source.finished, source.ended) == (1, True, End.SIZE)


def test_a_record_never_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "there.mcap").write_text("precious")
    with pytest.raises(OutputError, match="is there already"):
        Recorder(tmp_path / "there.mcap", INFO)
    assert (tmp_path / "there.mcap").read_text() == "precious"


def test_it_is_readable_while_it_is_written(tmp_path: Path) -> None:
    recorder, deadline = Recorder(tmp_path / "growing.mcap", INFO), monotonic() + 20
    recorder.frame(frame(0))
    while recorder.status().frames < 1 and monotonic() < deadline:
        threading.Event().wait(0.01)
    with RecordSource(tmp_path / "growing.mcap") as source:
        assert (len(source), source.finished) == (1, False)
    recorder.close()


@pytest.mark.parametrize("lost", ["deleted", "moved", "replaced"])
def test_a_record_that_was_taken_away_is_never_called_recorded(tmp_path: Path, lost: str) -> None:
    path = tmp_path / "a.mcap"
    recorder = Recorder(path, INFO)
    recorder.frame(frame(0))
    if lost == "deleted":
        path.unlink()
    else:
        path.rename(tmp_path / "b.mcap")
    if lost == "replaced":
        path.write_bytes(b"another")
    recorder.frame(frame(1))
    assert "was moved, deleted or replaced" in recorder.close().error
