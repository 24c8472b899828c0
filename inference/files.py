"""Writes files under a temporary name and renames them, so that no half-written file ever has the final name."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from inference.errors import OutputError

BY_TIME = re.compile(r"iUS-(\d{8}-\d{6})")
"""Names of files made by the window tell when: a record itself holds no date."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name next to `path` to write to; the file is renamed to `path` on success, removed on failure.

    The name keeps the whole suffix, since writers derive format and compression from it.

    Raises:
        OutputError: if it cannot be written.
    """
    aside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield aside
        aside.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}): choose another folder.") from error
    finally:
        aside.unlink(missing_ok=True)


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


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8.

    Raises:
        OutputError: if it cannot be written.
    """
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")


def time_in(name: str) -> datetime | None:
    """When a file made by the window was begun, by the clock of the computer; None if its name does not say."""
    found = BY_TIME.search(name)
    try:
        return None if found is None else datetime.strptime(found[1], "%Y%m%d-%H%M%S").astimezone()
    except ValueError:  # digits that are no date
        return None
