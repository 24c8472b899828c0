"""The mark on a record that a program is writing; the system takes it off when that program ends, however it does."""

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":  # which deletes no file that is open
    import fcntl


def hold(fd: int) -> None:
    """Mark an open file as being written, until it is closed; some network drives know no such marks."""
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def held(path: Path) -> bool:
    """Whether a program is writing this file now; also False where that cannot be known."""
    if sys.platform != "win32":
        with suppress(OSError):
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(fd)
    return False
