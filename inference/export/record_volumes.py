"""Frames and masks of a record as NIfTI: in the volume that was swept, or as stacks."""

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.alarms import Alarm
from inference.export.readings import spacing_cells
from inference.export.record_readings import Reading, corrected_mask, mask_of, place_of
from inference.export.stack import write_stack
from inference.nifti import MOST_PICTURES, header_of, in_volume, write_nifti
from inference.sources.base import read_or_black
from inference.sources.record import RecordSource
from inference.spacing import PixelSpacing


def write_volumes(
    source: RecordSource, readings: Sequence[Reading], out: Path, watch: Callable[[range], Iterable[int]]
) -> list[Path]:
    """Write frames and masks, and the masks that a person corrected: in the volume that was swept, or as stacks.

    A stack that is longer than one file can count goes into several, each named after the number of its first frame.

    A volume has room for one frame a slice. Of several, the last one counts of which there is anything to write: that
    a slice was shown again takes neither its contour nor its correction away.
    """
    kind = np.result_type(*{reading.kind for reading in readings})  # what stands for a damaged frame is of 8 bits
    answered = {reading.number for reading in readings if reading.row["outcome"] in ("tumour", "none")}
    stacks: dict[str, tuple[Callable[[int], NDArray[Any]], Collection[int]]] = {
        "frames": (lambda number: read_or_black(source, number).pixels.astype(kind), ()),
        "masks": (lambda number: mask_of(source, number), answered),
    }
    whole = [reading for reading in readings if reading.row["corrected_mm2"] != "damaged"]
    if corrected := {reading.number for reading in whole if reading.row["corrected_by"]}:
        stacks["corrected"] = lambda number: _corrected_or_empty(source, number, corrected), corrected
    grid, count, spacing, files = source.info.grid, len(source), _one_scale(source, readings), list[Path]()
    for name, (picture, known) in stacks.items():
        if grid is None:
            pictures = (picture(number) for number in watch(range(count)))
            for first in range(0, count, MOST_PICTURES):
                files.append(out / (f"{name}.nii.gz" if count <= MOST_PICTURES else f"{name}-from-{first:06}.nii.gz"))
                length = min(MOST_PICTURES, count - first)
                write_stack(files[-1], islice(pictures, length), length, spacing)
        else:
            order = sorted(range(count), key=lambda number: number in known)
            shown = {place: number for number in order if (place := place_of(source, number)) is not None}
            if not shown:  # every frame is damaged, as the table says of each: nobody knows where it stood
                continue
            slices = ((place, picture(number)) for place, number in shown.items())
            files.append(out / f"{name}.nii.gz")
            write_nifti(in_volume(grid, slices), header_of(grid), str(files[-1]))
    return files


def _one_scale(source: RecordSource, readings: Sequence[Reading]) -> PixelSpacing | None:
    """The scale of a stack: the record's, if every frame has it, for the entry that told of a change may be damaged."""
    cells = spacing_cells(source.info.spacing)
    read = (reading.row for reading in readings if reading.row.get("reason") != Alarm.UNREADABLE.sentence)
    return source.info.spacing if all(row[name] == cells[name] for row in read for name in cells) else None


def _corrected_or_empty(source: RecordSource, number: int, corrected: Collection[int]) -> NDArray[np.uint8]:
    """The user's mask of a frame; empty where nothing was corrected, which the table tells from an emptied one."""
    mask = corrected_mask(source, number) if number in corrected else None
    return np.zeros((source.info.rows, source.info.cols), np.uint8) if mask is None else mask
