"""Waits for a disk for a limited time only: a dead network drive answers neither a look nor an opening, for ever."""

import gc
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from types import FrameType, TracebackType
from typing import Generic, TypeVar

from inference.errors import FormatError, SourceError, legible

T = TypeVar("T")

ANSWER_S = 8.0
"""A drive that has not answered by then is dead; one that sleeps wakes up faster."""
BYTES_PER_S = 20e6
"""Extra time for a slow drive or a long file: one second per this many bytes."""
LOOK_S = 0.02
"""How often a thread that is waited for is looked at."""
_LOOKING = threading.Lock()
SILENT = "{} does not answer: is its drive connected?"
UNSPELT = "The name {} has signs of another system that are no letters here: rename it, then open it again."


def in_time(job: Callable[[], T], limit_s: float, late: str, dispose: Callable[[T], object] = lambda _: None) -> T:
    """Run a job in a thread of its own, for a limited time. What is late is left behind, and ends with the program.

    Args:
        job: waits for a disk.
        limit_s: seconds.
        late: the sentence if it has not ended by then.
        dispose: closes a value that comes too late; called in the job's thread.

    Raises:
        SourceError: with that sentence; else whatever the job raises.
    """
    kept: _Kept[T] = _Kept()

    def run() -> None:
        with kept:
            value = job()
            if not kept.take(value):
                dispose(value)

    thread = threading.Thread(target=run, name="ius-disk", daemon=True)
    thread.start()
    thread.join(limit_s)
    return kept.value(late)


def bytes_answered(path: Path) -> int | None:
    """The bytes of a file, or a folder's own; None if nothing is there: whoever opens it says what is missing.

    Raises:
        SourceError: if its drive does not answer.
        FormatError: if it is neither file nor folder: whoever opens a pipe or a device waits for it for ever. If its
            name has bytes that are no letters here, as names from another system's stick or archive may: neither a
            decoder's process nor a table could be told of it.
    """
    if (name := legible(str(path))) != str(path):
        raise FormatError(UNSPELT.format(name))
    try:
        found = in_time(path.stat, ANSWER_S, SILENT.format(path.name))
    except (OSError, ValueError):
        return None
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise FormatError(f"{path.name} is neither a file nor a folder: choose another one.")
    return found.st_size


class Watched:
    """A thread, and how long it has stood still. One that writes goes in and out of calls, however slow its disk is.

    Args:
        thread: looked at by `stood_s` again and again, many times a second.
    """

    def __init__(self, thread: threading.Thread) -> None:
        self._thread = thread
        self._at: tuple[FrameType, int] | None = None
        self._since = monotonic()

    def stood_s(self) -> float:
        """Seconds for which it has been seen at the same instruction of the same call; 0 once it has ended."""
        frame = _frame_of(self._thread)
        at = None if frame is None else (frame, frame.f_lasti)
        if at is None or at != self._at:
            self._at, self._since = at, monotonic()
        return monotonic() - self._since


def _frame_of(thread: threading.Thread) -> FrameType | None:
    """The call in which a thread is; None if it has ended.

    Nothing is collected meanwhile: Python 3.11 holds a lock of its own, and a collection that lets another thread go on
    never gets it back if that one starts a third (cpython#106883). The whole program then stands still for ever.
    """
    with _LOOKING:  # of two at a time, the first to end would let it collect under the other
        collects = gc.isenabled()
        gc.disable()
        try:
            return sys._current_frames().get(thread.ident or 0)
        finally:
            if collects:
                gc.enable()


def joined(thread: threading.Thread, limit_s: float) -> bool:
    """Wait for a thread to end, as long as it goes on. False once it has stood still for `limit_s` seconds."""
    watched = Watched(thread)
    while thread.is_alive() and watched.stood_s() < limit_s:
        thread.join(LOOK_S)
    return not thread.is_alive()


class _Kept(Generic[T]):
    """What became of a job: its value, or its error, which is raised again where it is waited for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: list[T] = []
        self._error: BaseException | None = None
        self._given_up = False

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        """Keep the error."""
        self._error = error
        return True

    def take(self, value: T) -> bool:
        """Keep the value. False if nobody waits for it any more."""
        with self._lock:
            self._values.append(value)
            return not self._given_up

    def value(self, late: str) -> T:
        """The value or the error; or the sentence, and nobody waits any more."""
        with self._lock:
            self._given_up = not self._values
        if self._values:
            return self._values[0]
        raise self._error or SourceError(late)
