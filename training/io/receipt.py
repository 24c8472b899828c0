"""The receipt of a stage, written beside its results: its settings, its inputs and the versions of the software."""

import hashlib
import json
import platform
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from training.io.files import written_aside

_PACKAGES = ("nnunetv2", "torch", "numpy", "scipy", "SimpleITK", "batchgeneratorsv2", "dynamic_network_architectures")


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_receipt(
    folder: Path, stage: str, settings: Mapping[str, Any], inputs: Iterable[Path], seed: int | None = None
) -> Path:
    """Write `receipt-STAGE.json` into `folder`: settings, the inputs' hashes, versions, seed and time.

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
        "versions": {name: _version(name) for name in _PACKAGES},
    }
    path = folder / f"receipt-{stage}.json"
    write_json(record, path)
    return path


def write_json(value: object, path: Path) -> None:
    """Write a JSON file, whole or not at all; NaN and infinity are refused, as JSON has neither."""
    with written_aside(path) as aside:
        aside.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n")


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
    return str(value)
