"""Finds the files of a published data set by name, in any subfolder, ignoring upper and lower case."""

from pathlib import Path

from inference.errors import NotFoundError

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
        self._paths: dict[str, Path] = {}
        for folder in folders:
            for path in sorted(folder.rglob("*")) if folder else ():
                if path.is_file():
                    self._paths.setdefault(path.name.lower(), path)

    def file(self, name: str) -> Path | None:
        """The file of this name, or None."""
        return self._paths.get(name.lower())

    def volume(self, stem: str) -> Path | None:
        """The NIfTI volume of this name, gzipped or not, or None."""
        return next(filter(None, (self.file(stem + suffix) for suffix in VOLUME_SUFFIXES)), None)
