"""Files on their way to a real storage service on this computer: none is lost, and none goes that names a patient."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import SegmentationStorage, UltrasoundImageStorage
from pynetdicom import AE, evt

from inference.errors import ChoiceError, FormatError, OutputError
from inference.export.capture import Capture, Outside
from inference.export.dicom import write_dicom_pair
from inference.export.outbox import Node, Outbox, Sent
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


def test_an_archive_for_other_objects_takes_none_and_none_is_lost(files: list[Path], tmp_path: Path, port: int) -> None:
    outbox = filled(tmp_path, files)
    with archive(port, kind=SegmentationStorage):
        sent = outbox.send(Node("ARCHIVE", "127.0.0.1", port))
    assert (sent.taken, sent.left) == (0, 2)
    assert sent.why
    assert len(outbox.waiting()) == 2


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
        assert outbox.send(node) == Sent(2, 0)
    assert len(given) == 2


def test_what_may_name_a_patient_goes_only_if_the_user_says_so(tmp_path: Path) -> None:
    with PhantomSource(rows=96, cols=128, count=1) as source:
        capture = Capture(UnknownSpacing(source.read(0), "Nobody knows."), (0.0, 255.0), Outside.KEPT)
    pair = write_dicom_pair(capture, tmp_path / "named.dcm")
    outbox = Outbox(tmp_path / "outbox")
    with pytest.raises(ChoiceError, match="identity was removed"):
        outbox.put(pair.image)
    assert outbox.waiting() == []
    outbox.put(pair.image, identified=True)
    assert len(outbox.waiting()) == 1


def test_what_is_no_dicom_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear colleague")
    with pytest.raises(FormatError, match=r"letter\.txt"):
        Outbox(tmp_path / "outbox").put(tmp_path / "letter.txt")


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
        assert typed() == (0, {"sent": 2, "waiting": 0, "reason": ""})
