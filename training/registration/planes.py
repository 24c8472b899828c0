"""Three planes along RAS through ultrasound, registered MRI and transferred label, resampled to pixels of one size."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.registration.align import sector_centre
from training.registration.transforms import Matrix, apply
from training.registration.volume import Mask, Pixels, Volume, box

PIXEL_MM = 0.25
MARGIN_MM = 8.0
"""What is shown around the sector."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a plane is shown: radiological, the patient's right on the picture's left, the nose left on sagittal ones.

    Attributes:
        name: axial, coronal or sagittal.
        axis: the RAS axis it is perpendicular to.
        across: the RAS axis and sign along columns.
        down: the same along rows.
        letters: what lies left, right, above and below.
    """

    name: str
    axis: int
    across: tuple[int, int]
    down: tuple[int, int]
    letters: str


ORIENTATIONS = (
    Orientation("axial", 2, (0, -1), (1, -1), "RLAP"),
    Orientation("coronal", 1, (0, -1), (2, -1), "RLSI"),
    Orientation("sagittal", 0, (1, -1), (2, -1), "APSI"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One plane.

    Attributes:
        orientation: how it is shown.
        us: grey values, (rows, cols); 0 outside the sector.
        mri: grey values; NaN where there is no MRI.
        label: the tumour.
    """

    orientation: Orientation
    us: Pixels
    mri: Pixels
    label: Mask


def cut_planes(
    us: Volume, mri: Volume, label: Volume | None, matrix: Matrix, centre: NDArray[np.float64] | None = None
) -> list[Plane]:
    """The planes through a point, each cut to the sector in it, of one size.

    Args:
        us: ultrasound; 0 outside the sector.
        mri: in its own world.
        label: on any grid in the ultrasound's world, above 0 inside; None where there is none.
        matrix: MRI to ultrasound, RAS mm.
        centre: the point; None takes the middle of the label, or of the sector where there is none.
    """
    through = middle(us, label) if centre is None else centre
    planes = []
    for orientation in ORIENTATIONS:
        whole = cut_plane(orientation, us, mri, label, matrix, through, extent(us), PIXEL_MM)
        part = box(whole.us > 0, round(MARGIN_MM / PIXEL_MM))
        planes.append(Plane(orientation, whole.us[part], whole.mri[part], whole.label[part]))
    return _one_size(planes)


def middle(us: Volume, label: Volume | None) -> NDArray[np.float64]:
    """The middle of the label, or of the sector where there is none."""
    return sector_centre(label if label is not None and (label.pixels > 0).any() else us)


def cut_plane(
    orientation: Orientation,
    us: Volume,
    mri: Volume,
    label: Volume | None,
    matrix: Matrix,
    centre: NDArray[np.float64],
    sides: tuple[NDArray[np.float64], NDArray[np.float64]],
    pixel_mm: float,
) -> Plane:
    """One plane through a point.

    Args:
        orientation: how it is shown.
        us: ultrasound; 0 outside the sector.
        mri: in its own world.
        label: on any grid in the ultrasound's world, 0.5 on its surface; None where there is none.
        matrix: MRI to ultrasound, RAS mm.
        centre: the point, RAS mm.
        sides: lowest and highest RAS coordinates that are shown.
        pixel_mm: side of a pixel.
    """
    points = _points(orientation, centre, *sides, pixel_mm)
    mask = np.zeros(points.shape[:2], bool) if label is None else _sample(label, points, 0.0) >= 0.5
    moved = Volume(mri.pixels, matrix @ mri.affine)
    return Plane(orientation, _sample(us, points, 0.0), _sample(moved, points, np.nan), mask)


def _one_size(planes: list[Plane]) -> list[Plane]:
    """The planes padded to one size, so that they share one scale side by side."""
    rows, cols = np.array([plane.us.shape for plane in planes]).max(axis=0)

    def padded(pixels: NDArray[Any], value: float) -> NDArray[Any]:
        missing = [(total - n) for total, n in zip((rows, cols), pixels.shape, strict=True)]
        return np.pad(pixels, [(n // 2, n - n // 2) for n in missing], constant_values=value)

    return [
        Plane(one.orientation, padded(one.us, 0.0), padded(one.mri, np.nan), padded(one.label, False)) for one in planes
    ]


def extent(us: Volume) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest RAS coordinates of the sector's box and a margin around it, mm."""
    part = box(us.pixels > 0, 0)
    ends = np.array(np.meshgrid(*((one.start, one.stop - 1) for one in part))).reshape(3, -1).T
    corners = np.asarray(apply(us.affine, ends.astype(np.float64)), np.float64)
    return corners.min(axis=0) - MARGIN_MM, corners.max(axis=0) + MARGIN_MM


def _points(
    orientation: Orientation,
    centre: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    pixel_mm: float,
) -> NDArray[np.float64]:
    """RAS coordinates of a plane's pixels, (rows, cols, 3)."""
    rows, cols = (_line(low[axis], high[axis], sign, pixel_mm) for axis, sign in (orientation.down, orientation.across))
    points = np.empty((len(rows), len(cols), 3))
    points[..., orientation.axis] = centre[orientation.axis]
    points[..., orientation.down[0]] = rows[:, None]
    points[..., orientation.across[0]] = cols[None, :]
    return points


def _line(low: float, high: float, sign: int, pixel_mm: float) -> NDArray[np.float64]:
    """Pixel positions along one axis, mm."""
    line = np.arange(low, high, pixel_mm)
    return line if sign > 0 else line[::-1]


def _sample(volume: Volume, points: NDArray[np.float64], outside: float) -> Pixels:
    """Linear interpolation at RAS points."""
    to_index = np.asarray(np.linalg.inv(volume.affine), np.float64)
    index = apply(to_index, points.reshape(-1, 3)).T
    values = ndimage.map_coordinates(volume.pixels, index, order=1, cval=outside, output=np.float32)
    return np.asarray(values.reshape(points.shape[:2]), np.float32)
