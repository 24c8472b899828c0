"""A file without a name, kept in memory if the system supports it, so that no picture is written to a disk."""

import os
import tempfile
from typing import IO


def unnamed_file() -> IO[bytes]:
    """Open a new one, unbuffered, for reading and writing."""
    memory = getattr(os, "memfd_create", None)
    if memory is None:
        return tempfile.TemporaryFile(buffering=0)
    return os.fdopen(memory("ius"), "r+b", buffering=0)
