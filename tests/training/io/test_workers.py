"""Workers end with the command that started them: on Ctrl-C in one line, and if the command is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
COMMAND = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from training.io.ending import ended
from training.io.workers import end_with_parent

end_with_parent()

def work(number):
    os.write(1, b"at work\\n")  # at once, whole
    time.sleep(300)

def run():
    with ProcessPoolExecutor(2, multiprocessing.get_context(sys.argv[1])) as pool:
        list(pool.map(work, range(4)))

if __name__ == "__main__":
    sys.exit(ended(run))
"""


def to_all(process: subprocess.Popen[str]):
    """As a terminal does it."""
    os.killpg(process.pid, signal.SIGINT)


def to_the_command_alone(process: subprocess.Popen[str]):
    process.send_signal(signal.SIGINT)


def killed(process: subprocess.Popen[str]):
    process.kill()


@pytest.mark.parametrize("end", [to_all, to_the_command_alone, killed])
@pytest.mark.parametrize("start", ["spawn", "fork"])
def test_nothing_stays_behind(tmp_path: Path, start: str, end):
    """The pipes of the command reach their end only once all of its workers are gone."""
    (tmp_path / "command.py").write_text(COMMAND)
    with subprocess.Popen(
        [sys.executable, tmp_path / "command.py", start],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert [process.stdout.readline() for _ in range(2)] == ["at work\n"] * 2
            end(process)
            _, said = process.communicate(timeout=60)
        finally:
            os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
    if end is killed:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 130
        assert said == "error: stopped before the end: run it again, what is done is kept.\n"
