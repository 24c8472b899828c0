"""Writing files so that a reader never sees half of one."""

import errno
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference.errors import FULL
from inference.files import make_folder


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, renamed to it when the block ends well and removed when it does not.

    The temporary name keeps every suffix (`.nii.gz`), since writers choose the format by it.

    Raises:
        OutputError: if the folder cannot be made.
        OSError: on a full disk, with the file's name; also if a compressed file is incomplete, since ITK does not
            report a full disk.
    """
    make_folder(path.parent)
    aside = path.with_name(f".aside-{os.getpid()}-{path.name}")
    try:
        yield aside
        if aside.suffix == ".gz" and not _whole(aside):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        aside.replace(path)
    except OSError as error:
        if error.errno in FULL and not error.filename:  # Python does not say which file could not be written
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        aside.unlink(missing_ok=True)


def _whole(packed: Path) -> bool:
    """Whether a gzip file holds all it says, by its own checksum."""
    try:
        with gzip.open(packed) as stream:
            while stream.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return packed.stat().st_size > 0
