"""MetaImage files, .mha and .mhd: text keys, then raw or zlib voxels. ITK invents 1 mm if ElementSpacing is missing."""

import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.sources.grid import DISAGREEMENT, LARGEST, Volume, check_size, grid_header, of_clip, unit_columns, usable

TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
"""ElementType to numpy dtype. MetaIO's LONG has 4 bytes."""
UNIT_MM = {"": 1.0, "?": 1.0, "mm": 1.0, "cm": 10.0, "um": 0.001}
"""DistanceUnits, as MetaIO knows them; unknown means mm by custom, as in ITK."""
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
TEXT = 32
"""Longest number written as text, bytes."""
MAX_LINE = 1 << 16
"""Longest line, bytes; a tracked sequence has thousands of lines."""


def read_metaimage(path: Path) -> Volume:
    """Read a .mha or .mhd, 2D or 3D.

    Raises:
        FormatError: if it is damaged or cut short, or holds time or colour.
    """
    data = path.read_bytes()
    keys, offset = header_keys(data, path.name)
    shape, clip = _shape(keys, path.name)
    matrix = header_matrix(keys, int(header_numbers(keys, "NDims", path.name, str(len(shape)))[0]), path.name)
    spacing, note = header_spacing(keys, range(len(shape)), matrix)
    voxels = read_voxels(path, data[offset:], keys, shape)
    return Volume(
        voxels=voxels if voxels.ndim == 3 else voxels[None],
        spacing=spacing,
        note=note,
        directions=None if matrix is None else unit_columns(LPS_TO_RAS @ matrix),
        header=grid_header(header_affine(keys, matrix, spacing, path.name)),
        flat=len(shape) == 2,
        simulated=keys.get("Comment", "").startswith("SIMULATED"),
        clip=clip,
    )


def header_keys(data: bytes, name: str) -> tuple[dict[str, str], int]:
    """The header's keys, and the offset of the voxels.

    Raises:
        FormatError: if it is not a MetaImage header.
    """
    keys: dict[str, str] = {}
    position = 0
    while "ElementDataFile" not in keys:
        last = position + MAX_LINE
        end = data.find(b"\n", position, last)
        key, equals, value = data[position : end if end >= 0 else last].decode("latin-1").partition("=")
        if not equals or (end < 0 and key.strip() != "ElementDataFile"):
            raise FormatError(f"{name} is not a MetaImage file: give another file.")
        keys[key.strip()] = value.strip()
        position = end + 1 if end >= 0 else len(data)
    return keys, position


def _shape(keys: Mapping[str, str], name: str) -> tuple[tuple[int, ...], bool]:
    """(k, j, i), or (j, i) for a 2D file, and whether k is time."""
    if any(key.startswith("Seq_Frame") for key in keys) and not is_volume(keys):
        raise FormatError(f"{name} is a tracked sequence, which cannot be opened: export it as a volume or video.")
    sizes = header_sizes(keys, name)
    if header_numbers(keys, "ElementNumberOfChannels", name, "1") != [1]:
        raise FormatError(f"{name} holds time or several values a voxel: export one 3D volume of it.")
    if len(sizes) < 2 or min(sizes) < 1:
        raise FormatError(f"{name} states impossible dimensions {sizes}: export it again.")
    kept, clip = of_clip(sizes, name)
    return tuple(reversed(kept)), clip


def is_volume(keys: Mapping[str, str]) -> bool:
    """Whether all three axes are spatial: PLUS writes a frame's keys into reconstructed volumes too."""
    return keys.get("Kinds", "").lower().split() == ["domain"] * 3


def header_sizes(keys: Mapping[str, str], name: str) -> list[int]:
    """The sizes along the axes.

    Raises:
        FormatError: if one is not a whole number from 0 up.
    """
    stated = header_numbers(keys, "DimSize", name)
    if any(size != int(size) or size < 0 for size in stated):
        raise FormatError(f"{name} states impossible dimensions {keys.get('DimSize')}: export it again.")
    return [int(size) for size in stated]


def _says(keys: Mapping[str, str], *names: str) -> bool:
    """A yes or no as MetaIO reads it, by its first letter; of several names the first one present counts."""
    stated = next((keys[name] for name in names if name in keys), "")
    return stated[:1] in ("T", "t", "1")


def header_numbers(keys: Mapping[str, str], key: str, name: str, default: str = "") -> list[float]:
    """The numbers of one key; none if it is missing.

    Raises:
        FormatError: if they are not numbers.
    """
    text = keys.get(key, default)
    try:
        values = [float(value) for value in text.split()]
    except ValueError:
        values = [math.nan]
    if not all(map(math.isfinite, values)):
        raise FormatError(f"{name} states {key} = {text}, which are no numbers: export it again.")
    return values


def read_voxels(path: Path, local: bytes, keys: Mapping[str, str], shape: tuple[int, ...]) -> NDArray[Any]:
    """The values in the given shape, slowest axis first.

    Raises:
        FormatError: if their type is unknown, or they are cut short or stored elsewhere.
    """
    if keys.get("ElementType") not in TYPES:
        raise FormatError(f"{path.name} has an unknown kind of voxel: export it again in grey.")
    big = _says(keys, "BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    dtype = np.dtype((">" if big else "<") + TYPES[keys["ElementType"]])
    size = check_size(shape, dtype.itemsize, path.name)
    if "BinaryData" in keys and not _says(keys, "BinaryData"):
        return _written(_stored(path, local, keys, size * TEXT), dtype, shape, path.name)
    data = _stored(path, local, keys, size)
    if len(data) < size:
        raise FormatError(f"{path.name} holds {len(data)} of {size} bytes of voxels: copy it again.")
    return np.frombuffer(data, dtype, math.prod(shape)).reshape(shape)


def _written(text: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], name: str) -> NDArray[Any]:
    """Values stored as text."""
    words = text.split(maxsplit=math.prod(shape))[: math.prod(shape)]
    if len(words) < math.prod(shape):
        raise FormatError(f"{name} holds {len(words)} of {math.prod(shape)} values: copy it again.")
    try:
        values = np.array(words, np.float64)
    except ValueError as error:
        raise FormatError(f"{name} holds values that are no numbers: export it again.") from error
    with np.errstate(invalid="ignore"):
        return values.astype(dtype).reshape(shape)


def _stored(path: Path, local: bytes, keys: Mapping[str, str], size: int) -> bytes:
    """The voxels' bytes, uncompressed, from this file or from the one it names."""
    place = keys["ElementDataFile"]
    compressed = _says(keys, "CompressedData")
    if place == "LIST" or "%" in place:
        raise FormatError(f"{path.name} spreads its voxels over several files: export it as one.")
    if place != "LOCAL":
        other = path.with_name(Path(place).name or "nothing")
        if not other.is_file() or other.is_symlink():
            raise FormatError(f"{path.name} keeps its voxels in {other.name}, which isn't beside it: copy both.")
        local = beside(other, path.name)
    skip = header_numbers(keys, "HeaderSize", path.name, "0")[:1]
    local = local[-size:] if skip and skip[0] < 0 else local[int(*skip) :]
    try:
        return zlib.decompressobj().decompress(local, size) if compressed else local
    except zlib.error as error:
        raise FormatError(f"{path.name} is damaged ({error}): copy it again.") from error


def beside(path: Path, name: str) -> bytes:
    """The bytes of a header's data file.

    Raises:
        FormatError: if it is longer than any volume.
    """
    if path.stat().st_size > LARGEST + LARGEST // 2:
        raise FormatError(f"The data file of {name} is longer than any volume: name the right one.")
    return path.read_bytes()


def header_spacing(
    keys: Mapping[str, str], axes: Sequence[int], matrix: NDArray[np.float64] | None
) -> tuple[tuple[float | None, float | None, float | None], str]:
    """Mm along i, j, k, None if unknown, and what the header says about it.

    Args:
        keys: the header.
        axes: numbers of the spatial axes among all that have a spacing.
        matrix: (3, 3) directions; their lengths, which ITK multiplies the spacings with, have to be 1.
    """
    text, unit = keys.get("ElementSpacing", ""), keys.get("DistanceUnits", "").lower()
    if not text:
        return (None, None, None), "no ElementSpacing"
    if unit not in UNIT_MM:
        return (None, None, None), f"DistanceUnits {unit}"
    try:
        values = [float(value) for value in text.split()]
    except ValueError:
        values = []
    lengths = np.ones(3) if matrix is None else np.linalg.norm(matrix, axis=0)
    scaled = np.abs(lengths - 1) > DISAGREEMENT
    stated = [None if scaled[place] else values[axis] for place, axis in enumerate(axes) if axis < len(values)]
    note = f"ElementSpacing {text}" + (", and a TransformMatrix that scales it" if scaled.any() else "")
    spacing = usable(stated, UNIT_MM[unit])
    return spacing, note if None in spacing[: len(axes)] else ""


def header_matrix(keys: Mapping[str, str], dimensions: int, name: str) -> NDArray[np.float64] | None:
    """(3, 3) directions of i, j, k in LPS, as columns; None if the file states none.

    Raises:
        FormatError: if they are no numbers, or one of them has no length.
    """
    for key in ("TransformMatrix", "Orientation", "Rotation"):
        values = header_numbers(keys, key, name)
        if len(values) == dimensions**2:
            matrix, space = np.eye(3), min(dimensions, 3)
            matrix[:space, :space] = np.reshape(values, (dimensions, dimensions)).T[:space, :space]
            if unit_columns(matrix) is None:
                raise FormatError(f"{name} states a {key} without directions: export it again.")
            return matrix
    return None


def header_affine(
    keys: Mapping[str, str],
    matrix: NDArray[np.float64] | None,
    spacing: tuple[float | None, float | None, float | None],
    name: str,
) -> NDArray[np.float64]:
    """Voxel indices to RAS mm; 1 mm if nothing is known, as in ITK, so that a mask still lies on its volume."""
    origin = np.zeros(3)
    for key in ("Offset", "Position", "Origin"):
        values = header_numbers(keys, key, name)
        if values:
            origin[: min(len(values), 3)] = values[:3]
            break
    affine = np.eye(4)
    affine[:3, :3] = LPS_TO_RAS @ (np.eye(3) if matrix is None else matrix) * [value or 1.0 for value in spacing]
    affine[:3, 3] = LPS_TO_RAS @ origin * UNIT_MM.get(keys.get("DistanceUnits", "").lower(), 1.0)
    return affine
