"""What a folder offers to be opened: for lists in our own window, where no dialogue of the system can be used."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inference.errors import NotFoundError
from inference.sources.paths import (
    DICOM,
    DICOMDIR,
    PICTURES,
    RECORDS,
    VIDEOS,
    VOLUMES,
    is_dicom,
    natural_order,
    suffix_of,
)

MOST = 200
"""Entries that are listed at most: nobody steps through more."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The part of a folder that can be gone into or opened.

    Attributes:
        folder: what was listed, absolute.
        folders: the folders in it, without hidden ones, by name.
        files: the files in it that are wanted, by name.
        left_out: how many more there are.
    """

    folder: Path
    folders: tuple[Path, ...]
    files: tuple[Path, ...]
    left_out: int


def listing(folder: Path, wanted: Callable[[Path], bool]) -> Listing:
    """What `folder` offers.

    Args:
        folder: an existing folder.
        wanted: says of a file whether it is to be listed.

    Raises:
        NotFoundError: if the folder cannot be read.
    """
    try:
        shown = [path for path in folder.iterdir() if not path.name.startswith(".")]
        folders = natural_order(path for path in shown if path.is_dir())
        files = natural_order(path for path in shown if path.is_file() and wanted(path))
    except OSError as error:
        raise NotFoundError(f"{folder} cannot be read ({error.strerror}): choose another folder.") from error
    left = max(0, len(folders) + len(files) - MOST)
    files = files[:MOST]
    return Listing(folder.absolute(), tuple(folders[: MOST - len(files)]), tuple(files), left)


def is_source(path: Path) -> bool:
    """Whether a file looks as if `open_source` can open it: by its suffix, or without one by DICOM's mark."""
    suffix = suffix_of(path)
    if suffix in (*PICTURES, *VOLUMES, *VIDEOS, *RECORDS, *DICOM):
        return True
    return path.name == DICOMDIR or ("." not in path.name and _has_mark(path))


def _has_mark(path: Path) -> bool:
    try:
        return is_dicom(path)
    except OSError:  # nobody may read it
        return False


def is_model(path: Path) -> bool:
    """Whether a file is named like a model."""
    return suffix_of(path) == ".onnx"
