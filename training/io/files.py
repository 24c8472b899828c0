"""Writes files so that a reader never sees half of one and no two processes mix theirs; tells which of two is meant."""

import errno
import filecmp
import gzip
import os
import secrets
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from inference.errors import FULL, FormatError, IusError, NotFoundError
from inference.files import make_folder

_TRAILER = 8
_LOCK = ".lock"


class BusyError(IusError):
    """Another process writes into the folder."""


@contextmanager
def alone_in(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a folder, made if absent, in which one process at a time may write; it is let go when a process is killed.

    Args:
        folder: the folder.
        wait: wait for another process, which is said on stderr.

    Raises:
        BusyError: if another process writes there, and is not waited for.
        OutputError: if the folder cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(make_folder(folder) / _LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        if not wait:
            raise BusyError(f"Another process writes into {folder}: wait for its end, and try again.") from error
        sys.stderr.write(f"Another process writes into {folder}: waiting for its end.\n")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def claimed(mark: Path, content: str) -> str:
    """Create a file with this content unless it is there, and return what it holds then.

    Of several processes that ask at the same moment one creates it, whole, and all get the same answer. A link refuses
    a name that is taken on every file system that has links, NFS too, and on Windows a rename does. Where there is
    neither, the file is created exclusively, and whoever reads it before it is written gets too little.
    """
    make_folder(mark.parent)
    aside = _aside(mark)
    try:
        aside.write_text(content, encoding="utf-8")
        _move_new(aside, mark)
    except FileExistsError:
        pass
    finally:
        aside.unlink(missing_ok=True)
    return mark.read_text(encoding="utf-8")


def _move_new(old: Path, new: Path) -> None:
    """Give a file another name, unless that is taken: FileExistsError."""
    if os.name == "nt":
        old.rename(new)
        return
    try:
        os.link(old, new)
    except FileExistsError:
        raise
    except OSError:  # no links here
        with new.open("xb") as stream:
            stream.write(old.read_bytes())


def _aside(path: Path) -> Path:
    """A name beside a file that no process has, on whichever machine; it keeps every suffix (`.nii.gz`)."""
    return path.with_name(f".aside-{secrets.token_hex(4)}-{path.name}")


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
    aside = _aside(path)
    try:
        yield aside
        if aside.suffix == ".gz" and not _whole(aside):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        aside.replace(path)
    except OSError as error:
        unnamed = error.errno in FULL and not error.filename  # Python does not say which file could not be written
        if unnamed or (error.filename == str(aside) and error.filename2 is None):
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
