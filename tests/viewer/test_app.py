"""The program itself, as scripts start it: arguments, status, picture, exit status, and the Qt it must not use."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from peers import mask_peer
from PySide6.QtGui import QImage
from tiny import threshold_model

from inference import cli
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing, Provenance
from viewer import app


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`ius-viewer` where no display is, with a home of its own."""
    keep = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}}
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), "XDG_STATE_HOME": str(folder / "state")}
    command = [sys.executable, "-W", "error", "-m", "viewer.app", *arguments]
    return subprocess.run(command, env=keep | home, capture_output=True, text=True, timeout=60, check=False)


def connected(port: int, process: subprocess.Popen[str]) -> socket.socket:
    """A connection to a port that a process will open, tried until it does or ends."""
    while process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=40)
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError(process.communicate()[1])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "threshold.onnx"
    threshold_model(path, level=0.75)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="a display is always there")
def test_a_run_without_display_says_where_picture_and_status_are(tmp_path: Path, model: Path) -> None:
    picture, status = tmp_path / "screen.png", tmp_path / "status.json"
    ended = run(
        tmp_path, "simulated:", "--model", str(model), "--exit-after", "5", "--phase", "before_dura",
        "--screenshot", str(picture), "--status", str(status),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == ""
    assert "no display" in ended.stderr
    assert str(picture) in ended.stderr
    assert QImage(str(picture)).size().toTuple() == (1280, 800)
    said = json.loads(status.read_text())
    assert set(said) == {
        "captured", "analysed", "shown", "dropped", "mismatched", "fps", "latency_ms", "provider", "outcome",
        "area_mm2", "startup_s",
    }  # fmt: skip
    assert set(said["latency_ms"]) == {"p50", "p95", "p99"}
    assert said["mismatched"] == 0
    assert 0 < said["shown"] <= said["analysed"] <= said["captured"]
    assert (said["provider"], said["outcome"]) == ("CPU", "tumour")
    assert said["area_mm2"] > 0
    assert said["startup_s"] < 5
    assert said["latency_ms"]["p50"] <= said["latency_ms"]["p95"] <= said["latency_ms"]["p99"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_a_signal_ends_the_record_blanks_the_peers_and_closes_the_window(
    tmp_path: Path, model: Path, free_port: Callable[[], int]
) -> None:
    port = free_port()
    code = (
        "import sys\nfrom viewer import app\nfrom PySide6.QtCore import QTimer\nbuild = app.build\n"
        "def recording(*given):\n    window = build(*given)\n    timer = QTimer(window, interval=20)\n"
        "    def begin():\n        if window.meter.shown:\n            timer.stop()\n            window.act('record')\n"
        "    timer.timeout.connect(begin)\n    timer.start()\n    return window\n"
        "app.build = recording\nsys.exit(app.main(sys.argv[1:]))\n"
    )
    arguments = ["simulated:", "--model", str(model), "--send", str(port), "--exit-after", "100"]
    outside = os.environ | {"HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    outside |= {"XDG_DOCUMENTS_DIR": str(tmp_path / "documents")}
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    with subprocess.Popen(command, env=outside, stderr=subprocess.PIPE, text=True) as window, mask_peer(port) as peer:
        peer.shows(lambda pixels: pixels > 0, within_s=60)  # the start of a program on a busy machine
        file = first_record(tmp_path / "documents" / "iUS", window)
        told = time.monotonic()
        window.send_signal(signal.SIGTERM)
        _, said = window.communicate(timeout=40)
        took = time.monotonic() - told
        peer.shows(lambda pixels: pixels == 0)
    assert (window.returncode, said) == (0, "")
    assert took < 2
    with RecordSource(file) as source:
        assert (source.finished, source.ended) == (True, "SIGTERM")


def first_record(folder: Path, process: subprocess.Popen[str]) -> Path:
    """The record that a process will begin here, once it holds frames."""
    while process.poll() is None:
        for path in folder.glob("*.mcap"):
            if path.stat().st_size > 100_000:
                return path
        time.sleep(0.02)
    raise AssertionError(process.communicate()[1])


def test_ctrl_c_closes_the_window_as_its_own_button_does(
    tmp_path: Path, model: Path, free_port: Callable[[], int]
) -> None:
    """While it paints too, and pressed many times."""
    port = free_port()
    arguments = ["simulated:", "--model", str(model), "--send", str(port), "--exit-after", "100"]
    outside = os.environ | {"HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": "1"}
    command = [sys.executable, "-W", "error", "-m", "viewer.app", *arguments]
    with subprocess.Popen(command, env=outside, stderr=subprocess.PIPE, text=True) as window:
        with connected(port, window) as client:
            assert client.recv(1), "frames are analysed and painted"
        for _ in range(20):
            window.send_signal(signal.SIGINT)
        _, said = window.communicate(timeout=40)
    assert (window.returncode, said) == (0, "")


def test_wrong_input_ends_with_one_sentence_and_status_2(tmp_path: Path, model: Path) -> None:
    nowhere = tmp_path / "no folder" / "status.json"
    ended = run(
        tmp_path, str(tmp_path / "missing.nii.gz"), "--model", str(model), "--exit-after", "2", "--status", str(nowhere)
    )
    assert ended.returncode == 2
    source, status = [line for line in ended.stderr.splitlines() if line.startswith("error:")]
    assert "missing.nii.gz" in source
    assert str(nowhere) in status
    assert "Traceback" not in ended.stderr


DEAD = """
import os, sys
from inference import patience
from viewer import app

patience.ANSWER_S = 0.5


def wait(event, given):
    if event == "open" and sys.argv[1] in str(given[0]):
        os.open(sys.argv[2], os.O_RDONLY)


sys.addaudithook(wait)
sys.exit(app.main(sys.argv[3:]))
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_dead_drive_gets_no_screenshot_and_the_program_ends_with_one_sentence(tmp_path: Path, model: Path) -> None:
    os.mkfifo(tmp_path / "never")
    (tmp_path / "dead").mkdir()
    picture, status = tmp_path / "dead" / "screen.png", tmp_path / "status.json"
    outside = os.environ | {"HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-W", "error", "-c", DEAD, str(picture.parent), str(tmp_path / "never")]
    wanted = ["simulated:", "--model", str(model), "--exit-after", "0.3"]
    wanted += ["--screenshot", str(picture), "--status", str(status)]
    ended = subprocess.run([*command, *wanted], env=outside, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stderr.splitlines() == [
        f"status: {status}",
        f"error: {picture} does not answer: is its drive connected?",
    ]
    assert ended.returncode == 2
    assert status.is_file()


@pytest.mark.parametrize("text", ["0.2", "a,b", "0,0.1", "nan,1", "150,150", "0.00015,0.00015"])
def test_a_wrong_spacing_is_refused_before_anything_opens(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app._parser().parse_args(["x.png", "--spacing", text])
    assert ended.value.code == 2
    assert "--spacing" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "1e300", "soon"])
@pytest.mark.parametrize("parser", [app._parser, cli._parser], ids=["viewer", "segment"])
def test_a_time_that_cannot_be_waited_for_is_refused(
    parser: Callable[[], argparse.ArgumentParser], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [f"--exit-after={text}"] if parser is app._parser else ["live", "simulated:?", f"--seconds={text}"]
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)
    assert ended.value.code == 2
    assert "no number of seconds" in capsys.readouterr().err


def test_arguments_are_read() -> None:
    wanted = app._parser().parse_args(["x.png", "--spacing", "0.2,0.15", "--axis", "i", "--region", "1"])
    assert wanted.spacing == PixelSpacing(0.2, 0.15, Provenance.TYPED)
    assert (wanted.axis, wanted.region, wanted.phase) == ("i", 1, "unset")


def test_starting_loads_neither_training_nor_file_libraries() -> None:
    """A window in two seconds: what only some files need is loaded when they are opened."""
    heavy = (
        "{'torch', 'nnunetv2', 'SimpleITK', 'nibabel', 'pydicom', 'nrrd', 'onnxruntime', 'cv2', 'scipy', 'training'}"
    )
    code = f"import sys, viewer.app, viewer.main_window; print(sorted({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.strip() == "[]"


def test_many_emits_do_not_kill_the_process() -> None:
    """PySide6 6.12.0 on Python 3.11 takes a reference off True at every emit, and aborts after some hundred."""
    code = (
        "from PySide6.QtCore import QObject, Signal\n"
        "class Sender(QObject):\n    sent = Signal(bool)\n"
        "sender, count = Sender(), []\n"
        "sender.sent.connect(lambda value: count.append(value))\n"
        "for _ in range(20_000):\n    sender.sent.emit(True)\n"
        "assert len(count) == 20_000 and all(count)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
