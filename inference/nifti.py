"""Results on disk. Every file is written aside and renamed, so that a half one never has the right name."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inference.contract import INTENDED_USE
from inference.errors import OutputError
from inference.outcome import Failed, NothingFound, Outcome, Tumour
from inference.sources.base import SourceInfo
from inference.spacing import PixelSpacing

if TYPE_CHECKING:
    import nibabel as nib

COLUMNS = (
    *("frame", "time_s", "outcome", "area_mm2", "area_px", "regions", "largest_mm2", "diameter_mm", "size_state"),
    *("touches_edge", "spacing_row_mm", "spacing_col_mm", "spacing_provenance", "latency_ms", "reason"),
)
"""Columns of a table of readings. Unknown is empty."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; renamed to `path` when all went well, removed otherwise.

    The name keeps the whole suffix, since writers choose format and compression by it.

    Raises:
        OutputError: if it cannot be written.
    """
    aside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield aside
        aside.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}): choose another folder.") from error
    finally:
        aside.unlink(missing_ok=True)


def write_readings(path: Path, rows: Iterable[Mapping[str, object]], more: Sequence[str] = ()) -> None:
    """Write readings as CSV: one header line, then one line a frame.

    Args:
        path: the file.
        rows: dictionaries of `COLUMNS`, from `reading_row`; what one lacks stays empty.
        more: further columns.

    Raises:
        OutputError: if it cannot be written.
    """
    with replacing(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, (*COLUMNS, *more), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def reading_row(outcome: Outcome) -> dict[str, object]:
    """One line of a table of readings: mm and mm² to the millionth, so that no area is rounded away."""
    frame = outcome.frame
    row = _frame_cells(frame.index, frame.time_s, frame.spacing)
    match outcome:
        case Tumour():
            row |= _tumour_cells(outcome)
        case NothingFound():
            row |= {"outcome": "none", "area_px": 0, "regions": 0}
            row["area_mm2"] = None if frame.spacing is None else 0
        case Failed():
            row |= {"outcome": "failed", "reason": outcome.sentence}
        case _:
            row |= {"outcome": "not_analysed", "reason": outcome.sentence}
    if isinstance(outcome, Tumour | NothingFound):
        row["latency_ms"] = round(outcome.analysis.latency_ms, 3)
    return row


def failed_row(index: int, info: SourceInfo, sentence: str) -> dict[str, object]:
    """The line of a frame that could not even be read."""
    time_s = None if info.fps is None else index / info.fps
    return _frame_cells(index, time_s, info.spacing) | {"outcome": "failed", "reason": sentence}


def _frame_cells(index: int, time_s: float | None, spacing: PixelSpacing | None) -> dict[str, object]:
    return {"frame": index, "time_s": _rounded(time_s), **spacing_cells(spacing)}


def spacing_cells(spacing: PixelSpacing | None) -> dict[str, object]:
    """The three cells of a spacing."""
    if spacing is None:
        return {"spacing_row_mm": None, "spacing_col_mm": None, "spacing_provenance": "none"}
    return {
        "spacing_row_mm": spacing.row_mm,
        "spacing_col_mm": spacing.col_mm,
        "spacing_provenance": spacing.provenance.value,
    }


def _tumour_cells(tumour: Tumour) -> dict[str, object]:
    largest = tumour.largest
    return {
        "outcome": "tumour",
        "area_mm2": _rounded(tumour.area_mm2),
        "area_px": tumour.area_px,
        "regions": len(tumour.regions),
        "largest_mm2": _rounded(largest.area_mm2),
        "diameter_mm": None if largest.diameters is None else _rounded(largest.diameters.longest_mm),
        "size_state": None if tumour.size is None else tumour.size.value,
        "touches_edge": "true" if tumour.touches_edge else "false",
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8.

    Raises:
        OutputError: if it cannot be written.
    """
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_mask_nifti(mask: NDArray[np.uint8], header: "nib.Nifti1Header", path: str) -> None:
    """Write a mask as NIfTI.

    Args:
        mask: (i, j, k) 0/1.
        header: the grid: spacing, qform and sform are taken over as they are; texts, which may name a patient, are not.
        path: .nii or .nii.gz.

    Raises:
        OutputError: if the file cannot be written.
    """
    write_nifti(np.asarray(mask, dtype=np.uint8), header, path)


def write_nifti(values: NDArray[Any], header: "nib.Nifti1Header", path: str) -> None:
    """Write grey values or a mask as NIfTI, in their own type.

    Args:
        values: (i, j, k).
        header: the grid, as for `write_mask_nifti`.
        path: .nii or .nii.gz.

    Raises:
        OutputError: if the file cannot be written.
    """
    import nibabel as nib  # a third of a second, which the window's start doesn't need

    grid = without_texts(header)
    lengths = grid["pixdim"][1:4]
    broken = ~(np.isfinite(lengths) & (lengths > 0))
    # Viewers and nibabel read a length that is none as 1; written out, and named unknown, nobody has to guess.
    lengths[broken] = 1
    known = (header["qform_code"] > 0 or header["sform_code"] > 0) and not broken.any()
    grid["descrip"] = (INTENDED_USE if known else f"scale unknown. {INTENDED_USE}").encode()
    grid["intent_code"] = 0
    grid.set_data_dtype(values.dtype)
    kind = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    with replacing(Path(path)) as aside:
        kind(values, None, grid).to_filename(aside)


def without_texts(header: "nib.Nifti1Header") -> "nib.Nifti1Header":
    """The same grid without extensions and texts, which may name a patient."""
    grid = header.copy()
    for text in ("descrip", "db_name", "aux_file", "intent_name"):
        if text in grid.keys():  # noqa: SIM118 (a header's `in` looks at its values)
            grid[text] = b""
    grid.extensions.clear()
    return grid


def picture_header(spacing: PixelSpacing | None) -> "nib.Nifti1Header":
    """NIfTI header of a stack of pictures (columns, rows, frames): x right, y down, as ITK places a picture.

    Without a scale the codes are 0, which is NIfTI's word for it.
    """
    import nibabel as nib

    header: Any = nib.Nifti1Header()
    header.set_data_shape((1, 1, 1))
    if spacing is not None:
        affine = np.diag([-spacing.col_mm, -spacing.row_mm, 1.0, 1.0])
        header.set_zooms((spacing.col_mm, spacing.row_mm, 1.0))
        header.set_qform(affine, code=1)
        header.set_sform(affine, code=1)
        header.set_xyzt_units("mm")
    return header
