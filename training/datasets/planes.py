"""Stacks DICOM planes to a volume by their positions, never by their order in the file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from inference.errors import FormatError
from inference.sources.dicom_grey import GreyCurve
from inference.sources.dicom_pixels import damage_told
from training.io.dicom import pixels_of, read_dicom

_SAME_ORIENTATION = 1e-3
_SAME_STEP = 0.02
"""How much the distances between neighbouring planes may differ, as a share of the distance."""
_BESIDE = 1.5
"""Planes further apart than so many thicknesses do not touch."""
_STRAIGHT_MM = 0.1
_OFF_STEP = 0.1
"""How far a plane may lie from its place in the stack, as a share of the distance between planes."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One frame with its place in the patient, LPS mm.

    Attributes:
        position: ImagePositionPatient (0020,0032) of the first pixel.
        orientation: ImageOrientationPatient (0020,0037): along the rows, then down the columns.
        spacing: PixelSpacing (0028,0030), mm from row to row and from column to column.
        pixels: (rows, cols).
    """

    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    spacing: NDArray[np.float64]
    pixels: NDArray[Any]


def read_ultrasound(path: Path) -> sitk.Image:
    """A multi-frame volume: geometry in the functional groups, frames in any order, grey values as to be shown.

    Raises:
        FormatError: if it is damaged, or its frames are not a regular stack.
    """
    dataset, planes = _frames(path)
    with damage_told(f"{path} states grey values that make no sense: export it again."):
        curve = GreyCurve(dataset, path.name)
    return stacked([replace(plane, pixels=curve(plane.pixels)) for plane in planes], path)


def read_series(paths: Sequence[Path]) -> sitk.Image:
    """A series with one file per plane, as grey values after the rescale slope and intercept.

    Raises:
        FormatError: if a file is damaged, or the planes are not a regular stack.
    """
    return stacked([_plane(path) for path in paths], paths[0].parent)


def read_segmentation(path: Path) -> sitk.Image:
    """A segmentation of one structure, 0 and 1, on its own grid; planes that the file leaves out are empty.

    Raises:
        FormatError: if it is damaged, holds several structures or fractions, or is not a stack.
    """
    dataset, planes = _frames(path)
    with damage_told(f"{path} lacks what a segmentation states: copy it again."):
        structures, kind = len(dataset.SegmentSequence), dataset.SegmentationType
        measures = _group(dataset, 0, "PixelMeasuresSequence")
        between, thick = measures.get("SpacingBetweenSlices"), measures.get("SliceThickness")
    if structures != 1 or kind != "BINARY":
        raise FormatError(f"{path} holds {structures} structures ({kind.lower()}): one binary structure is needed.")
    step = abs(float(between or thick or 0.0)) or None  # negative where slices run down
    if not between and step is not None and _nearest(planes) > _BESIDE * step:
        raise FormatError(
            f"{path} states how thick its planes are ({step:g} mm) and not how far apart, and no two of them touch: it "
            "would be a mask with holes. Export it with SpacingBetweenSlices."
        )
    return stacked(planes, path, step) > 0


def stacked(planes: Sequence[Plane], name: Path, step_mm: float | None = None) -> sitk.Image:
    """Order planes along their normal.

    Args:
        planes: at least one.
        name: where they come from, for error messages.
        step_mm: distance between neighbours; missing planes are then filled with 0. None allows no gap.

    Raises:
        FormatError: if they differ in size, scale or direction, are not evenly spaced, or shear.
    """
    first = planes[0]
    for plane in planes:
        if plane.pixels.shape != first.pixels.shape or not _parallel(plane, first):
            raise FormatError(f"The planes of {name} differ in size, scale or direction: they are no volume.")
    normal = np.cross(first.orientation[:3], first.orientation[3:])
    along = np.array([plane.position @ normal for plane in planes])
    order = np.argsort(along)
    step = step_mm or _step(along[order], name)
    index = (along[order] - along[order[0]]) / step
    places = np.round(index).astype(int)
    origin = planes[order[0]].position
    straight = origin + index[:, None] * step * normal
    drift = np.abs(straight - np.array([planes[at].position for at in order])).max()
    if np.abs(index - places).max() > _OFF_STEP or len(set(places)) < len(places) or drift > _STRAIGHT_MM:
        raise FormatError(f"The planes of {name} are not evenly stacked: some are missing, double or shifted.")
    pixels = np.zeros((places[-1] + 1, *first.pixels.shape), first.pixels.dtype)
    pixels[places] = [planes[at].pixels for at in order]
    image = sitk.GetImageFromArray(pixels)
    image.SetSpacing((float(first.spacing[1]), float(first.spacing[0]), float(step)))
    image.SetOrigin(origin.tolist())
    image.SetDirection(np.column_stack([first.orientation[:3], first.orientation[3:], normal]).ravel().tolist())
    return image


def _nearest(planes: Sequence[Plane]) -> float:
    """The least distance between two planes, mm; 0 of a single one."""
    normal = np.cross(planes[0].orientation[:3], planes[0].orientation[3:])
    along = np.sort([plane.position @ normal for plane in planes])
    return float(np.diff(along).min()) if len(along) > 1 else 0.0


def _parallel(one: Plane, other: Plane) -> bool:
    """Whether two planes have the same direction and scale."""
    return np.allclose(one.orientation, other.orientation, atol=_SAME_ORIENTATION) and np.allclose(
        one.spacing, other.spacing, rtol=1e-4
    )


def _step(along: NDArray[np.float64], name: Path) -> float:
    """The distance between neighbours, which has to be the same for all."""
    if len(along) < 2:
        raise FormatError(f"{name} holds one plane: it is no volume.")
    steps = np.diff(along)
    middle = float(np.median(steps))
    if middle <= 0 or np.abs(steps - middle).max() > _SAME_STEP * middle:
        raise FormatError(f"The planes of {name} are not evenly stacked: some are missing, double or shifted.")
    return float((along[-1] - along[0]) / (len(along) - 1))


def _frames(path: Path) -> tuple[FileDataset, list[Plane]]:
    """A multi-frame file and its planes."""
    dataset = read_dicom(path)
    pixels = pixels_of(dataset, path)
    stack = pixels.reshape(-1, *pixels.shape[-2:])
    with damage_told(f"{path} does not state where its frames lie: it cannot be placed."):
        planes = [_placed(_functional(dataset, frame), pixels) for frame, pixels in enumerate(stack)]
    return dataset, planes


def _plane(path: Path) -> Plane:
    """The plane of a single-frame file."""
    dataset = read_dicom(path)
    pixels = pixels_of(dataset, path).astype(np.float32)
    with damage_told(f"{path} does not state where its plane lies: it cannot be placed."):
        rescaled = pixels * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
        return _placed(lambda name: dataset[name].value, rescaled.astype(np.float32))


def _placed(tag: Callable[[str], Any], pixels: NDArray[Any]) -> Plane:
    """A frame with the three tags that place it."""
    names = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
    position, orientation, spacing = (np.array([float(value) for value in tag(name)]) for name in names)
    return Plane(position, orientation, spacing, pixels)


_GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
}


def _functional(dataset: Dataset, frame: int) -> Callable[[str], Any]:
    """Return a function that reads a frame's tag from the functional groups."""
    return lambda name: _group(dataset, frame, _GROUPS[name])[name].value


def _group(dataset: Dataset, frame: int, sequence: str) -> Dataset:
    """The frame's own functional group, or the shared one (PS3.3 C.7.6.16)."""
    own = dataset.PerFrameFunctionalGroupsSequence[frame]
    shared = dataset.SharedFunctionalGroupsSequence[0] if "SharedFunctionalGroupsSequence" in dataset else Dataset()
    group: Dataset = (own if sequence in own else shared)[sequence].value[0]
    return group
