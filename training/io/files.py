"""Writing files so that a reader never sees half of one, and telling which of several is meant."""

import errno
import filecmp
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from inference.errors import FULL, FormatError, NotFoundError
from inference.files import make_folder

_TRAILER = 8


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


def the_one(found: Sequence[Path]) -> Path | None:
    """The file that was found, or None; of several alike the first.

    Raises:
        FormatError: if they differ, as nobody says which one is meant.
    """
    other = next((path for path in found[1:] if not filecmp.cmp(found[0], path, shallow=False)), None)
    if other is not None:
        raise FormatError(f"{found[0]} and {other} could both be meant, and differ: leave the right one in the folder.")
    return found[0] if found else None


def gz_content(path: Path) -> str:
    """CRC-32 and length of a .gz file's content (RFC 1952, 2.3.1): its last eight bytes, however it was compressed.

    Raises:
        NotFoundError: if it is missing or empty.
    """
    if not path.is_file() or path.stat().st_size < _TRAILER:
        raise NotFoundError(f"{path} is missing or empty, though the slice table names it: cut the slices again.")
    with path.open("rb") as stream:
        stream.seek(-_TRAILER, os.SEEK_END)
        return stream.read(_TRAILER).hex()


def _whole(packed: Path) -> bool:
    """Whether a gzip file holds all it says, by its own checksum."""
    try:
        with gzip.open(packed) as stream:
            while stream.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return packed.stat().st_size > 0
