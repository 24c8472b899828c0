"""Lines for another program, written behind the session's back: a reader that takes none holds nothing up."""

import errno
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

from inference.errors import FULL, OutputError

GONE = frozenset({errno.EPIPE, errno.EIO})
"""The error codes of a pipe that nobody reads and of a terminal that was closed."""
MOST = 64
"""Lines that wait for their reader at most, some seconds; then the oldest goes, and the newest is always there."""
LAST_S = 0.2
"""How long the reader may take at the end for those that wait still."""


class LineOutput:
    """Writes one line after another in a thread of its own, as slowly as they are read.

    Args:
        put: writes one line, and waits for its reader.

    Attributes:
        missed: lines that were never written, since the reader did not take those before in time.
        error: why nothing more can be written, one sentence; empty if it can, and if the reader has gone.
    """

    def __init__(self, put: Callable[[str], None]) -> None:
        self._put, self._changed = put, threading.Condition()
        self._waiting: deque[str] = deque()
        self._gone = self._over = False
        self.missed, self.error = 0, ""
        self._thread = threading.Thread(target=self._run, name="ius-lines", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Write a line, without its line end; never waits.

        Raises:
            BrokenPipeError: if the reader has gone.
            OutputError: if one before could not be written.
        """
        if self._gone:
            raise BrokenPipeError
        if self.error:
            raise OutputError(self.error)
        with self._changed:
            if len(self._waiting) == MOST:
                self._waiting.popleft()
                self.missed += 1
            self._waiting.append(line)
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, for `LAST_S` at most; what the reader does not take by then is missed."""
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join(LAST_S)
        with self._changed:
            self.missed += len(self._waiting) if self._thread.is_alive() else 0
            self._waiting.clear()

    def _run(self) -> None:
        while (line := self._next()) is not None:
            try:
                self._put(line)
            except OSError as error:
                self._gone = error.errno in GONE
                self.error = "" if self._gone else unwritten(error)
                return

    def _next(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._over)
            return self._waiting.popleft() if self._waiting else None


def putting(stream: TextIO | None) -> Callable[[str], None]:
    """What writes a line to this stream at once; to nowhere for None, as of a program without an output.

    A stream that is a file is written to past Python's own buffer: a thread that waits in that for a reader would keep
    the program from ending.
    """
    if stream is None:
        return lambda _: None
    try:
        handle = stream.fileno()
    except OSError:  # a stream in memory
        return lambda line: print(line, file=stream, flush=True)

    def put(line: str) -> None:
        rest = f"{line}{os.linesep}".encode()
        while rest:
            rest = rest[os.write(handle, rest) :]

    return put


def unwritten(error: OSError) -> str:
    """Why an output cannot be written, one sentence."""
    why = "the disk is full" if error.errno in FULL else error.strerror
    return f"The output cannot be written ({why}): write it elsewhere."
