"""Volumes swept slice by slice along one axis: NIfTI, NRRD, MetaImage; also oblique and anisotropic ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from inference.display import display_levels
from inference.errors import ChoiceError, FormatError
from inference.frame import Mask, Origin, Pixels, View
from inference.nifti import without_texts, write_mask_nifti
from inference.source_info import SourceInfo, SweptGrid
from inference.sources.grid import AXES, TWO_PLACES, Volume, edge_letter, plane_reason
from inference.sources.metaimage import read_metaimage
from inference.sources.nifti import read_nifti
from inference.sources.nrrd_file import read_nrrd
from inference.sources.paths import suffix_of
from inference.sources.pixels import as_pixels
from inference.sources.recorded import Recorded
from inference.spacing import PixelSpacing, Provenance

READERS: dict[str, Callable[[Path], Volume]] = {
    ".nii": read_nifti,
    ".nii.gz": read_nifti,
    ".nrrd": read_nrrd,
    ".nhdr": read_nrrd,
    ".mha": read_metaimage,
    ".mhd": read_metaimage,
}
PLANES = {"i": ("k", "j"), "j": ("k", "i"), "k": ("j", "i")}
"""Axis swept: (axis down the rows, axis along the columns), the other two in SimpleITK's numpy order."""


class VolumeSource(Recorded):
    """The slices of one volume, in file order, unflipped.

    Args:
        path: the file.
        axis: the NIfTI axis to sweep, i, j or k.
        typed: the user's own spacing of the plane (rows, columns).

    Raises:
        SourceError: if the file cannot be read, or is 2D and an axis other than k is requested.
    """

    def __init__(self, path: Path, *, axis: str = "k", typed: PixelSpacing | None = None) -> None:
        if axis not in PLANES:
            raise ChoiceError(f"'{axis}' is no axis of a volume: give i, j or k.")
        volume = reader_of(path)(path)
        if (volume.flat or volume.clip) and axis != "k":
            raise ChoiceError(f"{path.name} is 2D and has nothing to sweep along {axis}: leave the axis out.")
        self._header = volume.header
        self._axis = AXES[::-1].index(axis)
        self._voxels = as_pixels(volume.voxels)
        super().__init__(_info(volume, self._voxels, axis, path.name), typed)

    def __len__(self) -> int:
        """Number of slices along the axis."""
        return int(self._voxels.shape[self._axis])

    def _pixels(self, index: int) -> Pixels:
        return as_pixels(np.take(self._voxels, index, self._axis))

    def save_masks(self, masks: list[Mask], path: str) -> None:
        """Write the masks as a NIfTI volume on exactly this volume's grid.

        Raises:
            OutputError: if the file cannot be written.
        """
        write_mask_nifti(np.stack(masks, axis=self._axis).T, self._header, path)


def reader_of(path: Path) -> Callable[[Path], Volume]:
    """The reader for this file.

    Raises:
        FormatError: if there is none.
    """
    try:
        return READERS[suffix_of(path)]
    except KeyError:
        raise FormatError(f"{path.name} is no volume that can be read: give NIfTI, NRRD or MetaImage.") from None


def _view(volume: Volume) -> View:
    if volume.clip:
        return View.NATIVE
    return View.UNKNOWN if volume.flat else View.SLICE


def _info(volume: Volume, voxels: Pixels, axis: str, name: str) -> SourceInfo:
    down, across = PLANES[axis]
    reason = plane_reason(volume, down + across, name)
    row_mm, col_mm = volume.spacing[AXES.index(down)], volume.spacing[AXES.index(across)]
    sizes = dict(zip(AXES[::-1], voxels.shape, strict=True))
    return SourceInfo(
        origin=Origin(name, _view(volume), simulated=volume.simulated),
        rows=sizes[down],
        cols=sizes[across],
        spacing=None if reason or row_mm is None or col_mm is None else PixelSpacing(row_mm, col_mm, Provenance.HEADER),
        no_spacing_reason=reason,
        levels=display_levels(voxels),
        edge_letters=(
            edge_letter(volume.directions, down, forward=False),
            edge_letter(volume.directions, down, forward=True),
            edge_letter(volume.directions, across, forward=False),
            edge_letter(volume.directions, across, forward=True),
        ),
        notice=f"{TWO_PLACES.format(name)}: its left and right are unknown." if volume.two_places else "",
        grid=SweptGrid(axis, sizes[axis], bytes(without_texts(volume.header).binaryblock)),
    )
