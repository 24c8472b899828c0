"""Ctrl-C in `make test`: the test that runs ends, and pytest's summary follows."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "file", ["viewer/journeys/test_caliper.py", "inference/live/test_stream.py"], ids=["in the window", "among threads"]
)
def test_ctrl_c_ends_with_the_summary(file: str) -> None:
    command = [sys.executable, "-u", "-m", "pytest", "-v", "-p", "no:cacheprovider", str(TESTS / file)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.stdout is not None
    for line in run.stdout:
        if "PASSED" in line:
            for _ in range(3):
                run.send_signal(signal.SIGINT)
            break
    rest, _ = run.communicate(timeout=100)
    assert run.returncode == pytest.ExitCode.INTERRUPTED, rest
    assert "Interrupted: the summary follows" in rest
    assert "Interrupted: Ctrl-C" in rest
    assert "passed in" in rest.splitlines()[-1]
    assert "Fatal Python error" not in rest
