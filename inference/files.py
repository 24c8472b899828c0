"""Writes files under a temporary name and renames them, so that no half-written file ever has the final name.

They are made readable by their owner alone: most of them show a patient.
"""

import itertools
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from time import time

from inference.errors import FULL, OutputError

OWNER = 0o600
"""Read and written by the owner alone."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL

_UNFINISHED, _ABANDONED_S = "-unfinished", 86400.0
"""What a killed program left of files that belong together goes after a day: until then they may be being written."""

BY_TIME = re.compile(r"iUS-(\d{8}-\d{6})")
"""Names of files made by the window tell when: a record itself holds no date."""


@contextmanager
def replacing(path: Path, *, settled: bool = False) -> Iterator[Path]:
    """Give a new, empty file next to `path` to write to; it is renamed to `path` on success, removed on failure.

    The name keeps the whole suffix, since writers derive format and compression from it.

    Args:
        path: the file.
        settled: whether it is on the disk when this ends, so that not even a power cut takes it away.

    Raises:
        OutputError: if it cannot be written.
    """
    aside = path.with_name(f".{secrets.token_hex(4)}-{path.name}")
    try:
        os.close(os.open(aside, _NEW, OWNER))
        yield aside
        if settled:
            settle(aside)
        aside.replace(path)
        if settled:
            settle(path.parent)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        with suppress(OSError):  # it was renamed, or never there
            aside.unlink()


@contextmanager
def together(folder: Path, listing: str) -> Iterator[Path]:
    """Give a new folder inside `folder` to write to; its files take their places on success.

    On failure none does: files that say the same thing by different scales never stand beside each other. A program
    that is killed while they take their places leaves some of them missing, and the listing names all that are there.

    Args:
        folder: where they go.
        listing: the one of them that lists the others.

    Raises:
        OutputError: if they cannot be written.
    """
    aside = folder / f".{secrets.token_hex(4)}{_UNFINISHED}"
    try:
        for left in folder.glob(f".*{_UNFINISHED}"):
            if left.stat().st_mtime < time() - _ABANDONED_S:
                shutil.rmtree(left)
        aside.mkdir(mode=0o700)
    except OSError as error:
        raise _unwritten(folder, error) from error
    try:
        yield aside
        files = sorted(aside.iterdir(), key=lambda path: path.name != listing)
        for path in files:
            if path.name != listing:
                remove(folder / path.name)
        for path in files:
            try:
                path.replace(folder / path.name)
            except OSError as error:
                raise _unwritten(folder / path.name, error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def settle(path: Path) -> None:
    """Wait until the disk has a file's content, or a folder's names; Windows keeps the latter by itself.

    Raises:
        OSError: if it cannot.
    """
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def outbox_folder() -> Path:
    """Where files wait for archives, a folder for each address; in the user's data folder."""
    from platformdirs import user_data_path

    return user_data_path("ius", appauthor=False) / "outbox"


def claim(paths: Iterable[Path]) -> Path:
    """Create the first of these files that is not there yet, empty: no other program can take its name any more.

    Raises:
        OutputError: if it cannot be created.
    """
    for path in paths:
        try:
            os.close(os.open(path, _NEW, OWNER))
        except FileExistsError:
            continue
        except OSError as error:
            raise _unwritten(path, error) from error
        return path
    raise AssertionError  # there is always a further name


def dated(folder: Path, now: datetime, suffix: str) -> Iterator[Path]:
    """File names made from the time, without end: iUS-20260131-120000.png, iUS-20260131-120000-2.png."""
    first = f"iUS-{now:%Y%m%d-%H%M%S}"
    yield folder / f"{first}{suffix}"
    for number in itertools.count(2):
        yield folder / f"{first}-{number}{suffix}"


def make_folder(folder: Path) -> Path:
    """Create a folder if it is missing, and return it.

    Raises:
        OutputError: if it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sentence = f"{folder} cannot be made ({error.strerror}): check the disk and its rights."
        raise OutputError(sentence) from error
    return folder


def remove(path: Path) -> None:
    """Delete a file, if it is there.

    Raises:
        OutputError: if it cannot be deleted.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path} is old and cannot be deleted ({error.strerror}): delete it.") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8.

    Raises:
        OutputError: if it cannot be written.
    """
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")


def _unwritten(path: Path, error: OSError) -> OutputError:
    if error.errno in FULL:
        return OutputError(f"{path} cannot be written, since the disk is full: free space, or choose another folder.")
    return OutputError(f"{path} cannot be written ({error.strerror}): choose another folder.")


def time_in(name: str) -> datetime | None:
    """When a file made by the window was begun, by the clock of the computer; None if its name does not say."""
    found = BY_TIME.search(name)
    try:
        return None if found is None else datetime.strptime(found[1], "%Y%m%d-%H%M%S").astimezone()
    except ValueError:  # digits that are no date
        return None
