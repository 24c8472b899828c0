"""Finds the files of a published data set by name, in any subfolder, ignoring upper and lower case."""

from pathlib import Path

from inference.errors import NotFoundError
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
    """All files below some folders, by name in lower case; if two folders have the name, the first one wins."""

    def __init__(self, *folders: Path | None) -> None:
        self._paths: dict[str, list[Path]] = {}
        for folder in folders:
            inside: dict[str, list[Path]] = {}
            for path in sorted(folder.rglob("*")) if folder else ():
                if path.is_file():
                    inside.setdefault(path.name.lower(), []).append(path)
            self._paths = inside | self._paths

    def file(self, name: str) -> Path | None:
        """The file of this name, or None.

        Raises:
            FormatError: if one folder holds two that differ, as where a mask was corrected in a subfolder.
        """
        return the_one(self._paths.get(name.lower(), []))

    def volume(self, stem: str) -> Path | None:
        """The NIfTI volume of this name, gzipped or not, or None."""
        return next(filter(None, (self.file(stem + suffix) for suffix in VOLUME_SUFFIXES)), None)
