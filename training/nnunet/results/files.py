"""Reads nnU-Net's results in place, from a folder or a zip, as people keep and share them. It never writes.

[ANYTHING/]Dataset501_US/TRAINER__PLANS__2d/{plans,dataset,dataset_fingerprint}.json, fold_N/checkpoint_best.pth
[ANYTHING/]Dataset501_US/postprocessing.json, .../crossval_results_folds_0_1_2_3_4/postprocessing.json
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from stat import S_ISLNK
from typing import Any

from inference.errors import ModelError

PLANS = "plans.json"
Stream = io.BytesIO | io.BufferedReader

_DEPTH = 3
"""The most folders between the path that the user names and plans.json."""
_MAX_ENTRIES = 100_000
_MAX_BYTES = {".json": 64 << 20, ".pth": 4 << 30}
"""The largest unpacked size of a file in a zip: nnU-Net's largest 2D plan has checkpoints of 1 GiB."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class FolderResults:
    """Results in a folder."""

    path: Path
    names: frozenset[PurePosixPath]

    def open(self, name: PurePosixPath) -> Stream:
        """One of `names`, for reading."""
        return (self.path / name).open("rb")


@dataclass(frozen=True, slots=True)
class ZipResults:
    """Results in a zip; each file is unpacked to memory when it is opened."""

    path: Path
    names: frozenset[PurePosixPath]

    def open(self, name: PurePosixPath) -> Stream:
        """One of `names`, for reading.

        Raises:
            ModelError: if it is damaged, or unpacks to more than such a file can hold.
        """
        with _intact(self.path), zipfile.ZipFile(self.path) as archive:
            entry = next(entry for entry in archive.infolist() if _name(entry) == name)
            if entry.file_size > _MAX_BYTES[name.suffix]:
                raise ModelError(
                    f"{self.path} is not opened: {name} would unpack to {entry.file_size >> 20} MiB, "
                    "far more than nnU-Net writes."
                )
            return io.BytesIO(archive.read(entry))


Results = FolderResults | ZipResults
"""Files by their names relative to `path`."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of one trained model.

    Attributes:
        results: the folder or zip they lie in.
        home: the folder of plans.json in it.
    """

    results: Results
    home: PurePosixPath

    @property
    def path(self) -> Path:
        """The model's folder, for messages."""
        return self.results.path / self.home

    def has(self, name: str) -> bool:
        """Whether the model's folder holds a file."""
        return self.home / name in self.results.names

    def open(self, name: str) -> Stream:
        """Open a file of the model's folder for reading."""
        return self.results.open(self.home / name)

    def json(self, name: str, *, needed: bool = True) -> dict[str, Any]:
        """Read a JSON object in the model's folder; empty if it is missing and not needed."""
        if not needed and not self.has(name):
            return {}
        return read_json(self.results, self.home / name)

    def checkpoints(self) -> list[str]:
        """The names of all checkpoints, such as `fold_0/checkpoint_best.pth`."""
        inside = (name.relative_to(self.home) for name in self.results.names if name.is_relative_to(self.home))
        return sorted(str(name) for name in inside if name.suffix == ".pth" and len(name.parts) == 2)


def find_model(path: Path) -> ModelFiles:
    """Find the one 2D model in a results folder, in a folder above it, or in a zip of either.

    Raises:
        ModelError: if there is none or more than one, or the zip is damaged, encrypted, or names paths outside itself.
    """
    results: Results = _folder(path.resolve()) if path.is_dir() else _zip(path)
    folds = {name.parent.parent for name in results.names if name.parent.name.startswith("fold_")}
    homes = sorted(name.parent for name in results.names if name.name == PLANS and name.parent in folds)
    if not homes:
        raise ModelError(
            f"{path} is not a trained nnU-Net model: it needs plans.json beside a fold_N with checkpoints."
        )
    flat = [home for home in homes if home.name.split("__")[-1].startswith("2d")]
    if len(homes) == 1:
        return ModelFiles(results, homes[0])
    if len(flat) != 1:
        names = ", ".join(map(str, flat or homes))
        kind = "several models" if flat else "several models and none that is called 2D"
        raise ModelError(f"{path} holds {kind} ({names}): name the folder of one.")
    return ModelFiles(results, flat[0])


def read_json(results: Results, name: PurePosixPath) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ModelError: if it is missing, not JSON, or not an object.
    """
    shown = results.path / name
    if name not in results.names:
        raise ModelError(f"{shown.parent} is not a trained nnU-Net model: {name.name} is missing.")
    with results.open(name) as stream:
        text = stream.read()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{shown} is not JSON ({error}): copy it again.") from error
    if not isinstance(value, dict):
        raise ModelError(f"{shown} holds no JSON object: copy it again.")
    return value


def _folder(path: Path) -> FolderResults:
    """The files in a folder on disk, and the post-processing that nnU-Net keeps in the folder above a model's."""
    root, start = (path.parent, path.name) if (path / PLANS).is_file() else (path, "")
    files = [file for depth in range(_DEPTH + 2) for file in (root / start).glob("*/" * depth + "*.*")]
    files += root.glob("postprocessing.*")
    return FolderResults(root, _relevant(PurePosixPath(file.relative_to(root).as_posix()) for file in files))


def _zip(path: Path) -> ZipResults:
    """The files in a zip, all of whose entries stay inside it."""
    if not path.is_file():
        raise ModelError(f"There is no model at {path}: give nnU-Net's results folder or a zip of it.")
    with _intact(path), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    names = [_checked(entry, path) for entry in entries]
    if len(names) > _MAX_ENTRIES or len(set(names)) < len(names):
        raise ModelError(f"{path} is not opened: it holds files twice or too many of them. Download it again.")
    return ZipResults(path, _relevant(names))


def _checked(entry: zipfile.ZipInfo, path: Path) -> PurePosixPath:
    """The name of an entry that is a plain file inside the archive.

    Raises:
        ModelError: if it is encrypted, a link, or names a place outside.
    """
    name, windows = _name(entry), PureWindowsPath(entry.filename)
    if entry.flag_bits & 1:
        raise ModelError(f"{path} is encrypted: unpack it with its password and give the folder.")
    if S_ISLNK(entry.external_attr >> 16):
        raise ModelError(f"{path} is not opened: {name} is a link. Download it again from where it was published.")
    if name.is_absolute() or windows.drive or windows.root or ".." in name.parts:
        raise ModelError(
            f"{path} is not opened: {name} lies outside its folder. Download it again from where it was published."
        )
    return name


def _name(entry: zipfile.ZipInfo) -> PurePosixPath:
    """The name of an entry; some Windows programs write backslashes."""
    return PurePosixPath(entry.filename.replace("\\", "/"))


def _relevant(names: Iterable[PurePosixPath]) -> frozenset[PurePosixPath]:
    """The JSON files, checkpoints and pickles, without the files that macOS adds to a zip."""
    kept = (name for name in names if name.suffix in {".json", ".pth", ".pkl"} and not name.name.startswith("._"))
    return frozenset(name for name in kept if "__MACOSX" not in name.parts)


@contextmanager
def _intact(path: Path) -> Iterator[None]:
    """Turn the many errors of a damaged zip into one sentence."""
    try:
        yield
    except _DAMAGED as error:
        reason = str(error) or type(error).__name__
        raise ModelError(f"{path} is damaged or no zip ({reason}): download it again.") from error
