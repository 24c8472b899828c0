"""NIfTI-1 and -2 files, read from the raw bytes.

Libraries repair what they read: nibabel and ITK turn a pixdim of 0 into 1 mm, and ITK fills a short file with zeros.
"""

import gzip
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.sources.grid import AXES, CLEAR, DISAGREEMENT, Volume, check_size, of_clip, unit_columns, usable

UNIT_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""xyzt_units, spatial part: unknown (mm by custom), metre, millimetre, micrometre."""
HEAD = 1024
"""Bytes that contain any NIfTI header."""
HEADERS = 1 << 26
"""Largest header with extensions, bytes."""


def read_nifti(path: Path) -> Volume:
    """Read a .nii or .nii.gz, 2D or 3D.

    Raises:
        FormatError: if it is damaged or cut short, or holds time or colour.
    """
    with _opened(path) as file:
        header = _header(_read(file, HEAD, path.name), path.name)
        shape, clip = _shape(header, path.name)
        voxels = _voxels(file, header, shape, path.name)
    spacing, note = _spacing(header)
    apart = _two_places(header)
    return Volume(
        voxels=voxels,
        spacing=spacing,
        note=note,
        directions=None if apart else _directions(header),
        header=header,
        flat=int(header["dim"][0]) == 2,
        simulated=bytes(header["descrip"]).startswith(b"SIMULATED"),
        clip=clip,
        two_places=apart,
    )


def _opened(path: Path) -> BinaryIO:
    """The file, decompressed if necessary."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", gzip.open(path)) if packed else path.open("rb")


def _read(file: BinaryIO, size: int, name: str) -> bytes:
    """The first `size` bytes, or as many as there are: no more is ever decompressed."""
    try:
        file.seek(0)
        return file.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"{name} is damaged or cut short ({error}): copy it again.") from error


def _header(blob: bytes, name: str) -> nib.Nifti1Header:
    for kind, size in ((nib.Nifti1Header, 348), (nib.Nifti2Header, 540)):
        if len(blob) >= size and size in (int.from_bytes(blob[:4], "little"), int.from_bytes(blob[:4], "big")):
            return kind(blob[:size], check=False)
    raise FormatError(f"{name} is not a NIfTI file: give another file.")


def _shape(header: nib.Nifti1Header, name: str) -> tuple[tuple[int, int, int], bool]:
    """(i, j, k) without trailing 1s, and whether k is time."""
    dimensions = int(header["dim"][0])
    sizes = [int(size) for size in header["dim"][1 : dimensions + 1]]
    if not 2 <= dimensions <= 7 or min(sizes) < 1:
        raise FormatError(f"{name} states impossible dimensions {sizes}: export it again.")
    kept, clip = of_clip(sizes, name)
    first, second, third = [*kept, 1][:3]
    return (first, second, third), clip


def _directions(header: nib.Nifti1Header) -> NDArray[np.float64] | None:
    if header["sform_code"] <= 0 and header["qform_code"] <= 0:
        return None
    try:
        return unit_columns(header.get_best_affine()[:3, :3])
    except (HeaderDataError, ValueError):  # a qform that is not a rotation
        return None


def _two_places(header: nib.Nifti1Header) -> bool:
    """Whether qform and sform point apart: programs believe one or the other, and would exchange left and right."""
    if header["sform_code"] <= 0 or header["qform_code"] <= 0:
        return False
    try:
        one, other = (unit_columns(affine[:3, :3]) for affine in (header.get_qform(), header.get_sform()))
    except (HeaderDataError, ValueError):  # a qform that is not a rotation is nobody's choice
        return False
    return one is not None and other is not None and bool(((one * other).sum(axis=0) < CLEAR).any())


def _voxels(file: BinaryIO, header: nib.Nifti1Header, shape: tuple[int, int, int], name: str) -> NDArray[Any]:
    """(k, j, i), scaled as the header says."""
    try:
        dtype = header.get_data_dtype()
    except (HeaderDataError, KeyError) as error:
        raise FormatError(f"{name} has an unknown kind of voxel ({error}): export it again.") from error
    if dtype.kind not in "iuf":
        raise FormatError(f"{name} holds colour or complex voxels: export it in grey.")
    size, start = check_size(shape, dtype.itemsize, name), float(header["vox_offset"])
    if not 0 <= start <= HEADERS:
        raise FormatError(f"{name} states that its voxels begin at byte {start:g}: export it again.")
    offset = max(int(start), int(header.sizeof_hdr) + 4)
    # One byte more, so that the checksum of a compressed file that ends there is verified.
    blob = _read(file, offset + size + 1, name)
    if len(blob) < offset + size:
        raise FormatError(f"{name} holds {len(blob)} of {offset + size} bytes: copy it again.")
    stored = np.frombuffer(blob, dtype, size // dtype.itemsize, offset).reshape(shape[::-1])
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if not np.isfinite(slope) or slope == 0 or (slope, inter) == (1, 0):
        return stored
    with np.errstate(over="ignore", invalid="ignore"):  # values that are not finite become background later
        return stored.astype(np.float32) * np.float32(slope) + np.float32(inter if np.isfinite(inter) else 0)


def _spacing(header: nib.Nifti1Header) -> tuple[tuple[float | None, float | None, float | None], str]:
    """Mm along i, j, k from the raw pixdim, and what is wrong with it."""
    dimensions = min(int(header["dim"][0]), 3)
    raw = [float(value) for value in header["pixdim"][1 : dimensions + 1]]
    shown = "pixdim " + " ".join(f"{value:g}" for value in raw)
    code = int(header["xyzt_units"]) & 7
    placed = header["sform_code"] > 0 or header["qform_code"] > 0
    if not placed and all(value == 1 for value in raw):
        return (None, None, None), f"{shown} without sform or qform code is what software writes when it doesn't know"
    if code not in UNIT_MM:
        return (None, None, None), f"{shown} in an unknown unit {code}"
    spacing = usable(raw, UNIT_MM[code])
    if header["sform_code"] > 0:
        spacing, note = _agreed(spacing, header, UNIT_MM[code])
        shown = note or shown
    return spacing, shown if None in spacing[:dimensions] else ""


def _agreed(
    spacing: tuple[float | None, float | None, float | None], header: nib.Nifti1Header, unit_mm: float
) -> tuple[tuple[float | None, float | None, float | None], str]:
    """The spacings on which pixdim and sform agree."""
    lengths = np.linalg.norm(header.get_sform()[:3, :3], axis=0) * unit_mm
    kept = [
        value if value is None or abs(length - value) <= DISAGREEMENT * value else None
        for value, length in zip(spacing, lengths, strict=True)
    ]
    if kept == list(spacing):
        return spacing, ""
    pairs = zip(AXES, spacing, lengths, strict=True)
    shown = ", ".join(f"{axis} {value:g} and {length:g}" for axis, value, length in pairs if value is not None)
    return (kept[0], kept[1], kept[2]), f"pixdim and sform disagree: {shown} mm"
