"""The list of records: what each says of itself, also where it is damaged; and their deletion."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import pytest
from outcomes import INFO, five, record

from inference.errors import OutputError
from inference.jobs.record_list import ListedRecord, RecordList, delete
from inference.recording.reader import RecordReader
from inference.recording.recorder import Recorder


@pytest.fixture
def looked_at() -> Iterator[RecordList]:
    made = RecordList()
    yield made
    made.close()


def listed(records: RecordList, folder: Path, leave_out: Path | None = None) -> list[ListedRecord]:
    """All records of a folder."""
    records.look(folder, leave_out)
    found, end = list[ListedRecord](), monotonic() + 20
    while (count := records.count()) is None:
        assert monotonic() < end
        sleep(0.005)
    while len(found) < count and monotonic() < end:
        if (one := records.poll()) is not None:
            found.append(one)
        else:
            sleep(0.005)
    assert len(found) == count
    assert records.poll() is None
    return found


def test_records_come_newest_first_and_say_what_they_are(looked_at: RecordList, tmp_path: Path) -> None:
    record(tmp_path / "iUS-20260301-101500.mcap", five(), case_code="GL-017")
    record(tmp_path / "iUS-20261124-093000.mcap", five())
    (tmp_path / "iUS-20261124-093000.png").write_bytes(b"a snapshot")
    (tmp_path / ".7-iUS-20261124-093001.mcap").write_bytes(b"half written")
    new, old = listed(looked_at, tmp_path)
    assert (new.path.stem, f"{new.begun:%Y-%m-%d %H:%M}", new.case_code) == (
        "iUS-20261124-093000",
        "2026-11-24 09:30",
        "",
    )
    assert (old.case_code, old.device, old.size, old.model) == ("GL-017", "probe", (37, 53), "")
    assert "5 frames" in old.words
    assert old.thumbnail is not None
    assert old.thumbnail.shape == (37, 53)
    assert old.shape == pytest.approx((53 * 0.3, 37 * 0.2))


def test_a_record_that_is_damaged_or_cut_off_is_listed_with_the_reason(looked_at: RecordList, tmp_path: Path) -> None:
    cut = record(tmp_path / "iUS-20260301-101500.mcap", five())
    os.truncate(cut, cut.stat().st_size * 2 // 3)
    (tmp_path / "iUS-20260302-101500.mcap").write_bytes(b"no record at all")
    (tmp_path / "iUS-99999999-999999.mcap").write_bytes(b"")
    found = {one.path.name: one for one in listed(looked_at, tmp_path)}
    assert found["iUS-20260301-101500.mcap"].words.endswith("cut off")
    assert found["iUS-20260301-101500.mcap"].opens
    for name in ("iUS-20260302-101500.mcap", "iUS-99999999-999999.mcap"):
        assert not found[name].opens
        assert "no record of this program" in found[name].words


def test_the_record_that_is_being_written_is_left_out_and_a_missing_folder_is_empty(
    looked_at: RecordList, tmp_path: Path
) -> None:
    running = record(tmp_path / "iUS-20260301-101500.mcap", five())
    assert listed(looked_at, tmp_path, running) == []
    assert listed(looked_at, tmp_path / "nowhere") == []


def test_what_has_not_changed_is_not_opened_again(looked_at: RecordList, tmp_path: Path) -> None:
    record(tmp_path / "iUS-20260301-101500.mcap", five())
    [first] = listed(looked_at, tmp_path)
    assert listed(looked_at, tmp_path) == [first]
    first.path.unlink()
    record(first.path, five()[:3])
    [second] = listed(looked_at, tmp_path)
    assert "3 frames" in second.words


def test_deleted_records_are_gone_and_their_exports_stay(tmp_path: Path) -> None:
    paths = [record(tmp_path / f"iUS-2026030{day}-101500.mcap", five()) for day in (1, 2)]
    paths[0].with_suffix("").mkdir()
    assert delete(paths) == "2 records deleted."
    assert [path.name for path in tmp_path.iterdir()] == ["iUS-20260301-101500"]


def test_a_record_that_cannot_be_deleted_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "iUS-20260301-101500.mcap"
    folder.mkdir()
    with pytest.raises(OutputError, match=r"iUS-20260301-101500\.mcap cannot be deleted"):
        delete([folder])


@pytest.mark.skipif(sys.platform == "win32", reason="it deletes no file that is open")
def test_a_record_that_another_window_is_writing_is_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "running.mcap"
    recorder, outcome = Recorder(path, INFO), five()[0]
    recorder.frame(outcome.frame)
    with pytest.raises(OutputError, match=r"running\.mcap is being recorded"):
        delete([path])
    recorder.outcome(outcome)
    assert recorder.close().error == ""
    with closing(RecordReader(path)) as reader:
        assert len(reader) == 1
    delete([path])
    assert not path.exists()
