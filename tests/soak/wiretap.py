"""What a command sends to other computers, and what it leaves in its user's home, watched from outside by strace."""

import os
import re
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from inference import telemetry
from inference.assets import demo_clip_path, demo_model_path

ROOT = Path(__file__).resolve().parents[2]
TALK = "connect,sendto,sendmsg,sendmmsg"
LOCAL = re.compile(r"AF_UNIX|AF_NETLINK|AF_UNSPEC|127\.0\.0\.1\"|\"::1\"")
IDENTITY = re.compile(r"(?i)microsoft|onnxruntime|device.?id|intel|telemetry")
"""Names of files in which a library would know this computer again."""
HELPED = """
import sys
from contextlib import suppress
import inference.cli, training.cli, viewer.app
every = ((viewer.app.main, ['']), (inference.cli.main, {segment}), (training.cli.main, training.cli.STAGES))
for main, stages in every:
    for stage in stages:
        with suppress(SystemExit):
            main([*([stage] if stage else []), '--help'])
"""
SEGMENT = ["run", "inspect", "export", "send", "fetch", "model", "live"]
EVERY_HELP = ["-c", HELPED.format(segment=SEGMENT)]
"""The help of every command and subcommand, in one process."""
WORKING = {
    "viewer": ["-m", "viewer.app", "--demo", "--exit-after", "6"],
    "inspect": ["-m", "inference.cli", "inspect", str(demo_clip_path())],
    "model": ["-m", "inference.cli", "model", str(demo_model_path())],
    "experiment": ["-m", "training.cli", "experiment", "miniature", "--small", "--dry-run"],
}
"""A working run of each command."""


def watched(
    arguments: Sequence[str], home: Path, *, codes: Collection[int] = (0,), **variables: str
) -> tuple[list[str], list[str]]:
    """What a command sends to other computers, look-ups included, and the files that it leaves in its user's home.

    Args:
        arguments: of Python.
        home: a new folder.
        codes: with which it may end.
        variables: of its environment.
    """
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in telemetry.SILENCED}
    # Libraries report less where they believe to be tested.
    quiet = (
        "CI",
        "TF_BUILD",
        "JENKINS_URL",
        "GITHUB_ACTIONS",
        "PYTEST_CURRENT_TEST",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
    )
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
    assert done.returncode in codes, done.stderr
    addressed = [line for line in trace.read_text(errors="replace").splitlines() if "sa_family" in line]
    left = sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    return [line for line in addressed if not LOCAL.search(line)], left
