"""Results on disk. Every file is written aside and renamed, so that a half one never has the right name."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import OutputError
from inference.spacing import PixelSpacing

if TYPE_CHECKING:
    import nibabel as nib

STATEMENT = "Research use only. Not for diagnosis or treatment."


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


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table with one header line.

    Raises:
        OutputError: if it cannot be written.
    """
    with replacing(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


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
    import nibabel as nib  # a third of a second, which the window's start doesn't need

    grid = header.copy()
    for text in ("db_name", "aux_file", "intent_name"):
        if text in header.keys():  # noqa: SIM118 (a header's `in` looks at its values)
            grid[text] = b""
    known = header["qform_code"] > 0 or header["sform_code"] > 0
    grid["descrip"] = (STATEMENT if known else f"scale unknown. {STATEMENT}").encode()
    grid["intent_code"] = 0
    grid.extensions.clear()
    grid.set_data_dtype(np.uint8)
    kind = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    with replacing(Path(path)) as aside:
        kind(np.asarray(mask, dtype=np.uint8), None, grid).to_filename(aside)


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
