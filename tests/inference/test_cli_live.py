"""`ius-segment live` against real senders on loopback: guards, record, OpenIGTLink, and a clean end."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from disks import full_disk
from peers import mask_peer
from tiny import threshold_model

from inference import cli
from inference.errors import OutputError
from inference.export.openigtlink_server import MASK
from inference.live import opening
from inference.live.headless import Stop, follow
from inference.live.policy import DEMONSTRATION_ONLY
from inference.live.session import Session
from inference.recording import recorder
from inference.recording.schema import End
from inference.sources import open_source
from inference.sources.openigtlink import OpenIGTLinkSource
from inference.sources.record import RecordSource

Igtl = Callable[..., AbstractContextManager[Any]]
FreePort = Callable[..., int]
Process: TypeAlias = "subprocess.Popen[str]"
ENDS_S = 60.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "threshold.onnx"
    threshold_model(path, level=110 / 150, spacing_mm=(0.3, 0.3), patch=(256, 256))
    return str(path)


@contextmanager
def running(*arguments: object) -> Iterator[Process]:
    """The command as a process of its own; killed at the end, if it did not end before."""
    command = [sys.executable, "-m", "inference.cli", "live", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line_where(process: Process, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The next line for which this holds."""
    assert process.stdout is not None
    for text in process.stdout:
        line: dict[str, Any] = json.loads(text)
        if wanted(line):
            return line
    raise AssertionError("it ended first")


def whole_record(path: Path) -> RecordSource:
    source = open_source(str(path))
    assert isinstance(source, RecordSource)
    assert source.finished
    return source


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly_with_a_whole_record_and_blanks_the_peers(
    model: str, tmp_path: Path, igtl: Igtl, free_port: FreePort, number: signal.Signals
) -> None:
    port, out, file = free_port(), free_port(), tmp_path / "a.mcap"
    arguments = (f"igtl://127.0.0.1:{port}", "--model", model, "--record", file, "--send", out)
    with igtl(port), running(*arguments) as process, mask_peer(out) as peer:
        line = line_where(process, lambda line: line["outcome"] == "tumour")
        assert (line["scale"], line["condition"], line["area_mm2"] > 0) == ("known", "running", True)
        assert line["area_mm2"] == pytest.approx(line["area_px"] * 0.06, abs=1e-5)
        for _ in range(8):  # of the first ones, frames may be of before the record
            line_where(process, lambda line: line["outcome"] == "tumour")
        peer.shows(lambda pixels: pixels > 0)
        told = time.monotonic()
        process.send_signal(number)
        rest, said = process.communicate(timeout=ENDS_S)
        took = time.monotonic() - told
        peer.shows(lambda pixels: pixels == 0)
    assert process.returncode == 0, said
    assert took < 2
    assert all(json.loads(text)["format"] == "ius-result/1" for text in rest.splitlines())
    assert "Traceback" not in said
    with whole_record(file) as source:
        answers = [source.outcome(number) for number in range(len(source))]
        assert any(answer is not None for answer in answers)
        assert source.models
        assert source.ended == number.name


def test_a_signal_ends_it_while_it_still_waits_for_its_source(model: str) -> None:
    """A server that takes the connection and never sends a picture."""
    with socket.create_server(("127.0.0.1", 0)) as mute, contextlib.ExitStack() as held:
        process = held.enter_context(running(f"igtl://127.0.0.1:{mute.getsockname()[1]}", "--model", model))
        held.enter_context(mute.accept()[0])
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=ENDS_S)
    assert (process.returncode, "Traceback" in said) == (0, False), said
    assert time.monotonic() - told < 2


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals")
def test_a_terminal_that_is_closed_ends_it_too(model: str, tmp_path: Path, igtl: Igtl, free_port: FreePort) -> None:
    """The system sends SIGHUP, and every line that is written from then on fails."""
    import pty

    port, file = free_port(), tmp_path / "a.mcap"
    command = [sys.executable, "-m", "inference.cli", "live", f"igtl://127.0.0.1:{port}"]
    with igtl(port):
        child, terminal = pty.fork()
        if child == 0:
            os.execv(sys.executable, [*command, "--model", model, "--record", str(file)])  # noqa: S606 (our own)
        seen = b""
        while seen.count(b'"outcome": "tumour"') < 8:
            seen += os.read(terminal, 65536)
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    with whole_record(file) as source:
        assert source.ended == "SIGHUP"


def test_it_ends_when_nobody_reads_any_more_even_while_the_signal_is_lost(
    model: str, tmp_path: Path, igtl: Igtl, free_port: FreePort
) -> None:
    port, file = free_port(), tmp_path / "a.mcap"
    with igtl(port) as server, running(f"igtl://127.0.0.1:{port}", "--model", model, "--record", file) as process:
        for _ in range(5):  # the record begins after the source: the first frames may have come before it
            line_where(process, lambda line: line["outcome"] == "tumour")
        server.silent = True
        lost = line_where(process, lambda line: line["outcome"] == "withdrawn")
        assert lost["condition"] == "lost"
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(ENDS_S) == 0
        assert "Traceback" not in process.stderr.read()
    with whole_record(file) as source:
        assert source.ended == End.CLOSED


@pytest.mark.skipif(sys.platform != "linux", reason="only there a pipe can be made this small")
def test_a_reader_that_takes_no_line_holds_up_neither_other_programs_nor_record_nor_end(
    model: str, tmp_path: Path, igtl: Igtl, free_port: FreePort
) -> None:
    import fcntl

    port, out, file = free_port(), free_port(), tmp_path / "a.mcap"
    arguments = (f"igtl://127.0.0.1:{port}", "--model", model, "--record", file, "--send", out)
    with igtl(port) as server, running(*arguments) as process, mask_peer(out) as peer:
        assert process.stdout is not None
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        peer.shows(lambda pixels: pixels > 0, within_s=ENDS_S)
        time.sleep(1)  # 4096 bytes are full after a few lines
        server.silent = True
        peer.shows(lambda pixels: pixels == 0)
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(ENDS_S) == 0
        assert time.monotonic() - told < 2
        assert process.stderr is not None
        assert "passed over, since nobody read those before" in process.stderr.read()
    with whole_record(file) as source:
        assert source.ended == "SIGTERM"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_an_output_on_a_full_disk_is_one_sentence(model: str) -> None:
    command = [sys.executable, "-m", "inference.cli", "live", "simulated:?", "--model", model]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=ENDS_S, check=False)
    assert ended.returncode == 1
    said = ended.stderr.splitlines()
    assert said[-1] == "error: The output cannot be written (the disk is full): write it elsewhere."
    assert "Traceback" not in ended.stderr


def test_an_output_that_fails_ends_the_run_and_its_record_is_whole(model: str, tmp_path: Path) -> None:
    def write(_: str) -> None:
        if session.record is not None and session.record.status().frames > 0:
            raise OutputError("The output cannot be written.")

    with contextlib.closing(Session(opening.open_source, opening.load_model)) as session:
        session.load(Path(model))
        ended = follow(session, "simulated:?", write, Stop(), record=tmp_path / "a.mcap", seconds=ENDS_S)
    assert ended.error == "The output cannot be written."
    assert ended.record is not None
    assert not ended.record.error
    with whole_record(tmp_path / "a.mcap") as source:
        assert source.ended == End.CLOSED


def test_other_programs_get_the_mask_from_it(model: str, igtl: Igtl, free_port: FreePort) -> None:
    port, out = free_port(), free_port()
    with igtl(port), running(f"igtl://127.0.0.1:{port}", "--model", model, "--send", out) as process:
        line_where(process, lambda line: line["outcome"] == "tumour")
        with OpenIGTLinkSource(f"igtl://127.0.0.1:{out}/{MASK}") as peer:
            frame = next(frame for frame in peer.frames() if frame.pixels.any())
            assert frame.spacing is not None
            assert (frame.spacing.row_mm, frame.spacing.col_mm) == pytest.approx((0.3, 0.2))


def test_guards_look_at_what_is_live(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["live", "simulated:?disturb=black&at=0.5", "--model", model, "--seconds", "3"])
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    refused = [line for line in lines if line["outcome"] == "not_analysed"]
    assert code == 0
    assert refused
    assert all("black or even" in line["reason"] for line in refused)
    assert all("black_picture" in line["alarms"] for line in refused)
    frames = [line["frame"] for line in lines if line["outcome"] != "withdrawn"]
    assert len(frames) == len(set(frames)), "one line an outcome"


def test_the_demonstration_model_looks_at_no_live_picture_unless_it_is_named(
    igtl: Igtl, free_port: FreePort, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with igtl(port):
        assert cli.main(["live", f"igtl://127.0.0.1:{port}", "--seconds", "2"]) == 0
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    answers = [line for line in lines if line["outcome"] != "withdrawn"]
    assert answers
    assert {(line["outcome"], line["reason"]) for line in answers} == {("not_analysed", DEMONSTRATION_ONLY)}


def test_other_pictures_of_the_server_are_said(
    model: str, igtl: Igtl, free_port: FreePort, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also if the first of them comes only after the source is open."""
    port = free_port()
    with igtl(port) as server:
        server.other = "Navigation"
        assert cli.main(["live", f"igtl://127.0.0.1:{port}", "--model", model, "--seconds", "1"]) == 0
    assert capsys.readouterr().err.count("The server sends other pictures too (Navigation): add a name") == 1


@pytest.mark.parametrize(
    ("address", "options", "sentence"),
    [
        ("simulated:", (), "ius-segment run"),
        ("igtl://127.0.0.1:1", (), "127.0.0.1:1"),
        ("simulated:?disturb=black&at=9", ("--model", "missing.onnx"), "missing.onnx"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    model: str, capsys: pytest.CaptureFixture[str], address: str, options: tuple[str, ...], sentence: str
) -> None:
    assert cli.main(["live", address, "--model", model, *options, "--seconds", "1"]) == 2
    out, said = capsys.readouterr()
    assert (out, said.splitlines()[-1].startswith("error: ")) == ("", True)
    assert sentence in said.splitlines()[-1]


def test_a_record_whose_drive_dies_is_said_and_holds_nobody_up(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    never, answer = os.pipe()
    monkeypatch.setattr(os, "fsync", lambda _: os.read(never, 1))
    monkeypatch.setattr(recorder, "ANSWER_S", 0.5)
    path = tmp_path / "a.mcap"
    assert cli.main(["live", "simulated:?", "--model", model, "--record", str(path), "--seconds", "2"]) == 2
    said = capsys.readouterr().err.splitlines()
    monkeypatch.undo()
    os.close(answer)
    assert f"{path} does not answer: is its drive connected?" in said
    assert said[-1] == "error: a.mcap could not be finished, since its drive does not answer: what is written is safe."
    with open_source(str(path)) as record:
        assert len(record) > 0
    os.close(never)


def test_a_record_whose_disk_is_full_ends_and_the_answers_go_on(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever navigates by what is sent needs the picture more than the record."""
    path = tmp_path / "a.mcap"
    with full_disk(150_000):
        code = cli.main(["live", "simulated:?", "--model", model, "--record", str(path), "--seconds", "5"])
    out, err = capsys.readouterr()
    times, said = [json.loads(line)["captured_utc"] for line in out.splitlines()], err.splitlines()
    assert code == 1
    assert times[-1] - times[0] > 3
    assert sum("The disk is full: recording stopped" in sentence for sentence in said) == 2
    assert said[-1].startswith("error: The disk is full")
    with open_source(str(path)) as record:
        assert len(record) > 0


def test_a_record_never_replaces_a_file(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mcap").write_bytes(b"mine")
    address = "simulated:?disturb=black&at=9"
    arguments = ["live", address, "--model", model, "--seconds", "1", "--record", str(tmp_path / "a.mcap")]
    assert cli.main(arguments) == 2
    assert (tmp_path / "a.mcap").read_bytes() == b"mine"
    assert "error: " in capsys.readouterr().err
