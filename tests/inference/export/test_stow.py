"""Files on their way to a real web server on this computer, which keeps, refuses, or pretends."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from inference import cli
from inference.errors import ChoiceError
from inference.export import stow
from inference.export.capture import Capture, Outside
from inference.export.dicom import write_dicom_pair
from inference.export.outbox import Outbox, Sent, node_of
from inference.export.stow import AUTHORIZATION, stored
from inference.outcome import UnknownSpacing
from inference.sources.simulated import PhantomSource


def confirming(uid: str) -> tuple[int, bytes]:
    """What a service answers to a file that it has stored."""
    one = {"00081150": {"vr": "UI", "Value": ["1.2"]}, "00081155": {"vr": "UI", "Value": [uid]}}
    return 200, json.dumps({"00081199": {"vr": "SQ", "Value": [one]}}).encode()


def failing(uid: str) -> tuple[int, bytes]:
    one = {"00081155": {"vr": "UI", "Value": [uid]}, "00081197": {"vr": "US", "Value": [0xA700]}}
    return 202, json.dumps({"00081198": {"vr": "SQ", "Value": [one]}}).encode()


def warning(uid: str) -> tuple[int, bytes]:
    """What a service answers that stored a file after it changed elements of it (PS3.18 Table I.2.2-2: B000)."""
    one = {"00081155": {"vr": "UI", "Value": [uid]}, "00081196": {"vr": "US", "Value": [0xB000]}}
    return 202, json.dumps({"00081199": {"vr": "SQ", "Value": [one]}}).encode()


class Archive(ThreadingHTTPServer):
    """A DICOMweb service at /dicom-web; `given` is what it was sent, `asked` the headers of the last request."""

    def __init__(self, answer: Callable[[str], tuple[int, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.given: list[pydicom.Dataset] = []
        self.asked: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/dicom-web/"


class _Handler(BaseHTTPRequestHandler):
    server: Archive

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked = dict(self.headers)
        assert self.path == "/dicom-web/studies"
        whole = message_from_bytes(f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode() + body)
        if not whole.is_multipart():  # broken off
            return
        (part,) = whole.get_payload()
        assert part.get_content_type() == "application/dicom"
        dataset = pydicom.dcmread(BytesIO(part.get_payload(decode=True)))
        status, answer = self.server.answer(dataset.SOPInstanceUID)
        if status == 200:
            self.server.given.append(dataset)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        if status == 302:
            self.send_header("Location", "/login")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def archive(answer: Callable[[str], tuple[int, bytes]] = confirming) -> Iterator[Archive]:
    with Archive(answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5.0)


def filled(folder: Path, files: list[Path]) -> Outbox:
    outbox = Outbox(folder / "outbox")
    for file in files:
        outbox.put(file)
    return outbox


def test_what_arrives_is_what_was_exported_byte_for_byte(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(AUTHORIZATION, "Bearer secret")
    outbox = filled(tmp_path, files)
    with archive() as server:
        assert outbox.send(node_of(server.address)) == Sent(2, 0)
    assert outbox.waiting() == []
    assert server.asked["Authorization"] == "Bearer secret"
    sent = {one.SOPInstanceUID: one for one in map(pydicom.dcmread, files)}
    assert {one.SOPInstanceUID: one for one in server.given} == sent


def test_a_password_that_is_not_accepted_is_told_from_one_that_is_missing(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = filled(tmp_path, files)
    with archive(lambda _: (401, b"")) as server:
        monkeypatch.delenv(AUTHORIZATION, raising=False)
        assert f"without a password, which belongs into {AUTHORIZATION}" in outbox.send(node_of(server.address)).why
        monkeypatch.setenv(AUTHORIZATION, "Bearer of-yesterday")
        assert f"doesn't accept what stands in {AUTHORIZATION}" in outbox.send(node_of(server.address)).why


def test_a_service_that_takes_its_time_over_a_file_is_waited_for(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stow, "TIMEOUT_S", 0.5)

    def slowly(uid: str) -> tuple[int, bytes]:
        threading.Event().wait(1.5)
        return confirming(uid)

    with archive(slowly) as server:
        assert filled(tmp_path, files).send(node_of(server.address)) == Sent(2, 0)
    assert len(server.given) == 2, "none was sent again"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (failing, "doesn't confirm"),
        (lambda _: (409, b""), "status 409"),
        (lambda _: (401, b""), "password"),
        (lambda _: (302, b""), "status 302"),
        (lambda _: (200, b"<html>Who are you?</html>"), "doesn't confirm"),
        (lambda _: (200, b""), "doesn't confirm"),
        (lambda _: confirming("1.2.3"), "doesn't confirm"),
    ],
    ids=["failed", "refused", "no password", "redirected", "login page", "silent", "another file"],
)
def test_what_is_not_confirmed_stays(
    answer: Callable[[str], tuple[int, bytes]], words: str, files: list[Path], tmp_path: Path
) -> None:
    outbox = filled(tmp_path, files)
    with archive(answer) as server:
        sent = outbox.send(node_of(server.address))
    assert (sent.taken, sent.left) == (0, 2)
    assert words in sent.why
    assert len(outbox.waiting()) == 2
    again = 2 if "confirm" in words else 0
    with archive() as server:
        assert outbox.send(node_of(server.address)) == Sent(2, 0, again=again), "whether they may be there twice"


def test_a_file_that_was_stored_with_a_warning_is_gone_and_told(files: list[Path], tmp_path: Path) -> None:
    outbox = filled(tmp_path, files)
    with archive(warning) as server:
        assert outbox.send(node_of(server.address)) == Sent(2, 0, warned=2)
    assert outbox.waiting() == []


def test_the_command_says_what_waits_and_sends_nothing_that_may_name_a_patient(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with PhantomSource(rows=96, cols=128, count=1) as source:
        capture = Capture(UnknownSpacing(source.read(0), "Nobody knows."), (0.0, 255.0), Outside.KEPT)
    named = write_dicom_pair(capture, tmp_path / "named.dcm").image
    more = ["--outbox", str(tmp_path / "outbox"), "--json"]
    with archive() as server:
        gone = server.address
        assert cli.main(["send", str(named), "--to", gone, *more]) == cli.BAD_INPUT
        assert server.given == []
    capsys.readouterr()
    assert cli.main(["send", *map(str, files), "--to", gone, *more]) == cli.SOME_FAILED
    said = json.loads(capsys.readouterr().out)
    assert (said["sent"], said["waiting"]) == (0, 2)
    assert "doesn't answer" in said["reason"]
    with archive() as server:
        assert cli.main(["send", "--to", server.address, *more]) == cli.WELL
        assert json.loads(capsys.readouterr().out)["waiting_elsewhere"] == {gone.rstrip("/"): 2}
        assert server.given == []
        assert cli.main(["send", "--to", server.address, "--instead-of", gone, *more]) == cli.WELL
    assert len(server.given) == 2


KILLED_AT_EACH_STEP = """
import os, signal, sys
from pathlib import Path
from inference.export.outbox import Outbox, node_of

file, root, address = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
STEPS = ("os.rename", "os.truncate", "open", "http.client.send")
for number in range(1000):
    child = os.fork()
    if child == 0:
        outbox, passed = Outbox(root / str(number)), iter(range(number))
        def killed(event, arguments):
            if event in STEPS and next(passed, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(killed)
        outbox.put(file)
        print(number, outbox.send(node_of(address)).taken, flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


def test_killed_at_any_step_it_loses_nothing_and_sends_nothing_twice_unsaid(files: list[Path], tmp_path: Path) -> None:
    with archive() as server:
        command = [sys.executable, "-c", KILLED_AT_EACH_STEP, str(files[0]), str(tmp_path / "boxes"), server.address]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        boxes = sorted((tmp_path / "boxes").iterdir())
        assert len(boxes) > 8, "so many steps there are"
        arrived, known, said = len(server.given), 0, 0
        for folder in boxes:
            outbox, before = Outbox(folder), len(server.given)
            outbox.put(files[0])  # as its user does, who was not told that it has arrived
            sent = outbox.send(node_of(server.address))
            assert (sent.left, outbox.waiting()) == (0, [])
            assert len(server.given) - before == sent.taken
            known, said = known + (sent.taken == 0), said + sent.again
    assert known <= arrived, "what counts as arrived has"
    assert arrived - known <= said, "what went twice is told"


@pytest.mark.parametrize("text", ["https://", "https://name:secret@pacs/x", "http://pacs:port/", "https://pacs/?key=1"])
def test_what_is_no_address_is_refused_without_saying_a_secret_aloud(text: str) -> None:
    with pytest.raises(ChoiceError, match="https://HOST/PATH") as told:
        node_of(text)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("answer", [b"[]", b"1", b"{", b"\xff", b'{"00081199": 1}', b'{"00081199": {"vr": "SQ"}}'])
def test_no_answer_that_is_none_confirms_anything(answer: bytes) -> None:
    assert not stored(answer, "1.2.3")
