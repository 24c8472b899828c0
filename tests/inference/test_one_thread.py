"""One thread for what waits for a disk: every job that goes on is waited for, and none that a dead drive holds."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

import pytest

from inference import one_thread
from inference.one_thread import OneThread, all_closed
from inference.patience import joined

STUCK = """
import sys
from inference import one_thread
one_thread.ANSWER_S = 0.3
thread = one_thread.OneThread("ius-test")
thread.submit(open, sys.argv[1])
queued = thread.submit(print, "never")
thread.shutdown()
print(len(thread.unfinished), queued.done())
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_program_ends_while_its_job_waits_for_ever(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dead")
    command = [sys.executable, "-c", STUCK, str(tmp_path / "dead")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout) == (0, "2 False\n")
    assert "ius-test: 2 left to end with the program" in ended.stderr


def test_a_slow_disk_is_waited_for_as_long_as_it_takes_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_thread, "ANSWER_S", 0.4)
    thread, slow = OneThread("ius-test"), threading.Event()

    def job() -> None:
        with (tmp_path / "slow").open("wb", buffering=0) as file:
            for _ in range(12):
                slow.wait(0.1)
                file.write(b"a")

    thread.submit(job)
    last = thread.submit((tmp_path / "last").touch)
    thread.shutdown()
    assert (tmp_path / "slow").stat().st_size == 12
    assert last.done()
    assert (tmp_path / "last").exists()


def test_a_job_keeps_its_error_and_the_next_one_runs() -> None:
    thread = OneThread("ius-test")
    failed, fine = thread.submit(int, "a"), thread.submit(int, "7")
    assert isinstance(failed.exception(5.0), ValueError)
    assert fine.result(5.0) == 7
    assert thread.stood_s() == 0.0
    thread.shutdown()
    with pytest.raises(RuntimeError, match="closed"):
        thread.submit(int, "7")


def test_dead_drives_are_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_thread, "ANSWER_S", 0.5)
    release, threads = threading.Event(), [OneThread(f"ius-test-{number}") for number in range(6)]

    class Look:
        def __init__(self, thread: OneThread) -> None:
            self.close = thread.shutdown

    for thread in threads:
        thread.submit(release.wait)
        assert thread.submit(int).running() is False
    begun = monotonic()
    with all_closed([Look(thread) for thread in threads]):
        pass
    assert 0.5 < monotonic() - begun < 2.0
    release.set()
    for thread in threads:
        assert joined(thread._thread, 5.0)
