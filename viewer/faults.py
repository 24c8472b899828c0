"""One door for errors that nobody expected: into the log, and as one line into the window."""

import faulthandler
import logging
import sys
import threading
from collections import deque
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
        """The oldest sentence nobody has seen, or None."""
        return self._sentences.popleft() if self._sentences else None


def install(faults: Faults, folder: Path) -> Path:
    """Hook every thread's unexpected errors, and crashes of the interpreter itself.

    Args:
        faults: collects the sentences.
        folder: where the log goes; made if missing.

    Returns:
        The log file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "viewer.log"
    stream = path.open("a", encoding="utf-8")
    faulthandler.enable(stream)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    sys.excepthook = faults.report
    threading.excepthook = lambda hook: faults.report(hook.exc_type, hook.exc_value, hook.exc_traceback)
    return path
