"""How a command ends: its exit code, and one sentence on stderr if it did not end well."""

import errno
import os
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from inference.errors import FULL, IusError
from training.io.workers import STOPPED, stopped_by_ctrl_c

WELL, BAD_INPUT = 0, 2
_STOPPED = "stopped before the end: run it again, what is done is kept."
_WORKER = (
    "A worker process was ended, probably for want of memory: run it again with fewer --jobs, what is done is kept."
)
_A_PERSONS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG)
"""What is wrong with a path that a person gave, or with its rights."""
TELLS = "IUS_TRAIN_TELLS"
"""Environment variable: a file for the sentence of a command that failed, read by the workflow that started it."""


def ended(run: Callable[[], object]) -> int:
    """Run a command to its end.

    Returns:
        0 if all went well; 130 after Ctrl-C; 2 if the input was wrong, a file cannot be read or written, the disk
        is full, a worker was ended, or a library is not installed that training needs.
    """
    with stopped_by_ctrl_c() as stopped:
        try:
            run()
        except KeyboardInterrupt:
            return _told(_STOPPED, STOPPED)
        except IusError as error:
            return _told(_STOPPED, STOPPED) if stopped.is_set() else _told(str(error), BAD_INPUT)
        except BrokenProcessPool:
            return _told(_STOPPED, STOPPED) if stopped.is_set() else _told(_WORKER, BAD_INPUT)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] in {"inference", "training"}:
                raise
            return _told(f"{error.name} is not installed, which training needs: install ius[training].", BAD_INPUT)
        except OSError as error:
            path = error.filename2 or error.filename
            if error.errno in FULL:
                at = f" at {path}" if path else ""
                return _told(f"The disk is full{at}: free space and run it again, what is done is kept.", BAD_INPUT)
            if not path or error.errno not in _A_PERSONS:
                raise
            return _told(f"{path} cannot be read or written ({error.strerror}): check its name and rights.", BAD_INPUT)
    return WELL


def _told(sentence: str, code: int) -> int:
    """Say the sentence, also to the workflow that started the command; return the code."""
    sys.stderr.write(f"error: {sentence}\n")
    tells = os.environ.get(TELLS)
    if tells and code != STOPPED:
        Path(tells).write_text(sentence, encoding="utf-8")
    return code
