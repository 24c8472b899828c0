"""Signals in real processes: the program learns which one came, and none outlives two seconds."""

import signal
import subprocess
import sys
import time

import pytest

from inference import signals

HANGING = (
    "import threading\n"
    "from inference import signals\n"
    "signals.GONE_S = 0.3\n"
    "with signals.ending(lambda name: print(name, flush=True)):\n"
    "    print('ready', flush=True)\n"
    "    never = threading.Event()\n"
    "    while True: never.wait(0.01)\n"
)

LISTENING = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_DFL)\n" + HANGING
"""The same where the tests themselves were started by nohup."""


def started(code: str, *before: str) -> "subprocess.Popen[str]":
    command = [*before, sys.executable, "-c", code]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_program_that_hangs_is_told_and_then_ended_with_its_stacks(name: str) -> None:
    with started(LISTENING) as process:
        began = time.monotonic()
        process.send_signal(signal.Signals[name])
        out, said = process.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert out == f"{name}\n"
    assert process.returncode != 0
    assert "never.wait" not in said
    assert 'File "<string>"' in said, "the place where it hung"


WAITING = (
    "import ctypes, threading\n"
    "from inference import signals\n"
    "from inference.patience import Watched\n"
    "signals.GONE_S = 0.3\n"
    "with {}:\n"
    "    def say(main=Watched(threading.main_thread())):\n"
    "        while main.stood_s() < 0.2: pass\n"
    "        print('ready', flush=True)\n"
    "    threading.Thread(target=say).start()\n"
    "    lock = ctypes.create_string_buffer(64)\n"
    "    while True: ctypes.CDLL(None).pthread_mutex_lock(lock)\n"
)
"""A main thread that no signal wakes, as one that waits for a dead drive: it locks a lock that it holds."""


@pytest.mark.skipif(sys.platform != "linux", reason="calls Linux's own locks")
@pytest.mark.parametrize(
    ("context", "code", "words"),
    [
        ("signals.ending(print)", 1, 'File "<string>"'),
        ("signals.insisting(0.3, 130, 'error: stopped')", 130, "error: stopped\n"),
    ],
)
def test_ctrl_c_ends_a_program_whose_main_thread_waits_for_ever(context: str, code: int, words: str) -> None:
    with started(WAITING.format(context)) as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == code
    assert words in said


def test_what_ends_by_itself_is_not_ended() -> None:
    code = (
        "import signal, time\nfrom inference import signals\n"
        "try:\n    with signals.insisting(0.2, 130, ''):\n        signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt:\n    time.sleep(0.4)\n    print('ready')\n"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (process.returncode, process.stdout) == (0, "ready\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no nohup")
def test_a_hang_up_that_the_caller_ignores_stays_ignored() -> None:
    with started(HANGING, "nohup") as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
    assert out == "SIGTERM\n"


def test_the_system_waits_two_seconds() -> None:
    assert 1 < signals.GONE_S < 2


def test_afterwards_everything_is_as_before() -> None:
    code = (
        "import signal, time\nfrom inference import signals\nsignals.GONE_S = 0.2\n"
        "before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)\n"
        "with signals.ending(print):\n    signal.raise_signal(signal.SIGTERM)\n"
        "assert before == (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))\n"
        "print('ready', flush=True)\ntime.sleep(0.4)\n"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (process.returncode, process.stdout) == (0, "SIGTERM\nready\n"), "no limit is left running"
