"""Files on their way to a real storage service on this computer: none is lost, and none goes that names a patient."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import SegmentationStorage, UltrasoundImageStorage
from pynetdicom import AE, evt

from inference.errors import ChoiceError, FormatError, OutputError
from inference.export import c_store
from inference.export.capture import Capture, Outside
from inference.export.dicom import write_dicom_pair
from inference.export.outbox import Node, Outbox, Sent, node_of, outbox_to, outboxes
from inference.outcome import UnknownSpacing
from inference.sources.simulated import PhantomSource

OUT_OF_RESOURCES = 0xA700


@pytest.fixture
def port(free_port: Callable[[], int]) -> int:
    return free_port()


def taken(_: evt.Event) -> int:
    """What a willing archive answers."""
    return 0x0000


@contextmanager
def archive(
    port: int, answer: Callable[[evt.Event], int] = taken, kind: str = UltrasoundImageStorage
) -> Iterator[list[pydicom.Dataset]]:
    """A storage service; what it was given."""
    given: list[pydicom.Dataset] = []

    def store(event: evt.Event) -> int:
        status = answer(event)
        if status == 0x0000:
            given.append(event.dataset)
        return status

    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(kind)
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    try:
        yield given
    finally:
        server.shutdown()


def filled(folder: Path, files: list[Path]) -> Outbox:
    outbox = Outbox(folder / "outbox")
    for file in files:
        outbox.put(file)
    return outbox


def test_what_arrives_is_what_was_exported(files: list[Path], tmp_path: Path, port: int) -> None:
    outbox = filled(tmp_path, files)
    with archive(port) as given:
        assert outbox.send(Node("ARCHIVE", "127.0.0.1", port)) == Sent(2, 0)
    assert outbox.waiting() == []
    sent = {one.SOPInstanceUID: one for one in map(pydicom.dcmread, files)}
    assert {one.SOPInstanceUID for one in given} == set(sent)
    for one in given:
        np.testing.assert_array_equal(
            np.frombuffer(one.PixelData, np.uint8), sent[one.SOPInstanceUID].pixel_array.ravel()
        )


def test_without_an_archive_all_wait_for_the_next_start(files: list[Path], tmp_path: Path, port: int) -> None:
    node = Node("ARCHIVE", "127.0.0.1", port)
    sent = filled(tmp_path, files).send(node)
    assert (sent.taken, sent.left) == (0, 2)
    assert "doesn't answer" in sent.why
    with archive(port) as given:
        assert Outbox(tmp_path / "outbox").send(node) == Sent(2, 0)
    assert len(given) == 2


def test_a_file_that_is_refused_stays_and_the_others_go(files: list[Path], tmp_path: Path, port: int) -> None:
    bad = pydicom.dcmread(files[0]).SOPInstanceUID
    outbox = filled(tmp_path, files)
    with archive(port, lambda event: OUT_OF_RESOURCES if event.dataset.SOPInstanceUID == bad else 0x0000) as given:
        sent = outbox.send(Node("ARCHIVE", "127.0.0.1", port))
    assert (sent.taken, sent.left) == (1, 1)
    assert "A700" in sent.why
    assert [path.stem for path in outbox.waiting()] == [bad]
    assert [one.SOPInstanceUID for one in given] != [bad]


def test_a_file_that_was_stored_with_a_warning_is_gone_and_told(files: list[Path], tmp_path: Path, port: int) -> None:
    outbox, statuses = filled(tmp_path, files), iter([0x0000, 0xB000])
    with archive(port, lambda _: next(statuses)):
        assert outbox.send(Node("ARCHIVE", "127.0.0.1", port)) == Sent(2, 0, warned=1)
    assert outbox.waiting() == []


def test_an_archive_for_other_objects_takes_none_and_none_is_lost(files: list[Path], tmp_path: Path, port: int) -> None:
    outbox = filled(tmp_path, files)
    with archive(port, kind=SegmentationStorage):
        sent = outbox.send(Node("ARCHIVE", "127.0.0.1", port))
    assert (sent.taken, sent.left) == (0, 2)
    assert sent.why
    assert len(outbox.waiting()) == 2


def test_an_archive_that_takes_its_time_over_a_file_is_waited_for(
    files: list[Path], tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(c_store, "TIMEOUT_S", 0.5)

    def slowly(_: evt.Event) -> int:
        threading.Event().wait(1.5)
        return 0x0000

    with archive(port, slowly) as given:
        assert filled(tmp_path, files).send(Node("ARCHIVE", "127.0.0.1", port)) == Sent(2, 0)
    assert len(given) == 2, "none was sent again"


def test_a_connection_that_breaks_half_way_loses_none(files: list[Path], tmp_path: Path, port: int) -> None:
    node, outbox = Node("ARCHIVE", "127.0.0.1", port), filled(tmp_path, files)

    def hang_up(event: evt.Event) -> int:
        event.assoc.abort()
        return OUT_OF_RESOURCES

    with archive(port, hang_up):
        sent = outbox.send(node)
    assert (sent.taken, sent.left) == (0, 2)
    assert "broke" in sent.why
    with archive(port) as given:
        assert outbox.send(node) == Sent(2, 0, again=1), "the first may have arrived"
    assert len(given) == 2


def named_file(folder: Path) -> Path:
    """A file that may name a patient."""
    with PhantomSource(rows=96, cols=128, count=1) as source:
        capture = Capture(UnknownSpacing(source.read(0), "Nobody knows."), (0.0, 255.0), Outside.KEPT)
    return write_dicom_pair(capture, folder / "named.dcm").image


def test_what_may_name_a_patient_goes_only_if_the_user_says_so(tmp_path: Path, port: int) -> None:
    named, outbox = named_file(tmp_path), Outbox(tmp_path / "outbox")
    with pytest.raises(ChoiceError, match="identity was removed"):
        outbox.put(named)
    assert outbox.waiting() == []
    outbox.put(named, identified=True)
    with archive(port) as given:
        assert outbox.send(Node("ARCHIVE", "127.0.0.1", port)) == Sent(1, 0)
    assert len(given) == 1


def test_what_was_laid_into_the_outbox_by_hand_is_looked_at_too(tmp_path: Path, port: int) -> None:
    named = named_file(tmp_path)
    outbox = Outbox(tmp_path / "outbox")
    (tmp_path / "outbox" / f"{pydicom.dcmread(named).SOPInstanceUID}.dcm").write_bytes(named.read_bytes())
    with archive(port) as given:
        sent = outbox.send(Node("ARCHIVE", "127.0.0.1", port))
    assert (sent.taken, sent.left, given) == (0, 1, [])
    assert "identity was removed" in sent.why


def test_what_a_program_left_that_was_killed_keeps_nothing_back(files: list[Path], tmp_path: Path, port: int) -> None:
    """Half a copy, and a file whose bytes the disk has lost."""
    outbox = filled(tmp_path, files)
    half = tmp_path / "outbox" / ".0123abcd-1.2.3.dcm"
    half.write_bytes(files[0].read_bytes()[:200])
    os.utime(half, (0, 0))
    (tmp_path / "outbox" / "1.2.4.dcm").write_bytes(b"")
    with archive(port) as given:
        sent = outbox.send(Node("ARCHIVE", "127.0.0.1", port))
    assert (sent.taken, sent.left, len(given)) == (2, 1, 2)
    assert "1.2.4.dcm" in sent.why
    assert not half.exists()


def test_no_second_program_sends_from_it_meanwhile(files: list[Path], tmp_path: Path, port: int) -> None:
    node, second = Node("ARCHIVE", "127.0.0.1", port), []

    def ask_the_other(_: evt.Event) -> int:
        second.append(Outbox(tmp_path / "outbox").send(node))
        return 0x0000

    outbox = filled(tmp_path, files)
    with archive(port, ask_the_other) as given:
        assert outbox.send(node) == Sent(2, 0)
    assert [sent.taken for sent in second] == [0, 0]
    assert len(given) == 2


def test_what_has_arrived_goes_again_only_if_the_user_says_so(files: list[Path], tmp_path: Path, port: int) -> None:
    node, outbox = Node("ARCHIVE", "127.0.0.1", port), filled(tmp_path, files)
    with archive(port) as given:
        outbox.send(node)
        assert [outbox.put(file) for file in files] == [False, False]
        assert outbox.send(node) == Sent(0, 0)
        assert outbox.put(files[0], again=True)
        assert outbox.send(node) == Sent(1, 0)
    assert len(given) == 3
    kept = list((tmp_path / "outbox" / "sent").iterdir())
    assert sum(file.stat().st_size for file in kept) == 0, "no picture stays behind"


def test_files_for_one_archive_never_go_to_another(files: list[Path], tmp_path: Path, port: int) -> None:
    away, here = "https://away.example/dicom-web", f"ARCHIVE@127.0.0.1:{port}"
    outbox_to(tmp_path, away).put(files[0])
    outbox_to(tmp_path, here).put(files[1])
    with archive(port) as given:
        assert outbox_to(tmp_path, here).send(node_of(here)) == Sent(1, 0)
        assert [(to, len(outbox.waiting())) for to, outbox in outboxes(tmp_path)] == [(away, 1)]
        outbox_to(tmp_path, here).take_over(outbox_to(tmp_path, away + "/"))
        assert outbox_to(tmp_path, here).send(node_of(here)) == Sent(1, 0)
    assert len(given) == 2


@pytest.mark.parametrize("keyword", ["SOPClassUID", "SOPInstanceUID"])
def test_a_file_without_its_uids_is_refused_and_keeps_no_other_back(
    files: list[Path], tmp_path: Path, port: int, keyword: str
) -> None:
    outbox, without = Outbox(tmp_path / "outbox"), tmp_path / "without.dcm"
    dataset = pydicom.dcmread(files[0])
    delattr(dataset, keyword)
    dataset.save_as(without)
    with pytest.raises(FormatError, match=r"without\.dcm has no proper UID"):
        outbox.put(without)
    outbox.put(files[1])
    (tmp_path / "outbox" / "1.2.3.dcm").write_bytes(without.read_bytes())
    with archive(port) as given:
        sent = outbox.send(Node("ARCHIVE", "127.0.0.1", port))
    assert (sent.taken, sent.left, len(given)) == (1, 1, 1)
    assert "has no proper UID" in sent.why


def test_what_is_no_dicom_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear colleague")
    with pytest.raises(FormatError, match=r"letter\.txt"):
        Outbox(tmp_path / "outbox").put(tmp_path / "letter.txt")


def test_a_file_that_was_cut_off_is_refused(files: list[Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(files[0].read_bytes()[:-5000])
    with pytest.raises(FormatError, match="ends before its last pixel"):
        Outbox(tmp_path / "outbox").put(cut)
    assert Outbox(tmp_path / "outbox").waiting() == []


def test_an_outbox_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        Outbox(tmp_path / "file" / "outbox")


@pytest.mark.parametrize(
    "text", ["pacs", "ARCHIVE@pacs", "ARCHIVE@pacs:0", "ARCHIVE@pacs:70000", "A" * 17 + "@pacs:104", "@pacs:104"]
)
def test_what_is_no_node_is_refused(text: str) -> None:
    with pytest.raises(ChoiceError, match="TITLE@HOST:PORT"):
        Node.parse(text)


def test_the_command_sends_and_says_what_waits(files: list[Path], tmp_path: Path, port: int) -> None:
    def typed(*files: Path) -> tuple[int, dict[str, object]]:
        names = [str(file) for file in files]
        command = [sys.executable, "-m", "inference.cli", "send", *names, "--to", f"ARCHIVE@127.0.0.1:{port}"]
        more = ["--outbox", str(tmp_path / "outbox"), "--json"]
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, json.loads(done.stdout)

    code, said = typed(*files)
    assert (code, said["sent"], said["waiting"]) == (1, 0, 2)
    with archive(port):
        code, said = typed(*files)
        assert (code, said["sent"], said["waiting"], said["reason"]) == (0, 2, 0, "")
        code, said = typed(*files)
        assert (code, said["sent"], said["arrived_before"]) == (0, 0, 2)
