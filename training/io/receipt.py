"""The receipt of a stage, written beside its results: its settings, its inputs and the versions of the software."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import training
from inference.version import __version__
from training.io.files import written_aside

_PACKAGES = ("nnunetv2", "torch", "numpy", "scipy", "SimpleITK", "batchgeneratorsv2", "dynamic_network_architectures")
_CODE = (".py", ".yaml", ".html", ".css")
PATHS = "paths"
"""Key of the settings that are paths; a receipt of an earlier version has none, and names files as seen from the
folder that the stage ran in."""


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_receipt(
    folder: Path,
    stage: str,
    settings: Mapping[str, Any],
    inputs: Iterable[Path],
    seed: int | None = None,
    read: Mapping[Path, str] | None = None,
) -> Path:
    """Write `receipt-STAGE.json` into `folder`: settings, the inputs' hashes, versions, seed and time.

    `read` holds the sha256 of inputs as the stage read them; the others are hashed now.

    Paths are as a case table's: as seen from `folder`, or in full where they were given so. They can be followed from
    anywhere, also once a study is moved, and name no folder outside it.

    `code` is this program's version and a digest of its files, since two checkouts of one version may differ.

    Returns:
        The receipt's path.
    """
    record = {
        "stage": stage,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": {key: _plain(value, folder) for key, value in settings.items()},
        PATHS: [key for key, value in settings.items() if _is_path(value)],
        "inputs": {named(path, folder): (read or {}).get(path) or sha256(path) for path in inputs},
        "seed": seed,
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "code": {"version": __version__, "sha256": code_sha256()},
        "versions": {name: _version(name) for name in _PACKAGES},
    }
    path = folder / f"receipt-{stage}.json"
    write_json(record, path)
    return path


def named(path: Path, folder: Path) -> str:
    """A path as the receipt in `folder` names it."""
    return str(path) if path.is_absolute() else seen_from(path, folder)


def seen_from(path: Path, folder: Path) -> str:
    """The way from `folder` to a path, with slashes; on Windows in full if it is on another drive."""
    try:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:
        return str(path.absolute())


def placed(text: str, told: Mapping[str, Any], folder: Path) -> Path:
    """The file or folder that the receipt `told`, which lies in `folder`, names."""
    return Path(os.path.normpath(folder.resolve() / text)) if PATHS in told else Path(text)


def moved(told: Mapping[str, Any], old: Path, new: Path) -> dict[str, Any]:
    """A receipt that lay in `old`, as it has to be in `new` to name the same files."""

    def renamed(text: str) -> str:
        return text if Path(text).is_absolute() else seen_from(placed(text, told, old), new)

    kept = told.get("settings") or {}
    known = {key: kept[key] for key in told.get(PATHS, ("slices",)) if key in kept}
    paths = {key: renamed(one) if isinstance(one, str) else [*map(renamed, one)] for key, one in known.items()}
    inputs = {renamed(path): digest for path, digest in told.get("inputs", {}).items()}
    return {**told, "settings": {**kept, **paths}, "inputs": inputs, PATHS: list(paths)}


def _is_path(value: object) -> bool:
    """Whether a setting is a path, or a list of them."""
    listed = value if isinstance(value, list | tuple) else [value]
    return bool(listed) and all(isinstance(one, Path) for one in listed)


@cache
def code_sha256() -> str:
    """Hex digest of the files of `inference` and `training`: their names, and what is in them."""
    top, digest = Path(training.__file__).parents[1], hashlib.sha256()
    for name in ("inference", "training"):
        for path in sorted(path for path in (top / name).rglob("*") if path.suffix in _CODE):
            digest.update(f"{path.relative_to(top).as_posix()}\0{sha256(path)}\n".encode())
    return digest.hexdigest()


def write_json(value: object, path: Path) -> None:
    """Write a JSON file, whole or not at all; NaN and infinity are refused, as JSON has neither."""
    with written_aside(path) as aside:
        aside.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _version(name: str) -> str | None:
    """Installed version of a package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _plain(value: object, folder: Path) -> object:
    """A value as JSON can hold it, paths as seen from `folder`."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item, folder) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item, folder) for key, item in value.items()}
    if isinstance(value, Path):
        return named(value, folder)
    return str(value)
