"""The slices of the parity check are those of the store's table."""

from pathlib import Path

import numpy as np

from training.export.samples import read_samples
from training.slicing.slices import SliceRow, write_slice, write_slices


def test_a_slice_that_the_table_does_not_name_is_not_compared(tmp_path: Path):
    """Fewer bits were measured on a patient of the training, who had been taken out of the table of the test."""
    rows = [SliceRow(f"{name}_k0", name, name, "k", 0, 8.0, 8, 8, 1.0, 1.0) for name in ("B", "A", "Trained")]
    for row in rows:
        for path in (row.image(tmp_path), row.label(tmp_path)):
            write_slice(np.eye(8, dtype=np.uint8), (1.0, 1.0), path)
    assert [one.name for one in read_samples(tmp_path, 9)] == ["A_k0_0000", "B_k0_0000", "Trained_k0_0000"]
    write_slices(rows[:2], tmp_path / "slices.csv")
    assert [one.name for one in read_samples(tmp_path, 9)] == ["A_k0_0000", "B_k0_0000"]
