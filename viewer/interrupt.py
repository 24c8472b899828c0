"""Ctrl-C in the terminal, which ends the window between two turns of the event loop.

Python would raise KeyboardInterrupt wherever it happens to be. In a slot or an override Qt swallows that, and the
window runs on as if nobody had pressed anything.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QTimer


@contextmanager
def interrupted_by(application: QCoreApplication, end: Callable[[], object]) -> Iterator[None]:
    """Have Ctrl-C call `end` from the event loop; one pressed before the loop runs takes effect when it starts.

    Args:
        application: owner of the event loop; in this thread, which is the main one.
        end: ends the loop; called once for each Ctrl-C.
    """
    before = signal.signal(signal.SIGINT, lambda *_: QTimer.singleShot(0, application, end))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
