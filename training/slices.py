"""Volumes and sweeps cut into 2D NIfTI slices with their true in-plane spacing, and the table of them."""

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray
from tqdm import tqdm

from inference.errors import FormatError, NotFoundError
from training.cases import Case
from training.files import written_aside
from training.volumes import Labelled, read_sweep, read_volume

NATIVE = "native"
"""The axis of frames as the probe made them."""
CLEAR_MM = 5.0
"""A tumour-free slice lies at least this far from any labelled voxel: labels carried over from MRI are shifted."""
_MIN_SECTOR_SHARE = 0.25
"""A tumour-free slice shows at least this share of the fullest slice's sector, else it is an empty corner."""
_AXES = ("k", "j", "i")


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

    def image(self, store: Path) -> Path:
        """Its image file in a slice store."""
        return store / "images" / f"{self.name}_0000.nii.gz"

    def label(self, store: Path) -> Path:
        """Its mask file in a slice store."""
        return store / "labels" / f"{self.name}.nii.gz"


@dataclass(frozen=True, slots=True)
class Cutting:
    """How a store is cut.

    Attributes:
        step_mm: distance between the slices taken along each axis of a volume; 0 takes every one, as the paper does.
        every_frame: every how many frames of a sweep are taken.
        negatives: tumour-free slices taken of each volume, and of each sweep.
        isotropic: resample anisotropic volumes to cubes first.
    """

    step_mm: float = 0.0
    every_frame: int = 1
    negatives: int = 0
    isotropic: bool = True


def cut_cases(cases: Iterable[Case], store: Path, cutting: Cutting) -> list[SliceRow]:
    """Cut every case that is not excluded into `store` and write its table, `slices.csv`.

    Resumable: a case whose own table is already in `store/cases/` is not cut again.
    """
    rows: list[SliceRow] = []
    for case in tqdm([case for case in cases if not case.exclude], desc="slice", unit="case"):
        table = store / "cases" / f"{case.case}.csv"
        if not table.is_file():
            write_slices(_cut_case(case, store, cutting), table)
        rows += read_slices(table)
    write_slices(rows, store / "slices.csv")
    return rows


def _cut_case(case: Case, store: Path, cutting: Cutting) -> Iterator[SliceRow]:
    """Cut one case's volume and sweep, writing each slice."""
    if case.us and case.us_label:
        volume = read_volume(case.us, case.us_label, isotropic=cutting.isotropic)
        for axis, name in enumerate(_AXES):
            step = max(1, round(cutting.step_mm / volume.spacing[axis]))
            share = math.ceil(cutting.negatives / len(_AXES))
            yield from _cut_axis(case, volume, axis, name, (step, share), store)
    if case.sweep and case.sweep_label:
        sweep = read_sweep(case.sweep, case.sweep_label)
        yield from _cut_axis(case, sweep, 0, NATIVE, (cutting.every_frame, cutting.negatives), store)


def _cut_axis(
    case: Case, stack: Labelled, axis: int, name: str, step_and_negatives: tuple[int, int], store: Path
) -> Iterator[SliceRow]:
    """Cut one direction: every `step`-th slice with tumour, and tumour-free ones spread over what is clear of it."""
    step, negatives = step_and_negatives
    with_tumour = tumour_slices(stack.mask, axis)[::step]
    without = _spread(clear_slices(stack, axis), negatives)
    row_mm, col_mm = np.delete(stack.spacing, axis).tolist()
    for index in [*with_tumour, *without]:
        image, mask = np.moveaxis(stack.image, axis, 0)[index], np.moveaxis(stack.mask, axis, 0)[index]
        rows, cols = image.shape
        area = float(mask.sum()) * row_mm * col_mm
        row = SliceRow(
            f"{case.case}_{name}{index:04d}", case.case, case.patient, name, index, area, rows, cols, row_mm, col_mm
        )
        write_slice(image, (row_mm, col_mm), row.image(store))
        write_slice(mask.astype(np.uint8), (row_mm, col_mm), row.label(store))
        yield row


def tumour_slices(mask: NDArray[np.bool_], axis: int) -> list[int]:
    """Indices along `axis` of the slices that hold any tumour."""
    others = tuple(at for at in range(mask.ndim) if at != axis)
    return [int(index) for index in np.flatnonzero(mask.any(axis=others))]


def clear_slices(stack: Labelled, axis: int) -> list[int]:
    """Indices of tumour-free slices at least `CLEAR_MM` from any label that show enough of the sector.

    Frames of a sweep have no known distance: there, frames without any label count as clear.
    """
    others = tuple(at for at in range(stack.mask.ndim) if at != axis)
    labelled = np.flatnonzero(stack.mask.any(axis=others))
    inside = np.count_nonzero(stack.image, axis=others)
    indices = np.arange(stack.mask.shape[axis])
    clear = inside >= _MIN_SECTOR_SHARE * inside.max()
    if labelled.size:
        steps = np.abs(indices[:, None] - labelled[None, :]).min(axis=1)
        spacing = stack.spacing[axis]
        clear &= steps > 0 if math.isnan(spacing) else steps * spacing >= CLEAR_MM
    return [int(index) for index in indices[clear]]


def _spread(indices: list[int], count: int) -> list[int]:
    """At most `count` of the indices, evenly spread."""
    if count <= 0 or not indices:
        return []
    chosen = np.linspace(0, len(indices) - 1, min(count, len(indices)) + 2)[1:-1]
    return sorted({indices[round(at)] for at in chosen})


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
    try:
        pixels: NDArray[np.float32] = sitk.GetArrayFromImage(sitk.ReadImage(str(path), sitk.sitkFloat32))
    except RuntimeError as error:
        raise FormatError(f"{path} cannot be read as a slice: is it there, and whole?") from error
    if pixels.ndim != 2:
        raise FormatError(f"{path} has {pixels.ndim} axes, and a slice has two.")
    return pixels


COLUMNS = tuple(field.name for field in fields(SliceRow))


def write_slices(rows: Iterable[SliceRow], path: Path) -> None:
    """Write a slice table (CSV)."""
    with written_aside(path) as aside, aside.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def read_slices(path: Path) -> list[SliceRow]:
    """Read a slice table, or the one of a slice store.

    Raises:
        NotFoundError: if there is none.
        FormatError: if it is not a slice table.
    """
    table = path / "slices.csv" if path.is_dir() else path
    if not table.is_file():
        raise NotFoundError(f"There is no slice table at {table}: make one with 'ius-train slice'.")
    with table.open(newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise FormatError(f"{table} is not a slice table: the column {missing[0]} is missing.")
        return [_row(row) for row in reader]


def _row(cells: dict[str, str]) -> SliceRow:
    """One line of the table, typed."""
    kinds = {field.name: field.type for field in fields(SliceRow)}
    return SliceRow(**{name: kinds[name](cells[name]) for name in COLUMNS})  # type: ignore[operator]


def larger_than(rows: Iterable[SliceRow], min_area_mm2: float) -> list[SliceRow]:
    """Tumour slices strictly larger than the cut-off; tumour-free slices stay, whatever the cut-off."""
    return [row for row in rows if row.area_mm2 == 0 or row.area_mm2 > min_area_mm2]
