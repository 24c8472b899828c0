"""Finds the files of a published data set by name, in any subfolder, ignoring upper and lower case."""

import gzip
import zlib
from pathlib import Path

from inference.errors import FormatError, NotFoundError
from training.io.files import the_one

VOLUME_SUFFIXES = (".nii.gz", ".nii")


def checked(folder: Path) -> Path:
    """Return the folder if it exists.

    Raises:
        NotFoundError: if there is no such folder.
    """
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.")
    return folder


class Index:
    """All files below some folders, by name in lower case."""

    def __init__(self, *folders: Path | None) -> None:
        self._paths: dict[str, list[Path]] = {}
        for folder in filter(None, folders):
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    self._paths.setdefault(path.name.lower(), []).append(path)

    def file(self, name: str) -> Path | None:
        """The file of this name, or None.

        Raises:
            FormatError: if there are two that differ, as where a mask was corrected in a subfolder.
        """
        return the_one(self._paths.get(name.lower(), []))

    def volume(self, stem: str) -> Path | None:
        """The NIfTI volume of this name, gzipped or not, or None.

        Raises:
            FormatError: if there are two that differ, as where a corrected one was saved without compression.
        """
        packed, plain = (self.file(stem + suffix) for suffix in VOLUME_SUFFIXES)
        if packed and plain and _unpacked(packed) != plain.read_bytes():
            raise FormatError(f"{packed} and {plain} could both be meant, and differ: leave the right one there.")
        return packed or plain


def _unpacked(path: Path) -> bytes:
    """What a gzipped file holds.

    Raises:
        FormatError: if it is damaged.
    """
    try:
        with gzip.open(path) as stream:
            return stream.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(f"{path} is damaged or cut short: copy it again.") from error
