"""Nothing calls home: files and sockets of every command and every library that would, watched from outside."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from inference import telemetry
from inference.assets import demo_clip_path, demo_model_path

ROOT = Path(__file__).resolve().parents[2]
TALK = "connect,sendto,sendmsg,sendmmsg"
LOCAL = re.compile(r"AF_UNIX|AF_NETLINK|AF_UNSPEC|127\.0\.0\.1\"|\"::1\"")
SILENT_START = "import time, inference; from inference.model.runtime import onnxruntime as ort; "
SESSION = f"ort.InferenceSession({str(demo_model_path())!r}, providers=['CPUExecutionProvider']); time.sleep(1)"
COMMANDS = {
    "viewer": ["-m", "viewer.app", "--demo", "--exit-after", "6"],
    "run": ["-m", "inference.cli", "inspect", str(demo_clip_path())],
    "model": ["-m", "inference.cli", "model", str(demo_model_path())],
    "experiment": ["-m", "training.cli", "experiment", "miniature", "--small", "--dry-run"],
    "onnxruntime": ["-c", SILENT_START + SESSION],
    "training's libraries": ["-c", "import inference, snakemake, huggingface_hub, nnunetv2, torch, onnx, nilearn"],
}


def watched(arguments: list[str], home: Path, **variables: str) -> tuple[list[str], list[str]]:
    """What a command sends to other computers, look-ups included, and what it leaves in its user's home."""
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in telemetry.SILENCED}
    # Libraries report less where they believe to be tested.
    quiet = ("CI", "TF_BUILD", "JENKINS_URL", "GITHUB_ACTIONS", "PYTEST_CURRENT_TEST", "XDG_CACHE_HOME")
    kept = {name: value for name, value in kept.items() if name not in quiet}
    environment = kept | {"HOME": str(home), "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)} | variables
    trace = home.with_suffix(".trace")
    done = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={TALK}", "-o", str(trace), sys.executable, *arguments],
        env=environment,
        cwd=home.parent,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    addressed = [line for line in trace.read_text(errors="replace").splitlines() if "sa_family" in line]
    left = sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    return [line for line in addressed if not LOCAL.search(line)], left


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_sent_and_no_identity_is_kept(command: str, tmp_path: Path) -> None:
    sent, left = watched(COMMANDS[command], tmp_path / "home")
    assert sent == []
    assert [name for name in left if re.search(r"(?i)microsoft|onnxruntime|device.?id|intel|telemetry", name)] == []


def test_the_watch_sees_what_onnx_runtime_does_unasked(tmp_path: Path) -> None:
    """Were it silent by itself, the test above would prove nothing."""
    _, left = watched(["-c", f"import time, onnxruntime as ort; {SESSION}"], tmp_path / "home")
    assert any("Microsoft" in name for name in left)


def test_the_watch_sees_a_look_up_of_another_computer(tmp_path: Path) -> None:
    """Sent into the void: a documentation address (RFC 5737) that no network routes."""
    talk = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.connect(('192.0.2.1', 9))"
    sent, _ = watched(["-c", talk], tmp_path / "home")
    assert len(sent) == 1


def test_a_user_s_own_wish_for_telemetry_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    telemetry.silence()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
