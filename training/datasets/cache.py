"""DICOM as NIfTI in a folder of its own, made once, with a receipt beside each file."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from training.io.files import written_aside
from training.io.receipt import sha256, write_json

VERSION = 1
"""Raised when the same files give another volume."""


def converted(target: Path, sources: Sequence[Path], make: Callable[[], sitk.Image]) -> Path:
    """Give `target`, made anew unless its receipt names these very sources.

    Args:
        target: the NIfTI file.
        sources: what it is made from; told apart by name, size and time, as hashing 43 GB takes as long as making.
        make: reads them.

    Raises:
        IusError: what `make` raises.
    """
    receipt = target.with_name(f"{target.name}.json")
    stats = {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path in sources}
    key = {"version": VERSION, "sources": stats}
    if target.is_file() and receipt.is_file() and json.loads(receipt.read_text())["key"] == key:
        return target
    image = make()
    receipt.unlink(missing_ok=True)
    with written_aside(target) as aside:
        sitk.WriteImage(image, str(aside), useCompression=True)
    write_json({"key": key, "sha256": {str(path): sha256(path) for path in sources}}, receipt)
    return target
