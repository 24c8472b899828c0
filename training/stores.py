"""Several slice stores as one, without copies."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from inference.errors import FormatError
from training.slicing.slices import SliceRow, read_slices, write_slices


def join_stores(stores: Sequence[Path], out: Path) -> list[SliceRow]:
    """Make `out` a store of all slices of `stores`, in their order, by hard links (copies where there are none).

    Raises:
        FormatError: if two stores hold a slice of one name.
    """
    rows: dict[str, SliceRow] = {}
    for store in stores:
        for row in read_slices(store):
            if row.name in rows:
                raise FormatError(f"{store} and another store hold a slice named {row.name}: name their cases apart.")
            rows[row.name] = row
            for old, new in ((row.image(store), row.image(out)), (row.label(store), row.label(out))):
                link(old, new)
    write_slices(rows.values(), out / "slices.csv")
    return list(rows.values())


def link(old: Path, new: Path) -> None:
    """Give a file a second name; copy it where the file system has none."""
    new.parent.mkdir(parents=True, exist_ok=True)
    new.unlink(missing_ok=True)
    try:
        os.link(old, new)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(old, new)
