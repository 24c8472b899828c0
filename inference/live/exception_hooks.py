"""Catches unexpected errors: each goes into the log, and as one line into the window."""

import faulthandler
import logging
import sys
import tempfile
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from inference.errors import SourceError
from inference.files import OWNER
from inference.one_thread import OneThread
from inference.patience import in_time

log = logging.getLogger(__name__)
HOME_S = 3.0
"""How long the folder of the log may take to answer at the start."""
OURS = ("inference", "viewer", "training", "__main__")


class Nameless(logging.Formatter):
    """Formats entries of a log that names no patient.

    Errors are given with their stacks and without their texts, which quote names of files and values of headers;
    other people's libraries are only said to have written something.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Format one entry."""
        changed: dict[str, object] = {"exc_text": None}  # other handlers keep their own text there
        if record.name.partition(".")[0] not in OURS:
            changed |= {"msg": "(not kept)", "args": None}
        return super().format(logging.makeLogRecord(record.__dict__ | changed))

    def formatException(self, ei: Any) -> str:  # noqa: N802, ANN401 (its base's name and type)
        """Format an error and those that led to it: kinds and stacks."""
        lines, error, seen = [], ei[1], set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            stack = "".join(traceback.format_tb(error.__traceback__))
            lines.append(f"Traceback (most recent call last):\n{stack}{type(error).__name__}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n\nafter:\n\n".join(lines)


class Behind(logging.Handler):
    """Writes entries in a thread of its own: the user's home may lie on a drive that has gone."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream, self._thread = stream, OneThread("ius-log")

    def emit(self, record: logging.LogRecord) -> None:
        """Queue an entry."""
        self._thread.submit(lambda: print(self.format(record), file=self._stream, flush=True))

    def end(self) -> None:
        """Write what is queued, and close the file, unless its drive is dead."""
        self._thread.submit(self._stream.close)
        self._thread.shutdown()


class Faults:
    """Collects unexpected errors from any thread; the window polls them."""

    def __init__(self) -> None:
        self._sentences: deque[str] = deque(maxlen=8)

    def report(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        """Log an error and keep a sentence for the window."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error or kind(), trace)
            return
        log.error("unexpected error", exc_info=(kind, error or kind(), trace))
        self._sentences.append(f"Internal error ({kind.__name__}: {error}). Restart if the picture stands still.")

    def take(self) -> str | None:
        """The oldest sentence not yet taken, or None."""
        return self._sentences.popleft() if self._sentences else None


@contextmanager
def installed(faults: Faults, folder: Path) -> Iterator[Path]:
    """Hook unexpected errors in every thread, and crashes of the interpreter itself, while the window exists.

    Args:
        faults: collects the sentences.
        folder: folder for the log; created if missing. If that fails, the log goes to the temporary folder.

    Yields:
        The log file.
    """
    path, stream = _log_file(folder)
    root, handler = logging.getLogger(), Behind(stream)
    before, first = (sys.excepthook, threading.excepthook), not faulthandler.is_enabled()
    handler.setFormatter(Nameless("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
    if first:
        faulthandler.enable(stream)
    sys.excepthook = faults.report
    threading.excepthook = lambda hook: faults.report(hook.exc_type, hook.exc_value, hook.exc_traceback)
    try:
        yield path
    finally:
        sys.excepthook, threading.excepthook = before
        if first:
            faulthandler.disable()
        root.removeHandler(handler)
        handler.end()


def _log_file(folder: Path) -> tuple[Path, TextIO]:
    """Find a place for the log: a home that is unwritable, or gone, must not keep the window from opening."""
    try:
        return in_time(lambda: _opened(folder), HOME_S, "", lambda late: late[1].close())
    except (OSError, SourceError):
        return _opened(Path(tempfile.mkdtemp(prefix="ius-")))  # a name that nobody else can have prepared


def _opened(folder: Path) -> tuple[Path, TextIO]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "viewer.log"
    stream = path.open("a", encoding="utf-8")
    with suppress(OSError):  # a file system without rights
        path.chmod(OWNER)
    return path, stream
