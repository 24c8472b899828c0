"""The closer look of the review: any plane of one case, with the MRI anywhere, as one picture for the page to mix."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.registration.align import sector_centre
from training.registration.inputs import read_inputs
from training.registration.mapping import Mapping, mapping_path, placed, read_mapping
from training.registration.output import pair_of, read_record
from training.registration.planes import ORIENTATIONS, cut_plane, extent
from training.registration.transfer import surface
from training.registration.transforms import Matrix, rigid
from training.registration.volume import Volume, as_volume, warp

PIXEL_MM = 0.4
LABEL, SECTOR = 128, 64
"""Bits of the third channel: the tumour, and where there is ultrasound."""
_PERCENTILES = (1.0, 99.5)
_STEP = 4


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One case.

    Attributes:
        us: ultrasound; 0 outside the sector.
        mri: the one that is shown, as `result` puts it: in its own world, or deformed already.
        label: its tumour's surface at 0.5, the same; None where there is none.
        start: MRI to ultrasound before the registration.
        result: and after it.
        before: MRI and surface as `start` puts them.
        us_window: the grey values that are shown as black and as white.
        mri_window: the same of the MRI, by what of it lies in the sector.
    """

    us: Volume
    mri: Volume
    label: Volume | None
    start: Matrix
    result: Matrix
    before: tuple[Volume, Volume | None]
    us_window: tuple[float, float]
    mri_window: tuple[float, float]

    def moved(self, by: NDArray[np.float64]) -> Matrix:
        """The result, moved on by hand.

        Args:
            by: translation in mm and rotation vector in radians about the sector's centre, RAS.
        """
        return rigid(by, sector_centre(self.us)) @ self.result

    def picture(self, plane: str, at_mm: float, matrix: Matrix, *, start: bool = False) -> bytes:
        """A plane as PNG, its channels ultrasound, MRI, and the bits `LABEL` and `SECTOR`.

        Args:
            plane: axial, coronal or sagittal.
            at_mm: its place along the RAS axis that it is perpendicular to, from the middle of the tumour (of the
                sector, where there is none), where the registration's result puts it.
            matrix: MRI to ultrasound.
            start: whether what is shown is as before the registration.
        """
        (orientation,) = [one for one in ORIENTATIONS if one.name == plane]
        centre = self._middle()
        centre[orientation.axis] += at_mm
        mri, surface_of = self.before if start else (self.mri, self.label)
        label = None if surface_of is None else Volume(surface_of.pixels, matrix @ surface_of.affine)
        cut = cut_plane(orientation, self.us, mri, label, matrix, centre, extent(self.us), PIXEL_MM)
        inside = cut.us > 0
        bits = np.where(inside, SECTOR, 0) | np.where(cut.label & inside, LABEL, 0)
        channels = [_grey(cut.us, self.us_window), _grey(np.nan_to_num(cut.mri), self.mri_window), bits]
        return cv2.imencode(".png", np.dstack([one.astype(np.uint8) for one in channels[::-1]]))[1].tobytes()

    def _middle(self) -> NDArray[np.float64]:
        """The middle of the tumour as registered, or of the sector."""
        if self.label is None:
            return sector_centre(self.us)
        return sector_centre(Volume((self.label.pixels >= 0.5).astype(np.float32), self.result @ self.label.affine))


def read_scene(folder: Path, case: str) -> Scene:
    """The case as it is registered now; the last one is kept in memory.

    Raises:
        NotFoundError: if the case or one of its files is not there.
        FormatError: if its record or a file cannot be read.
    """
    transform = mapping_path(folder, case)
    changed = transform.stat().st_mtime_ns if transform.is_file() else 0
    return _read(folder, case, changed)


@lru_cache(maxsize=1)
def _read(folder: Path, case: str, _changed: int) -> Scene:
    """Read the case's files."""
    inputs = read_inputs(pair_of(read_record(folder, case), case))
    mapping = read_mapping(mapping_path(folder, case))
    inside = inputs.us.pixels > 0
    label = None if inputs.label is None else as_volume(surface(inputs.label > 0))
    result, mri = placed(inputs.mris[0], inputs.us, mapping)
    start, mri_before = placed(inputs.mris[0], inputs.us, inputs.start)
    seen = warp(mri, _sparse(inputs.us), result)[_sparse(inputs.us).pixels > 0]
    return Scene(
        us=inputs.us,
        mri=mri,
        label=None if label is None else _surface(label, inputs.us, mapping),
        start=start,
        result=result,
        before=(mri_before, None if label is None else _surface(label, inputs.us, inputs.start)),
        us_window=_window(inputs.us.pixels[inside]),
        mri_window=_window(seen[np.isfinite(seen) & (seen != 0)]),
    )


def _surface(label: Volume, us: Volume, mapping: Mapping) -> Volume:
    """The tumour's surface as a mapping puts it, 0 where there is no mask."""
    _, there = placed(label, us, mapping)
    return Volume(np.nan_to_num(there.pixels), there.affine)


def _sparse(us: Volume) -> Volume:
    """Every few voxels of the ultrasound, enough to know the grey values of an MRI in its sector."""
    affine = us.affine.copy()
    affine[:3, :3] *= _STEP
    return Volume(us.pixels[::_STEP, ::_STEP, ::_STEP], affine)


def _window(values: NDArray[np.float32]) -> tuple[float, float]:
    """The grey values that become black and white."""
    low, high = np.percentile(values, _PERCENTILES) if values.size else (0.0, 1.0)
    return float(low), max(float(high), float(low) + 1e-6)


def _grey(pixels: NDArray[np.float32], window: tuple[float, float]) -> NDArray[np.float32]:
    """0 to 255 within a window."""
    low, high = window
    return np.asarray(255 * np.clip((pixels - low) / (high - low), 0, 1), np.float32)
