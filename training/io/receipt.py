"""The receipt of a stage, written beside its results: its settings, its inputs and the versions of the software."""

import hashlib
import json
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


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_receipt(
    folder: Path, stage: str, settings: Mapping[str, Any], inputs: Iterable[Path], seed: int | None = None
) -> Path:
    """Write `receipt-STAGE.json` into `folder`: settings, the inputs' hashes, versions, seed and time.

    `code` is this program's version and a digest of its files, since two checkouts of one version may differ.

    Returns:
        The receipt's path.
    """
    record = {
        "stage": stage,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": {key: _plain(value) for key, value in settings.items()},
        "inputs": {str(path): sha256(path) for path in inputs},
        "seed": seed,
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "code": {"version": __version__, "sha256": code_sha256()},
        "versions": {name: _version(name) for name in _PACKAGES},
    }
    path = folder / f"receipt-{stage}.json"
    write_json(record, path)
    return path


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


def _plain(value: object) -> object:
    """A value as JSON can hold it."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value)
