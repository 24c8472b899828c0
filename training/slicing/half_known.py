"""Slices of a volume of which something is not known: 2 in its labels is to be ignored, as nnU-Net's ignore label."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.slicing.cutting import spread
from training.slicing.slices import SliceRow, write_slice
from training.slicing.volumes import AXES

IGNORED = 2
_LEAST_SECTOR = 0.25
_LEAST_MM2 = 20.0


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of equal spacing, (k, j, i), with labels of which some are not known.

    Attributes:
        name: what its slices' names begin with.
        case: its case.
        patient: whose it is.
        image: grey values, 0 outside the sector.
        label: 0 background, 1 tumour, 2 to ignore.
        spacing_mm: between voxels, alike in every direction.
        origin: of its labels, one of `HALF_KNOWN`.
    """

    name: str
    case: str
    patient: str
    image: NDArray[np.float32]
    label: NDArray[np.uint8]
    spacing_mm: float
    origin: str


def cut_all_ways(volume: Volume, store: Path, step_mm: float, negatives: int) -> list[SliceRow]:
    """Cut a volume in the three directions, and write the slices.

    Args:
        volume: the volume.
        store: gets images and labels.
        step_mm: between slices with tumour.
        negatives: tumour-free slices of all directions together; what is ignored on them is not known to be free.
    """
    side = volume.spacing_mm
    rows, step = [], max(1, round(step_mm / side))
    for axis, letter in enumerate(AXES):
        image, label = np.moveaxis(volume.image, axis, 0), np.moveaxis(volume.label, axis, 0)
        areas = (label == 1).sum(axis=(1, 2)) * side**2
        sector = (image > 0).sum(axis=(1, 2))
        tumour = np.flatnonzero(areas > _LEAST_MM2)[::step]
        free = np.flatnonzero((areas == 0) & (sector > _LEAST_SECTOR * sector.max()))
        for index in [*tumour, *spread(free.tolist(), negatives // len(AXES))]:
            row = SliceRow(
                name=f"{volume.name}_{letter}{index:04d}",
                case=volume.case,
                patient=volume.patient,
                axis=letter,
                index=int(index),
                area_mm2=float(areas[index]),
                rows=image.shape[1],
                cols=image.shape[2],
                row_mm=side,
                col_mm=side,
                origin=volume.origin,
            )
            write_slice(image[index], (side, side), row.image(store))
            write_slice(label[index], (side, side), row.label(store))
            rows.append(row)
    return rows
