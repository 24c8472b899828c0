"""A slice store of discs, and models that segment them more or less well."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.slicing.slices import SliceRow, read_slice, write_slice, write_slices

SHAPE, SPACING = (60, 80), (0.5, 0.4)
RADII_MM = (0.0, 2.5, 5.0, 9.0)


def disc(radius_mm: float, shift_mm: float = 0.0) -> np.ndarray:
    """A mask (rows, cols) of a disc."""
    y, x = np.indices(SHAPE) * np.array(SPACING)[:, None, None]
    return (y - 15) ** 2 + (x - 16 - shift_mm) ** 2 < radius_mm**2


def write_store(folder: Path, patients: int) -> list[SliceRow]:
    """Write one case per patient with slices in three directions: no tumour, then one size of each band."""
    rng = np.random.default_rng(1)
    rows = []
    for patient in range(patients):
        for axis in "ijk":
            for number, radius in enumerate(RADII_MM):
                mask = disc(radius)
                name = f"P{patient}_{axis}{number}"
                area = float(mask.sum()) * SPACING[0] * SPACING[1]
                one = SliceRow(name, f"C{patient}", f"P{patient}", axis, number, area, *SHAPE, *SPACING)
                write_slice((50 + 20 * rng.random(SHAPE) + 40 * mask).astype(np.float32), SPACING, one.image(folder))
                write_slice(mask.astype(np.uint8), SPACING, one.label(folder))
                rows.append(one)
    write_slices(rows, folder / "slices.csv")
    return rows


def write_masks(rows: list[SliceRow], folder: Path, segment: Callable[[SliceRow], np.ndarray]) -> Path:
    """Write predictions in the form of `ius-train predict`."""
    for row in rows:
        write_slice(segment(row).astype(np.uint8), SPACING, folder / f"{row.name}.nii.gz")
    return folder


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    """(store of six patients, name -> predictions): one model shifts every disc, one misses the small ones."""
    root = tmp_path_factory.mktemp("discs")
    rows = write_store(root / "store", 6)
    radius = {row.name: RADII_MM[row.index] for row in rows}
    shift = {f"P{patient}": 0.5 + 0.3 * patient for patient in range(6)}
    masks = {
        "shifted": write_masks(rows, root / "shifted", lambda row: disc(radius[row.name], shift[row.patient])),
        "silent": write_masks(rows, root / "silent", lambda row: disc(radius[row.name] if row.index > 1 else 0)),
        "loud": write_masks(rows, root / "loud", lambda row: disc(max(4.0, radius[row.name]))),
    }
    return root / "store", masks


def truth(store: Path, row: SliceRow) -> np.ndarray:
    """The true mask of a slice."""
    return read_slice(row.label(store)) > 0
