"""Golden cases: small frames inside the .onnx, with the masks that the model must give for them.

Stored under `contract.GOLDEN_KEY` as base64 of a compressed .npz: for each case `pixels_N` (rows, cols), `spacing_N`
(row_mm, col_mm) and `mask_N` (rows, cols) uint8, 1 for tumour and 2 for a cavity. `ius-train export` takes three with
tumour (asymmetric, anisotropic spacing, not square), of a model that tells it apart one with a cavity, and one with
neither.
"""

import base64
import binascii
import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray

from inference.contract import GOLDEN_KEY
from inference.errors import ContractError
from inference.frame import Pixels
from inference.model.logits import CAVITY, TUMOUR
from inference.spacing import PIXEL_MM

LARGEST = 1 << 26
"""Largest unpacked set of golden cases, in bytes."""
MOST = 64
"""Largest number of golden cases."""
TISSUE_SHARE = 0.02
"""Most of a case's tumour or cavity that may differ: exports differ by 0.06 % at most, in bfloat16 too."""
LEAST_PX = 200
"""A smaller tissue counts as this large: four pixels of it may differ, and no more of it than those proves nothing."""
_UNREADABLE = (
    KeyError,
    ValueError,
    TypeError,
    EOFError,
    OSError,
    OverflowError,
    NotImplementedError,
    SyntaxError,
    TokenError,
    zlib.error,
)
"""Exceptions that numpy and zipfile raise on a damaged set."""


@dataclass(frozen=True, slots=True, eq=False)
class GoldenCase:
    """One frame and its expected mask.

    Attributes:
        pixels: (rows, cols), in the dtype of its source.
        spacing_mm: (row, col).
        mask: (rows, cols) uint8, 1 where tumour is and 2 where a cavity is.
    """

    pixels: Pixels
    spacing_mm: tuple[float, float]
    mask: NDArray[np.uint8]


def pack(cases: Sequence[GoldenCase]) -> tuple[str, str]:
    """Pack golden cases: (text for the .onnx metadata, sha256 of the packed bytes)."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for number, case in enumerate(cases):
        arrays[f"pixels_{number}"] = case.pixels
        arrays[f"spacing_{number}"] = np.asarray(case.spacing_mm, np.float64)
        arrays[f"mask_{number}"] = case.mask
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    data = buffer.getvalue()
    return base64.b64encode(data).decode(), hashlib.sha256(data).hexdigest()


def unpack(metadata: dict[str, str], sha256: str) -> tuple[GoldenCase, ...]:
    """Read golden cases from the metadata of an ONNX file.

    Raises:
        ContractError: if there are none, or they are not those whose hash the contract holds.
    """
    if GOLDEN_KEY not in metadata:
        raise ContractError("The model carries no golden cases to test itself with: export it with `ius-train export`.")
    try:
        data = base64.b64decode(metadata[GOLDEN_KEY], validate=True)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ContractError(
                "The model's golden cases are not the ones its contract names: copy or export it again."
            )
        _check_unpacked(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            count = sum(name.startswith("pixels_") for name in arrays)
            cases = tuple(_case(arrays, number) for number in range(count))
    except (binascii.Error, zipfile.BadZipFile, *_UNREADABLE) as error:
        raise ContractError(f"The model's golden cases are damaged ({error}): copy or export it again.") from error
    if not cases:
        raise ContractError("The model carries an empty set of golden cases: export it again.")
    return cases


def demand_tissue(cases: Sequence[GoldenCase], *, cavity: bool) -> None:
    """Refuse golden cases that a network which finds nothing reproduces; one tumour is enough, as in older files.

    Args:
        cases: of `unpack`.
        cavity: whether the model tells a cavity apart.

    Raises:
        ContractError: if no case has a tumour, or none a cavity although the model knows one.
    """
    for label, name in ((TUMOUR, "tumour"), (CAVITY, "cavity"))[: 1 + cavity]:
        if max(np.count_nonzero(case.mask == label) for case in cases) <= TISSUE_SHARE * LEAST_PX:
            raise ContractError(
                f"The model's golden cases hold no {name}, so that they prove nothing: export it again with slices "
                "that show one."
            )


def tissue_off(case: GoldenCase, labels: NDArray[np.uint8]) -> float:
    """The share of the case's tumour that differs, or of its cavity if that is more; may be over 1.

    The rate over all pixels alone would let a small tumour vanish in a large picture.

    Args:
        case: with the expected mask.
        labels: (rows, cols) uint8, what the network made of it.
    """
    shown = [label for label in (TUMOUR, CAVITY) if (case.mask == label).any()]
    differing = [int(np.count_nonzero((labels == label) != (case.mask == label))) for label in shown]
    sizes = [max(int(np.count_nonzero(case.mask == label)), LEAST_PX) for label in shown]
    return max((wrong / size for wrong, size in zip(differing, sizes, strict=True)), default=0.0)


def _check_unpacked(data: bytes) -> None:
    """Refuse, before unpacking, what would grow larger than any golden set.

    Raises:
        ValueError: if it would, or is compressed in a way that numpy never writes.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        entries = parts.infolist()
    if sum(entry.file_size for entry in entries) > LARGEST or len(entries) > 3 * MOST:
        raise ValueError("they are too large")
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise ValueError("they are packed otherwise than by numpy")


def _case(arrays: "np.lib.npyio.NpzFile", number: int) -> GoldenCase:
    row_mm, col_mm = (float(value) for value in arrays[f"spacing_{number}"])
    pixels, mask = arrays[f"pixels_{number}"], arrays[f"mask_{number}"]
    known = pixels.dtype in (np.uint8, np.uint16, np.float32) and mask.dtype == np.uint8
    if not known or pixels.ndim != 2 or 0 in pixels.shape or mask.shape != pixels.shape:
        raise ValueError(f"case {number} is no grey picture with its mask")
    if not all(PIXEL_MM[0] <= mm <= PIXEL_MM[1] for mm in (row_mm, col_mm)):
        raise ValueError(f"case {number} has pixels of {row_mm} × {col_mm} mm")
    return GoldenCase(pixels, (row_mm, col_mm), mask)
