"""A file without a name: in memory where the system has such, so that no picture lies on a disk."""

import os
import tempfile
from typing import IO


def unnamed_file() -> IO[bytes]:
    """Open one, unbuffered, to be read and written."""
    memory = getattr(os, "memfd_create", None)
    if memory is None:
        return tempfile.TemporaryFile(buffering=0)
    return os.fdopen(memory("ius"), "r+b", buffering=0)
