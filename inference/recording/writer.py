"""Writes a record's file: appends entries one by one, each written in full before the next begins."""

import errno
import os
from contextlib import suppress
from pathlib import Path

import msgspec
from mcap.writer import IndexType, Writer

from inference.errors import FULL, OutputError, TakenError
from inference.recording.hold import hold
from inference.recording.schema import ENCODING, KINDS, Answer, Entry, Opening, Picture, checksum, topic

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_SECOND = 1_000_000_000


class _Descriptor:
    """Writes each piece at once, without a buffer; if a piece does not fit, no part of it stays in the file."""

    def __init__(self, path: Path) -> None:
        self._fd: int | None = os.open(path, _FLAGS, 0o600)
        hold(self._fd)
        self.size = 0

    def write(self, data: bytes) -> int:
        left, fd = memoryview(data), self._open
        try:
            while left:
                left = left[os.write(fd, left) :]
        except OSError:
            os.ftruncate(fd, self.size)
            raise
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def sync(self) -> None:
        os.fsync(self._open)

    def is_at(self, path: Path) -> bool:
        """Whether this file stands under that name, as large as what was written."""
        try:
            there = path.stat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._open)) and there.st_size == self.size

    def close(self) -> None:
        """Close the file. Safe to call again."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    @property
    def _open(self) -> int:
        if self._fd is None:
            raise OSError(errno.EBADF, "the record is closed")
        return self._fd


class RecordFile:
    """A record being written, by one thread.

    The MCAP is unchunked: appended entries survive if the process dies, and synced ones if the computer dies.

    Args:
        path: the new file; must not exist yet.
        opening: the first entry.

    Raises:
        TakenError: if it does.
        OutputError: if the file cannot be created.
    """

    def __init__(self, path: Path, opening: Opening) -> None:
        self.path = path
        try:
            self._file = _Descriptor(path)
        except FileExistsError as error:
            raise TakenError(f"{path} is there already, and no file is replaced: give another name.") from error
        except OSError as error:
            raise OutputError(f"{path} cannot be made ({error.strerror}): check the folder and its rights.") from error
        self._encoder = msgspec.msgpack.Encoder()
        self._writer = Writer(
            self._file,  # type: ignore[arg-type]  # it has every method that the writer calls
            index_types=IndexType.NONE,
            use_chunking=False,
            enable_data_crcs=True,
        )
        try:
            self._begin()
            self._put(opening)
        except OSError as error:
            self.discard()
            raise OutputError(_unbegun(path, error)) from error

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._file.size

    def append(self, entry: Entry) -> None:
        """Write one entry, in full or not at all.

        Raises:
            OutputError: if the disk is full or failed.
        """
        try:
            self._put(entry)
        except OSError as error:
            raise OutputError(_sentence(self.path, error)) from error

    def sync(self) -> None:
        """Make sure that everything written survives even if the computer dies.

        Raises:
            OutputError: if the disk failed, or somebody took the file away.
        """
        try:
            self._file.sync()
        except OSError as error:
            raise OutputError(_sentence(self.path, error)) from error
        if not self.path.exists():
            raise OutputError(_gone(self.path))

    def close(self, *, whole: bool = True) -> None:
        """Finish the file, with the closing mark if the record is `whole`.

        Raises:
            OutputError: if the mark cannot be written, every entry is still in the file; or if somebody took it away.
        """
        try:
            if whole:
                self._writer.finish()  # type: ignore[no-untyped-call]
                self._file.sync()
                if not self._file.is_at(self.path):
                    raise OutputError(_gone(self.path))
        except OSError as error:
            raise OutputError(_sentence(self.path, error)) from error
        finally:
            self._file.close()

    def discard(self) -> None:
        """Leave no file that holds no frame."""
        self._file.close()
        with suppress(OSError):
            self.path.unlink()

    def _put(self, entry: Entry) -> None:
        number = entry.number if isinstance(entry, Picture | Answer) else 0
        at = max(0, round(getattr(entry, "at_s", 0.0) * _SECOND))
        data = self._encoder.encode(entry)
        data += checksum(data, number, at).to_bytes(4, "little")
        self._writer.add_message(self._channels[type(entry)], at, data, at, number)

    def _begin(self) -> None:
        self._writer.start(profile="ius", library="ius")
        self._channels = {}
        for kind in KINDS:
            schema = msgspec.json.encode(msgspec.json.schema(kind))
            number = self._writer.register_schema(f"ius.{kind.__name__}", "jsonschema", schema)
            self._channels[kind] = self._writer.register_channel(topic(kind), ENCODING, number)


def _gone(path: Path) -> str:
    """What is said of a file that was moved or deleted: it takes every byte, and nobody will find them."""
    return f"{path} was moved, deleted or replaced while it was written: record anew."


def _unbegun(path: Path, error: OSError) -> str:
    """What is said where not even the beginning of a record could be written: no file is left."""
    why = "the disk is full" if error.errno in FULL else error.strerror
    return (
        f"{path.name} could not be begun ({why}), so nothing is kept: free space or choose another disk, and try again."
    )


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in FULL:
        return (
            f"The disk is full: recording stopped, and all before is kept in {path.name}. Free space, then record anew."
        )
    return f"Recording stopped, since {path.name} cannot be written ({error.strerror}): choose another disk."
