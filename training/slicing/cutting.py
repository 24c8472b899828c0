"""One case's volume, sweep or frame cut into slices."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray

from inference.errors import FormatError
from training.cohort.cases import Case
from training.slicing.areas import areas_of, areas_path, write_areas
from training.slicing.fingerprint import fingerprint
from training.slicing.frames import is_frame, read_frame
from training.slicing.labels import LabelSource, Origin
from training.slicing.leaks import frames_path, look_path, write_frames, write_look
from training.slicing.slices import CAVITY, NATIVE, SliceRow, write_slice
from training.slicing.volumes import AXES, Labelled, Slicing, gridded, read_cavity, read_pair, read_sweep

CLEAR_MM = 5.0
"""A tumour-free slice lies at least this far from any labelled voxel: labels carried over from MRI are shifted."""
_MIN_SECTOR_SHARE = 0.25
"""A tumour-free slice shows at least this share of the fullest slice's sector, else it is an empty corner."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """How a store is cut.

    Attributes:
        step_mm: distance between the slices taken along each axis of a volume; 0 takes every one, as the paper does.
        every_frame: every how many frames of a sweep are taken.
        negatives: tumour-free slices taken of each volume, and of each sweep.
        slicing: the grid of the slices.
        masks: which masks of a volume.
        sweeps: whether sweeps are cut too.
    """

    step_mm: float = 0.0
    every_frame: int = 1
    negatives: int = 0
    slicing: Slicing = "isotropic"
    masks: LabelSource = field(default_factory=LabelSource)
    sweeps: bool = True


def cut_case(case: Case, files: Mapping[str, Path], store: Path, cutting: Cutting) -> Iterator[SliceRow]:
    """Cut what a case has, writing each slice, its fingerprint, and a volume's areas.

    Args:
        case: whose slices they are.
        files: what is cut: `us` with `label-us` or `label-mri` and maybe `cavity`, `sweep` with `sweep-label`.
        store: the slice store.
        cutting: how it is cut.

    Raises:
        FormatError: if a file cannot be read, or picture and mask do not belong together.
    """
    if "us" in files:
        origin: Origin = "us" if "label-us" in files else "mri"
        us, label = files["us"], files[f"label-{origin}"]
        if is_frame(us):
            if "cavity" in files:
                raise FormatError("It is a single picture with a cavity's mask: cavities are cut from volumes only.")
            frame = read_frame(us, label)
            write_look(fingerprint(sitk.GetImageFromArray(frame.image[0])), look_path(store, case.case))
            yield from _cut_axis(case, frame, (0, NATIVE), origin, (1, 1), store)
        else:
            yield from _cut_volume(case, us, (label, files.get("cavity")), origin, cutting, store)
    if "sweep" in files:
        sweep = read_sweep(files["sweep"], files["sweep-label"])
        write_frames(sweep.image, frames_path(store, case.case))
        yield from _cut_axis(case, sweep, (0, NATIVE), "us", (cutting.every_frame, cutting.negatives), store)


def _cut_volume(
    case: Case, us: Path, labels: tuple[Path, Path | None], origin: Origin, cutting: Cutting, store: Path
) -> Iterator[SliceRow]:
    """Cut a volume in its three directions; labels are of the tumour, and of the cavity if somebody drew it."""
    label, hole = labels
    image, mask = read_pair(us, label, may_be_empty=hole is not None)
    cavity = None if hole is None else read_cavity(hole, mask)
    write_look(fingerprint(image), look_path(store, case.case))
    write_areas(areas_of(case.case, mask), areas_path(store, case.case))
    volume = gridded(image, mask, cutting.slicing, cavity)
    share = math.ceil(cutting.negatives / len(AXES))
    for at, name in enumerate(AXES):
        step = max(1, round(cutting.step_mm / volume.spacing[at]))
        yield from _cut_axis(case, volume, (at, name), origin, (step, share), store)


def _cut_axis(
    case: Case, stack: Labelled, along: tuple[int, str], origin: Origin, step_and_free: tuple[int, int], store: Path
) -> Iterator[SliceRow]:
    """Cut one direction: every `step`-th slice with tumour or cavity, and others spread over what is clear of both."""
    (axis, name), (step, free) = along, step_and_free
    labelled = tumour_slices(_labelled(stack), axis)[::step]
    without = spread(clear_slices(stack, axis), free)
    row_mm, col_mm = stack.plane_mm(axis)
    for index in [*labelled, *without]:
        image, mask = np.moveaxis(stack.image, axis, 0)[index], np.moveaxis(stack.mask, axis, 0)[index]
        rows, cols = image.shape
        hole = None if stack.cavity is None else np.moveaxis(stack.cavity, axis, 0)[index]
        area = float(mask.sum()) * row_mm * col_mm
        cavity_mm2 = None if hole is None else float(hole.sum()) * row_mm * col_mm
        label = mask.astype(np.uint8) if hole is None else np.where(hole, CAVITY, mask).astype(np.uint8)
        stem = f"{case.case}_{name}{index:04d}"
        row = SliceRow(stem, case.case, case.patient, name, index, area, rows, cols, row_mm, col_mm, origin, cavity_mm2)
        write_slice(image, (row_mm, col_mm), row.image(store))
        write_slice(label, (row_mm, col_mm), row.label(store))
        yield row


def _labelled(stack: Labelled) -> NDArray[np.bool_]:
    """Where anything is labelled."""
    return stack.mask if stack.cavity is None else stack.mask | stack.cavity


def tumour_slices(mask: NDArray[np.bool_], axis: int) -> list[int]:
    """Indices along `axis` of the slices that hold any tumour."""
    others = tuple(at for at in range(mask.ndim) if at != axis)
    return [int(index) for index in np.flatnonzero(mask.any(axis=others))]


def clear_slices(stack: Labelled, axis: int) -> list[int]:
    """Indices of tumour-free slices at least `CLEAR_MM` from any label that show enough of the sector.

    Frames of a sweep have no known distance: there, frames without any label count as clear.
    """
    others = tuple(at for at in range(stack.mask.ndim) if at != axis)
    labelled = np.flatnonzero(_labelled(stack).any(axis=others))
    inside = np.count_nonzero(stack.image, axis=others)
    indices = np.arange(stack.mask.shape[axis])
    clear = inside >= _MIN_SECTOR_SHARE * inside.max()
    if labelled.size:
        steps = np.abs(indices[:, None] - labelled[None, :]).min(axis=1)
        spacing = stack.spacing[axis]
        clear &= steps > 0 if math.isnan(spacing) else steps * spacing >= CLEAR_MM
    return [int(index) for index in indices[clear]]


def spread(indices: list[int], count: int) -> list[int]:
    """At most `count` of the indices, evenly spread."""
    if count <= 0 or not indices:
        return []
    chosen = np.linspace(0, len(indices) - 1, min(count, len(indices)) + 2)[1:-1]
    return sorted({indices[round(at)] for at in chosen})
