"""NRRD files, .nrrd and .nhdr. ITK invents 1 mm if the spacings are missing, and reads a list axis as components."""

import bz2
import itertools
import math
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import nrrd
import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.sources.grid import DISAGREEMENT, LARGEST, Volume, check_size, grid_header, of_clip, unit_columns, usable

TO_RAS = {
    "right-anterior-superior": (1.0, 1.0, 1.0),
    "ras": (1.0, 1.0, 1.0),
    "left-anterior-superior": (-1.0, 1.0, 1.0),
    "las": (-1.0, 1.0, 1.0),
    "left-posterior-superior": (-1.0, -1.0, 1.0),
    "lps": (-1.0, -1.0, 1.0),
}
"""Signs that convert each named space to RAS."""
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
"""What pynrrd raises on damaged files under `strict_numbers`."""
UNIT_MM = {"": 1.0, "mm": 1.0, "cm": 10.0, "m": 1000.0}
UNIT_MM |= dict.fromkeys(("um", "\u00b5m", "\u03bcm", "microns"), 0.001)
"""The micro sign and the Greek letter are two characters."""
TEXTS = ("ascii", "text", "txt")
TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), "i8"),
    **dict.fromkeys(("signed long long int",), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
"""The types in the format's definition to numpy dtypes."""
MOST_LINES = 20_000
"""Most lines in a header, and most lines that may be skipped; a tracked sequence has thousands."""
MOST_BYTES = 1 << 20
"""Longest line, bytes."""
TEXT = 32
"""Longest number written as text, bytes."""
SPATIAL = {"domain", "space", "???", "none", ""}
"""Kinds of axis that can be spatial; a list, a colour or a time cannot."""


def strict_numbers() -> np.errstate:
    """A context in which numbers too large for the computer are errors: numpy would only warn, and go on."""
    return np.errstate(invalid="raise", over="raise")


def read_nrrd(path: Path) -> Volume:
    """Read a .nrrd or .nhdr, 2D or 3D.

    Raises:
        FormatError: if it is damaged or cut short, or holds time or colour.
    """
    try:
        with strict_numbers():
            header, values = read_grid(path, _check)
            sizes, clip = of_clip(values.shape, path.name)
            spacing, note = header_spacing(header)
            affine, placed = header_affine(header, spacing)
    except DAMAGE as error:
        raise FormatError(f"{path.name} is damaged, cut short or no NRRD file: copy or export it again.") from error
    voxels = values.reshape(sizes, order="F")
    return Volume(
        voxels=voxels.T if voxels.ndim == 3 else voxels.T[None],
        spacing=(*spacing[:2], None) if clip else spacing,
        note=note,
        directions=unit_columns(affine[:3, :3]) if placed else None,
        header=grid_header(affine),
        flat=voxels.ndim == 2,
        simulated=str(header.get("content", "")).startswith("SIMULATED"),
        clip=clip,
    )


def read_grid(
    path: Path, check: Callable[[Mapping[str, Any], str], None] | None = None
) -> tuple[dict[str, Any], NDArray[Any]]:
    """The header, and the values in file order, the fastest axis first.

    Only the header is left to pynrrd, which would open any file a header names, skip lines for hours and decompress
    without end.

    Args:
        path: the file.
        check: rejects a header before its values are read.

    Raises:
        FormatError: if it asks for more than any volume holds, or for files that are not beside it.
        `DAMAGE`: whatever pynrrd raises.
    """
    with path.open("rb") as file:
        # pynrrd would drop what is not ASCII, and turn µm into m.
        lines = (line.decode("utf-8", "replace") for line in itertools.islice(file, MOST_LINES))
        header = dict(nrrd.read_header(lines))
        if check is not None:
            check(header, path.name)
        dtype = np.dtype(TYPES[str(header["type"]).lower()])
        if dtype.itemsize > 1 and "endian" not in header and str(header["encoding"]).lower() not in TEXTS:
            raise FormatError(f"{path.name} does not say in which order its bytes are (endian): export it again.")
        dtype = dtype.newbyteorder(">" if str(header.get("endian", "little")).lower() == "big" else "<")
        sizes = [int(size) for size in header["sizes"]]
        size = check_size(sizes, dtype.itemsize, path.name)
        named = header.get("data file", header.get("datafile"))
        if named is None:
            file.seek(_data_start(path))
            values = _values(file, header, dtype, size)
        else:
            with _detached(path, str(named)).open("rb") as other:
                values = _values(other, header, dtype, size)
    return header, values.reshape(sizes, order="F")


def _data_start(path: Path) -> int:
    """Offset after the empty line that closes an attached header."""
    with path.open("rb") as file:
        for _ in range(MOST_LINES):
            if file.readline(MOST_BYTES) in (b"\n", b"\r\n"):
                return file.tell()
    raise ValueError("no end of the header")


def _detached(path: Path, named: str) -> Path:
    """The data file that a header names, which must lie beside it."""
    if named.startswith("LIST") or "%" in named:
        raise FormatError(f"{path.name} spreads its voxels over several files: export it as one.")
    other = path.with_name(Path(named).name or "nothing")
    if Path(named).name != named.removeprefix("./") or not other.is_file() or other.is_symlink():
        raise FormatError(f"{path.name} keeps its voxels in {Path(named).name}, which isn't beside it: copy both.")
    return other


def _values(file: BinaryIO, header: Mapping[str, Any], dtype: np.dtype[Any], size: int) -> NDArray[Any]:
    """The values, flat, from the file's present position."""
    lines, skip = (int(header.get(f"{what} skip", header.get(f"{what}skip", 0)) or 0) for what in ("line", "byte"))
    if not 0 <= lines <= MOST_LINES or not -1 <= skip <= LARGEST:
        raise ValueError("a skip that no file has")
    for _ in range(lines):
        file.readline(MOST_BYTES)
    encoding = str(header["encoding"]).lower()
    if encoding in TEXTS:
        words = file.read(size // dtype.itemsize * TEXT).split()[: size // dtype.itemsize]
        with np.errstate(invalid="ignore", over="ignore"):
            return np.array(words, np.float64).astype(dtype)
    if encoding == "raw":
        if skip == -1:
            file.seek(-size, os.SEEK_END)
        else:
            file.seek(skip, os.SEEK_CUR)
        return np.frombuffer(file.read(size), dtype, size // dtype.itemsize)
    if encoding in ("gzip", "gz"):
        data = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(file.read(), size + max(skip, 0))
    elif encoding in ("bzip2", "bz2"):
        data = bz2.BZ2Decompressor().decompress(file.read(), size + max(skip, 0))
    else:
        raise ValueError(f"encoding {encoding}")
    return np.frombuffer(data[-size:] if skip == -1 else data[skip:], dtype, size // dtype.itemsize)


def _check(header: Mapping[str, Any], name: str) -> None:
    """Refuse anything but one grey 2D or 3D grid, or a clip."""
    kinds = {str(kind).lower() for kind in header.get("kinds", [])}
    if any(str(key).startswith("Seq_Frame") for key in header) or (header["dimension"] > 2 and "list" in kinds):
        raise FormatError(f"{name} is a sequence, which cannot be opened: export it as a volume or video.")
    if header["dimension"] not in (2, 3, 4) or not kinds <= SPATIAL:
        raise FormatError(f"{name} holds time or several values a voxel: export one 3D volume of it.")
    if header["type"] == "block":
        raise FormatError(f"{name} has an unknown kind of voxel: export it again in grey.")


def _vectors(header: Mapping[str, Any]) -> NDArray[np.float64] | None:
    """(axes, space): rows are the steps along i, j, k in the file's space and unit; None without space directions."""
    if header.get("space directions") is None:
        return None
    return np.asarray(header["space directions"], dtype=np.float64)[:3, :3]


def header_spacing(header: Mapping[str, Any]) -> tuple[tuple[float | None, float | None, float | None], str]:
    """Mm along i, j, k, None if unknown, and what the header says about it."""
    axes = min(int(header["dimension"]), 3)
    vectors = _vectors(header)
    if vectors is not None:
        raw = [float(length) for length in np.linalg.norm(vectors, axis=1)]
        units = [str(unit) for unit in header.get("space units", [])]
    elif header.get("spacings") is not None:
        raw = [float(value) for value in header["spacings"]]
        units = [str(unit) for unit in header.get("units", [])]
    else:
        return (None, None, None), "neither spacings nor space directions"
    if vectors is not None and _differ(raw, header.get("spacings")):
        return (None, None, None), "spacings and space directions that disagree"
    unit = {text.strip().lower() for text in units} or {""}
    if len(unit) > 1 or not unit <= UNIT_MM.keys():
        return (None, None, None), f"units {' '.join(units)}"
    spacing = usable(raw, UNIT_MM[unit.pop()])
    shown = "spacings " + " ".join(f"{value:g}" for value in raw)
    return spacing, shown if None in spacing[:axes] else ""


def _differ(lengths: Sequence[float], spacings: Sequence[float] | None) -> bool:
    """Whether an axis has two lengths, which the format forbids (http://teem.sourceforge.net/nrrd/format.html)."""
    pairs = zip(lengths, [] if spacings is None else spacings, strict=False)
    return any(math.isfinite(two) and not math.isclose(one, two, rel_tol=DISAGREEMENT) for one, two in pairs)


def header_affine(
    header: Mapping[str, Any], spacing: tuple[float | None, float | None, float | None]
) -> tuple[NDArray[np.float64], bool]:
    """Voxel indices to RAS mm, 1 mm if nothing is known, and whether the file names a space."""
    space = str(header.get("space", "")).lower()
    vectors = _vectors(header)
    columns = np.eye(3)
    if vectors is not None and np.isfinite(vectors).all() and vectors.any(axis=1).all():
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        columns[: unit.shape[1], : unit.shape[0]] = unit.T
    # A space without a name is taken as LPS, as in ITK.
    to_ras = np.array(TO_RAS.get(space, TO_RAS["lps"]))
    affine = np.eye(4)
    affine[:3, :3] = to_ras[:, None] * columns * [value or 1.0 for value in spacing]
    affine[:3, 3] = to_ras * _origin(header)
    return affine, space in TO_RAS and vectors is not None


def _origin(header: Mapping[str, Any]) -> NDArray[np.float64]:
    origin = np.zeros(3)
    stated = header.get("space origin")
    if stated is not None and np.isfinite(stated).all():
        origin[: min(len(stated), 3)] = stated[:3]
    return origin * _unit(header)


def _unit(header: Mapping[str, Any]) -> float:
    units = {str(unit).strip().lower() for unit in header.get("space units", [])}
    return math.prod(UNIT_MM.get(unit, 1.0) for unit in units)
