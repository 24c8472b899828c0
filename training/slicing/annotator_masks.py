"""A second reader's masks, cut into the same slices as a store, so that they can be scored like a model's."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError, NotFoundError
from training.cohort.cases import Case
from training.io.files import the_one
from training.slicing.slices import read_slices, write_slice
from training.slicing.volumes import AXES, Labelled, Slicing, read_volume


def cut_reader(cases: Iterable[Case], masks: Path, store: Path, out: Path, slicing: Slicing) -> None:
    """Write the reader's mask of every slice of a store to `out/NAME.nii.gz`; an empty one says: nothing found.

    Args:
        cases: whose slices the store holds.
        masks: folder with `CASE.nii.gz`, or in RESECT-SEG's layout, on the grids of the ultrasound volumes.
        store: slice store; its slices decide, not the reader's tumour.
        out: folder of the masks.
        slicing: as the store was cut.

    Raises:
        NotFoundError: if the reader has no mask of a case.
        FormatError: if a mask is not on its volume's grid, a case has two that differ, or it has frames of a sweep.
    """
    rows = read_slices(store)
    for case in cases:
        mine = [row for row in rows if row.case == case.case]
        if not mine or case.us is None:
            continue
        if any(row.axis not in AXES for row in mine):
            raise FormatError(
                f"{case.case} has frames of its own, and {masks} holds masks of volumes alone: take its sweep "
                "or picture out of the case table."
            )
        volume = read_volume(case.us, _mask(case, case.us, masks), slicing, may_be_empty=True)
        for row in mine:
            write_slice(_plane(volume, row.axis, row.index), (row.row_mm, row.col_mm), out / f"{row.name}.nii.gz")


def _plane(volume: Labelled, axis: str, index: int) -> NDArray[np.uint8]:
    """One slice of the mask."""
    plane: NDArray[np.uint8] = np.moveaxis(volume.mask, AXES.index(axis), 0)[index].astype(np.uint8)
    return plane


def _mask(case: Case, us: Path, masks: Path) -> Path:
    """The reader's mask of a case."""
    stem = us.name.removesuffix(".gz").removesuffix(".nii")
    wanted = {f"{case.case}.nii.gz", f"{stem}-tumor.nii.gz"}
    found = the_one(sorted(path for path in masks.rglob("*.nii.gz") if path.name in wanted))
    if found is None:
        raise NotFoundError(f"{masks} holds no mask of {case.case}: name it {case.case}.nii.gz.")
    return found
