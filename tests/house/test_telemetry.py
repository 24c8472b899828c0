"""Nothing calls home: files and sockets of every command and every library that would, watched from outside."""

import argparse
import os
from pathlib import Path

import pytest
from wiretap import EVERY_HELP, IDENTITY, SEGMENT, WORKING, watched

from inference import cli, telemetry
from inference.assets import demo_model_path

SILENT_START = "import time, inference; from inference.model.runtime import onnxruntime as ort; "
SESSION = f"ort.InferenceSession({str(demo_model_path())!r}, providers=['CPUExecutionProvider']); time.sleep(1)"
COMMANDS = WORKING | {
    "every help": EVERY_HELP,
    "onnxruntime": ["-c", SILENT_START + SESSION],
    "training's libraries": ["-c", "import inference, snakemake, huggingface_hub, nnunetv2, torch, onnx, nilearn"],
}
"""`make soak` watches a working run of every subcommand."""


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_sent_and_no_identity_is_kept(command: str, tmp_path: Path) -> None:
    sent, left = watched(COMMANDS[command], tmp_path / "home")
    assert sent == []
    assert [name for name in left if IDENTITY.search(name)] == []


def test_every_subcommand_is_among_those_whose_help_is_watched() -> None:
    (commands,) = (one for one in cli._parser()._actions if isinstance(one, argparse._SubParsersAction))
    assert set(commands.choices) == set(SEGMENT)


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
