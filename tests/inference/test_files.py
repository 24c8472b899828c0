"""Every file that is written: private, never half, never in another's place, and one sentence where it cannot be."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from disks import full_disk
from outcomes import INFO, five, frame, tumour

from inference.errors import OutputError
from inference.export.capture import Capture
from inference.export.dicom import write_dicom_pair
from inference.export.outbox import Outbox
from inference.export.picture import write_pictures
from inference.export.readings import UNLIKE, reading_row, write_readings
from inference.export.stack import write_stack
from inference.export.summary import Session, write_summary
from inference.files import claim, dated, make_folder, replacing, together, write_text
from inference.jobs.snapshots import Snapshots
from inference.nifti import picture_header, write_nifti
from inference.recording.entries import opening_of
from inference.recording.writer import RecordFile

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
Write = Callable[[Path], object]


def _capture() -> Capture:
    return Capture(tumour(frame(0)), (0.0, 255.0))


def _outbox(folder: Path) -> None:
    source = folder.parent / "exported.dcm"
    if not source.exists():
        write_dicom_pair(_capture(), source)
    Outbox(folder).put(source, identified=True)


def _record(folder: Path) -> None:
    RecordFile(folder / "a.mcap", opening_of(INFO, "", None)).close()


WRITERS: dict[str, Write] = {
    "text": lambda folder: write_text(folder / "a.json", "{}" * 99),
    "readings": lambda folder: write_readings(
        folder / "a.csv", [reading_row(outcome) for outcome in five()], (UNLIKE,)
    ),
    "volume": lambda folder: write_nifti(np.ones((9, 9, 9), np.uint8), picture_header(None), str(folder / "a.nii")),
    "packed volume": lambda folder: write_nifti(
        np.random.default_rng(1).integers(0, 255, (9, 9, 9), np.uint8), picture_header(None), str(folder / "a.nii.gz")
    ),
    "stack": lambda folder: write_stack(folder / "a.nii.gz", [frame(0).pixels] * 9, 9, None),
    "pictures": lambda folder: write_pictures(_capture(), folder / "a.png"),
    "DICOM": lambda folder: write_dicom_pair(_capture(), folder / "a.dcm"),
    "page": lambda folder: write_summary(Session(frame(0).origin, []), folder / "a.html"),
    "outbox": _outbox,
    "record": _record,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_one_sentence_and_leaves_no_half_file(tmp_path: Path, name: str) -> None:
    if name == "outbox":
        _outbox(tmp_path / "before")
    (tmp_path / "out").mkdir()
    with full_disk(64), pytest.raises(OutputError, match=r"disk is full.*[Ff]ree space"):
        WRITERS[name](tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", WRITERS)
def test_a_place_where_nothing_can_be_written_is_one_sentence(tmp_path: Path, name: str) -> None:
    """A file stands where the folder should be: that stops the system's administrator too."""
    (tmp_path / "out").write_text("in the way")
    if name == "outbox":
        _outbox(tmp_path / "before")
    with pytest.raises(OutputError, match=r"cannot be (written|made)") as refused:
        WRITERS[name](tmp_path / "out")
    assert str(tmp_path / "out") in str(refused.value)
    assert (tmp_path / "out").read_text() == "in the way"


@POSIX
@pytest.mark.parametrize("name", WRITERS)
def test_only_its_owner_reads_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    before = os.umask(0)
    try:
        WRITERS[name](tmp_path / "out")
    finally:
        os.umask(before)
    files = list((tmp_path / "out").iterdir())
    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_failure_leaves_the_former_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_text(path, "former")
    with full_disk(4), pytest.raises(OutputError):
        write_text(path, "another")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("former", [path])


def test_two_writers_of_one_file_never_share_a_temporary_one(tmp_path: Path) -> None:
    """As two programs do that write the same name at once, in one process or on two computers."""
    path = tmp_path / "a.txt"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("first", [path])


def test_a_name_that_is_taken_is_never_claimed_again(tmp_path: Path) -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    claimed = [claim(dated(tmp_path, now, ".png")) for _ in range(3)]
    assert [path.name for path in claimed] == [f"iUS-20260131-120000{end}.png" for end in ("", "-2", "-3")]
    assert all(path.exists() for path in claimed)


def test_two_viewers_in_one_second_replace_nothing_of_each_other(tmp_path: Path) -> None:
    viewers = [Snapshots(tmp_path / "out") for _ in range(2)]
    for _ in range(3):
        for viewer in viewers:
            viewer.take(tumour(frame(0)), (0.0, 255.0), ())
    said = []
    for viewer in viewers:
        viewer.close()
        while (told := viewer.poll()) is not None:
            said.append(told[0])
    stems = [re.match(r"Snapshot (\S+) is in", sentence)[1] for sentence in said]  # type: ignore[index]
    assert len(set(stems)) == len(said) == 6
    names = {path.name for path in (tmp_path / "out").iterdir()}
    parts = (".png", "_contour.png", ".dcm", "_picture.dcm", "_seg.dcm", "_report.dcm")
    assert names == {f"{stem}{part}" for stem in stems for part in parts}


def test_a_snapshot_on_a_full_disk_leaves_no_empty_picture(tmp_path: Path) -> None:
    snapshots = Snapshots(make_folder(tmp_path / "out"))
    with full_disk(64):
        snapshots.take(tumour(frame(0)), (0.0, 255.0), ())
        snapshots.close()
    told = snapshots.poll()
    assert told is not None
    assert "disk is full" in told[0]
    assert list((tmp_path / "out").iterdir()) == []


def test_what_a_killed_program_left_of_files_that_belong_together_goes_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / ".0123abcd-unfinished", tmp_path / ".4567cdef-unfinished"
    for left in (old, new):
        left.mkdir()
        (left / "frames.nii.gz").write_bytes(b"a patient")
    os.utime(old, (1e9, 1e9))
    with together(tmp_path, "list") as aside:
        (aside / "a").write_text("a")
        assert not (tmp_path / "a").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"a", new.name}


KILLED = """
import os, pathlib, sys
from inference.files import together

folder, left = pathlib.Path(sys.argv[1]), int(sys.argv[2])

def dying(event, arguments):
    global left
    if event in ("os.remove", "os.rename"):
        if left == 0:
            os._exit(9)
        left -= 1

with together(folder, "list") as aside:
    for name in ("a", "b", "c"):
        (aside / name).write_text("of the new scale")
    (aside / "list").write_text("abc")
    sys.addaudithook(dying)
"""


@pytest.mark.parametrize("steps", range(8))
def test_files_that_belong_together_are_of_one_export_whenever_it_is_killed(tmp_path: Path, steps: int) -> None:
    for name in "abc":
        (tmp_path / name).write_text("of the former scale")
    (tmp_path / "list").write_text("abc")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(steps)], check=False, timeout=60)
    assert ended.returncode == (9 if steps < 7 else 0)
    there = [tmp_path / name for name in "abc" if (tmp_path / name).exists()]
    assert len({path.read_text() for path in there}) <= 1, "two scales beside each other"
    assert (tmp_path / "list").read_text() == "abc", "what is there can be found and replaced by the next one"
    assert steps < 7 or len(there) == 3
