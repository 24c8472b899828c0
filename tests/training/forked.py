"""`ius-train` in a process forked from one that has imported a training's libraries: seconds of CPU for each command.

nnU-Net itself is left to each command, since it reads its folders from the environment when it is imported.
"""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from training.cli import main

THREADS = 1
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["torch._dynamo", "seaborn", "sklearn.model_selection", "SimpleITK", "nibabel", "blosc2", "onnxruntime"]
)


def start(words: list[str], said: Path, most_bytes: int | None = None) -> ForkServerProcess:
    """Start the command in a session of its own.

    Args:
        words: after `ius-train`.
        said: a folder, made here; gets `out` and `err`.
        most_bytes: that one of its files may hold, as on a full disk.
    """
    said.mkdir()
    process = SERVER.Process(target=_run, args=(words, said, most_bytes))
    process.start()
    return process


def _run(words: list[str], said: Path, most_bytes: int | None) -> None:
    import torch

    os.setsid()
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT), number)
    if most_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    torch.set_num_threads(THREADS)
    # For nnU-Net's pools, whose workers would import it all again.
    multiprocessing.get_context = lambda _method=None: SERVER
    sys.exit(main(words))


def ended(
    process: ForkServerProcess, words: list[str], said: Path, deadline_s: float
) -> subprocess.CompletedProcess[str]:
    """Wait for its end.

    Raises:
        subprocess.TimeoutExpired: if it had to be killed.
    """
    process.join(deadline_s)
    if process.exitcode is None:
        kill(process)
        raise subprocess.TimeoutExpired(words, deadline_s)
    out, err = ((said / name).read_text() for name in ("out", "err"))
    return subprocess.CompletedProcess(words, process.exitcode, out, err)


def kill(process: ForkServerProcess) -> None:
    """Kill it with all the processes that it started."""
    with suppress(ProcessLookupError):  # it ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.join()
