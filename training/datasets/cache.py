"""DICOM converted to NIfTI once, in a cache folder, with a receipt beside each file."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from training.io.files import written_aside
from training.io.receipt import sha256, write_json

VERSION = 2
"""Goes up by one when the same files would give another volume."""


def converted(target: Path, sources: Sequence[Path], make: Callable[[], sitk.Image]) -> Path:
    """Return `target`; make it again unless its receipt names exactly these sources.

    Args:
        target: the NIfTI file.
        sources: the files it is made from, compared by name, size and time: hashing 43 GB takes as long as converting.
        make: reads the sources.

    Raises:
        IusError: whatever `make` raises.
    """
    receipt = target.with_name(f"{target.name}.json")
    stats = {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path in sources}
    key = {"version": VERSION, "sources": stats}
    if target.is_file() and receipt.is_file() and json.loads(receipt.read_text(encoding="utf-8"))["key"] == key:
        return target
    image = make()
    receipt.unlink(missing_ok=True)
    with written_aside(target) as aside:
        sitk.WriteImage(image, str(aside), useCompression=True)
    write_json({"key": key, "sha256": {str(path): sha256(path) for path in sources}}, receipt)
    return target
