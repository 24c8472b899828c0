"""2D NIfTI slices with their true in-plane spacing, and the table of a store of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray

from inference.errors import FormatError, NotFoundError
from inference.outcome import above
from inference.tables import write_table
from training.io.files import written_aside
from training.io.spreadsheet import read_table

NATIVE = "native"
"""The axis of frames as the probe made them."""
PAINTED = "painted"
"""Origin of the masks of tumours painted into real volumes: 2 in them is to be ignored."""
PSEUDO = "pseudo"
"""Origin of masks that earlier models made of real volumes, by no person: 2 in them is to be ignored."""
HALF_KNOWN = frozenset({PAINTED, PSEUDO})
CAVITY = 2
"""The resection cavity in masks of any other origin, true and predicted; whatever else is over 0 is tumour."""
CARRIED = "mri"
"""Origin of masks that were drawn on MRI and carried over to the ultrasound."""
BY_EYE = "by eye"
"""Origin of outlines of what is plainly visible, drawn by no expert."""
_SPACING_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice of the store.

    Attributes:
        name: file stem: `images/NAME_0000.nii.gz`, `labels/NAME.nii.gz`.
        case: the case it was cut from.
        patient: whose it is.
        axis: NIfTI axis it is perpendicular to (`i`, `j`, `k`), or `native` for a probe's own frame.
        index: position along that axis, from 0.
        area_mm2: mask pixels x row_mm x col_mm; 0 on a tumour-free slice.
        rows: height in pixels.
        cols: width in pixels.
        row_mm: mm from row to row.
        col_mm: mm from column to column.
        origin: where its mask was drawn: `us`, `mri` for one carried over, `PAINTED`, `PSEUDO` or `BY_EYE`.
        cavity_mm2: area of the resection cavity, which its mask labels `CAVITY`; None where nobody drew cavities.
    """

    name: str
    case: str
    patient: str
    axis: str
    index: int
    area_mm2: float
    rows: int
    cols: int
    row_mm: float
    col_mm: float
    origin: str = "us"
    cavity_mm2: float | None = None

    def image(self, store: Path) -> Path:
        """Its image file in a slice store."""
        return store / "images" / f"{self.name}_0000.nii.gz"

    def label(self, store: Path) -> Path:
        """Its mask file in a slice store."""
        return store / "labels" / f"{self.name}.nii.gz"


def write_slice(pixels: NDArray[np.float32] | NDArray[np.uint8], spacing: tuple[float, float], path: Path) -> None:
    """Write a true 2D NIfTI, (rows, cols) with (row, col) mm: nnU-Net then takes it as one slice."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(pixels))
    image.SetSpacing((spacing[1], spacing[0]))
    with written_aside(path) as aside:
        sitk.WriteImage(image, str(aside), useCompression=True)


def read_slice(path: Path) -> NDArray[np.float32]:
    """Read a 2D NIfTI's pixels, (rows, cols) float32.

    Raises:
        FormatError: if it cannot be read, or is not 2D.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """A 2D NIfTI's pixels, and its (row, col) mm."""
    try:
        image = sitk.ReadImage(str(path), sitk.sitkFloat32)
        pixels: NDArray[np.float32] = sitk.GetArrayFromImage(image)
    except RuntimeError as error:
        raise FormatError(f"{path} cannot be read as a slice: is it there, and whole?") from error
    if pixels.ndim != 2:
        raise FormatError(f"{path} has {pixels.ndim} axes, and a slice has two.")
    col_mm, row_mm = image.GetSpacing()
    return pixels, (row_mm, col_mm)


def read_mask(path: Path, row: SliceRow) -> NDArray[np.bool_]:
    """Where somebody's mask of a slice holds tumour, (rows, cols), once it is known to be one on the slice's own grid.

    Raises:
        FormatError: if it cannot be read or is not 2D, holds other values than labels, or has another size or spacing:
            a square one written with rows and columns exchanged would otherwise be scored as it lies.
    """
    pixels, spacing = _read(path)
    if not (pixels == np.rint(pixels)).all():
        raise FormatError(f"{path} holds values between labels: give masks, not probabilities.")
    if pixels.shape != (row.rows, row.cols):
        raise FormatError(
            f"The prediction of {row.name} has the shape {pixels.shape}, its slice {(row.rows, row.cols)}."
        )
    if not np.allclose(spacing, (row.row_mm, row.col_mm), rtol=_SPACING_TOLERANCE, atol=0):
        raise FormatError(
            f"{path} has pixels of {spacing[0]:g} x {spacing[1]:g} mm, its slice of {row.row_mm:g} x {row.col_mm:g}: "
            "write masks with the header of their slice, and with rows and columns in its order."
        )
    return tumour_in(pixels)


def read_tumour(path: Path) -> NDArray[np.bool_]:
    """Where a 2D mask holds tumour, (rows, cols): over 0 and no cavity.

    Raises:
        FormatError: if it cannot be read, or is not 2D.
    """
    return tumour_in(read_slice(path))


def tumour_in(mask: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Where a mask holds tumour: over 0 and no cavity."""
    return np.asarray((mask > 0) & (mask != CAVITY), np.bool_)  # type: ignore[operator]


_CAVITY = "cavity_mm2"
COLUMNS = tuple(field.name for field in fields(SliceRow) if field.name != _CAVITY)
"""Of every slice table; one with cavities has `cavity_mm2` too."""


def as_cells(row: SliceRow) -> dict[str, object]:
    """A slice's cells by column, without the cavity's where nobody drew cavities."""
    return {name: value for name, value in asdict(row).items() if name != _CAVITY or value is not None}


def write_slices(rows: Iterable[SliceRow], path: Path) -> None:
    """Write a slice table (CSV)."""
    lines = [as_cells(row) for row in rows]
    more = (_CAVITY,) if any(_CAVITY in line for line in lines) else ()
    with written_aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        write_table(stream, COLUMNS + more, lines)


def read_slices(path: Path) -> list[SliceRow]:
    """Read a slice table, or the one of a slice store.

    Raises:
        NotFoundError: if there is none.
        FormatError: if it is not a slice table, or lists a slice twice.
    """
    table = path / "slices.csv" if path.is_dir() else path
    if not table.is_file():
        raise NotFoundError(f"There is no slice table at {table}: make one with 'ius-train slice'.")
    titles, rows = read_table(table)
    missing = [name for name in COLUMNS if name not in titles]
    if missing:
        raise FormatError(f"{table} is not a slice table: the column {missing[0]} is missing.")
    found = [_row(row, table) for row in rows]
    twice = next((name for name, times in Counter(row.name for row in found).items() if times > 1), None)
    if twice is not None:
        raise FormatError(f"{table} lists the slice {twice} twice, and every mean would count it so: remove one line.")
    return found


def _row(cells: dict[str, str], table: Path) -> SliceRow:
    """One line of the table, typed."""
    kinds = {field.name: field.type for field in fields(SliceRow)}
    try:
        cavity = float(cells[_CAVITY]) if cells.get(_CAVITY) else None
        return SliceRow(**{name: kinds[name](cells[name]) for name in COLUMNS}, cavity_mm2=cavity)  # type: ignore[operator]
    except (ValueError, OverflowError) as error:
        raise FormatError(f"{table} has a damaged line ({error}): make it again with 'ius-train slice'.") from error


def larger_than(rows: Iterable[SliceRow], min_area_mm2: float) -> list[SliceRow]:
    """Tumour slices strictly larger than the cut-off; tumour-free slices stay, whatever the cut-off."""
    return [row for row in rows if row.area_mm2 == 0 or above(row.area_mm2, min_area_mm2)]
