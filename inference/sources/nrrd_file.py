"""NRRD files, .nrrd and .nhdr. ITK invents 1 mm where the spacings are missing, and reads a list axis as components."""

import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.sources.grid import Volume, grid_header, unit_columns, usable

TO_RAS = {
    "right-anterior-superior": (1.0, 1.0, 1.0),
    "ras": (1.0, 1.0, 1.0),
    "left-anterior-superior": (-1.0, 1.0, 1.0),
    "las": (-1.0, 1.0, 1.0),
    "left-posterior-superior": (-1.0, -1.0, 1.0),
    "lps": (-1.0, -1.0, 1.0),
}
"""Signs that take each named space to RAS."""
DAMAGE = (
    nrrd.NRRDError,
    EOFError,
    FloatingPointError,
    LookupError,
    OSError,
    OverflowError,
    StopIteration,
    TypeError,
    ValueError,
    zlib.error,
)
"""What pynrrd raises on files that are none, under `strict_numbers`."""
UNIT_MM = {"": 1.0, "mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001, "microns": 0.001}
SPATIAL = {"domain", "space", "???", "none", ""}
"""Kinds of axis that can be a place; a list, a colour or a time cannot."""


def strict_numbers() -> np.errstate:
    """A context in which sizes and places that no computer can hold are damage: numpy would warn, and go on."""
    return np.errstate(invalid="raise", over="raise")


def read_nrrd(path: Path) -> Volume:
    """Read a .nrrd or .nhdr, 2D or 3D.

    Raises:
        FormatError: if it is damaged, cut short, or holds time or colour.
    """
    try:
        with strict_numbers():
            header = nrrd.read_header(str(path))
            _check(header, path.name)
            voxels, _ = nrrd.read(str(path))
            spacing, note = header_spacing(header)
            affine, placed = header_affine(header, spacing)
    except DAMAGE as error:
        raise FormatError(f"{path.name} is damaged, cut short or no NRRD file: copy or export it again.") from error
    return Volume(
        voxels=voxels.T if voxels.ndim == 3 else voxels.T[None],
        spacing=spacing,
        note=note,
        directions=unit_columns(affine[:3, :3]) if placed else None,
        header=grid_header(affine),
        flat=voxels.ndim == 2,
        simulated=str(header.get("content", "")).startswith("SIMULATED"),
    )


def _check(header: Mapping[str, Any], name: str) -> None:
    """Refuse what isn't one grey 2D or 3D grid."""
    kinds = {str(kind).lower() for kind in header.get("kinds", [])}
    if any(str(key).startswith("Seq_Frame") for key in header) or (header["dimension"] > 2 and "list" in kinds):
        raise FormatError(f"{name} is a sequence, which cannot be opened: export it as a volume or video.")
    if header["dimension"] not in (2, 3) or not kinds <= SPATIAL:
        raise FormatError(f"{name} holds time or several values a voxel: export one 3D volume of it.")
    if header["type"] == "block":
        raise FormatError(f"{name} has an unknown kind of voxel: export it again in grey.")


def _vectors(header: Mapping[str, Any]) -> NDArray[np.float64] | None:
    """(axes, space) rows are the steps along i, j, k in the file's space and unit; None without space directions."""
    if header.get("space directions") is None:
        return None
    return np.asarray(header["space directions"], dtype=np.float64)


def header_spacing(header: Mapping[str, Any]) -> tuple[tuple[float | None, float | None, float | None], str]:
    """Mm along i, j, k, None where unknown, and what the header says there."""
    axes = int(header["dimension"])
    vectors = _vectors(header)
    if vectors is not None:
        raw = [float(length) for length in np.linalg.norm(vectors, axis=1)]
        units = [str(unit) for unit in header.get("space units", [])]
    elif header.get("spacings") is not None:
        raw = [float(value) for value in header["spacings"]]
        units = [str(unit) for unit in header.get("units", [])]
    else:
        return (None, None, None), "neither spacings nor space directions"
    unit = {text.strip().lower() for text in units} or {""}
    if len(unit) > 1 or not unit <= UNIT_MM.keys():
        return (None, None, None), f"units {' '.join(units)}"
    spacing = usable(raw, UNIT_MM[unit.pop()])
    shown = "spacings " + " ".join(f"{value:g}" for value in raw)
    return spacing, shown if None in spacing[:axes] else ""


def header_affine(
    header: Mapping[str, Any], spacing: tuple[float | None, float | None, float | None]
) -> tuple[NDArray[np.float64], bool]:
    """Voxel indices to RAS mm, 1 mm where nothing is known, and whether the file names a space."""
    space = str(header.get("space", "")).lower()
    vectors = _vectors(header)
    columns = np.eye(3)
    if vectors is not None and np.isfinite(vectors).all() and vectors.any(axis=1).all():
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        columns[: unit.shape[1], : unit.shape[0]] = unit.T
    # A space without a name is taken for LPS, as ITK does.
    to_ras = np.array(TO_RAS.get(space, TO_RAS["lps"]))
    affine = np.eye(4)
    affine[:3, :3] = to_ras[:, None] * columns * [value or 1.0 for value in spacing]
    affine[:3, 3] = to_ras * _origin(header)
    return affine, space in TO_RAS and vectors is not None


def _origin(header: Mapping[str, Any]) -> NDArray[np.float64]:
    origin = np.zeros(3)
    stated = header.get("space origin")
    if stated is not None and np.isfinite(stated).all():
        origin[: len(stated)] = stated
    return origin * _unit(header)


def _unit(header: Mapping[str, Any]) -> float:
    units = {str(unit).strip().lower() for unit in header.get("space units", [])}
    return math.prod(UNIT_MM.get(unit, 1.0) for unit in units)
