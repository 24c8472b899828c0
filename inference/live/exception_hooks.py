"""Catches unexpected errors: each goes into the log, and as one line into the window."""

import faulthandler
import logging
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

log = logging.getLogger(__name__)


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
    path, root = _log_file(folder), logging.getLogger()
    before, first = (sys.excepthook, threading.excepthook), not faulthandler.is_enabled()
    with path.open("a", encoding="utf-8") as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
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


def _log_file(folder: Path) -> Path:
    """Find a place for the log: an unwritable home must not keep the window from opening."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "viewer.log"
        path.open("a", encoding="utf-8").close()
    except OSError:
        return Path(tempfile.gettempdir()) / "ius-viewer.log"
    return path
