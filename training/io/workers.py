"""Worker processes end with the command that started them: on Ctrl-C without a traceback, and also if it is killed."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.util import register_after_fork
from types import FrameType

STOPPED = 130
"""Exit code of what Ctrl-C has ended, as shells have it."""
_FIRST = "MainProcess"
"""multiprocessing's name for a process that it did not start."""
_SOON_S = 0.1


def end_with_parent() -> None:
    """Let every worker that starts from here, by fork or spawn, watch its parent.

    A module with a command line calls it when it is imported, since spawned workers import that module first.
    """
    register_after_fork(_watch, lambda watch: watch())
    if multiprocessing.current_process().name != _FIRST:  # imported by a worker that is being spawned
        _watch()


@contextmanager
def stopped_by_ctrl_c() -> Iterator[threading.Event]:
    """While this lasts, Ctrl-C ends the workers first: a pool would wait for their tasks, which may take minutes.

    Yields:
        What is set from then on, since not everything that runs here lets a KeyboardInterrupt through.
    """
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()
        threading.excepthook = lambda _: None  # a pool's thread that loses its workers has nothing to tell
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only the main thread gets signals
        yield stopped
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def _watch() -> None:
    """End this worker as soon as its parent is gone, and on Ctrl-C, which a terminal sends to both."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(STOPPED))
    threading.Thread(target=_outlive_nobody, name="parent", daemon=True).start()


def _outlive_nobody() -> None:
    """Wait for the parent's end."""
    while (parent := multiprocessing.parent_process()) is None:  # not yet, while the worker's modules are imported
        time.sleep(_SOON_S)
    parent.join()
    os._exit(STOPPED)
