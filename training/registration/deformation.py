"""Displacement fields: where each point of the ultrasound lies in the MRI, on a coarse grid."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray
from scipy import ndimage

from inference.errors import FormatError
from training.io.files import written_aside
from training.registration.transforms import LPS, Matrix, apply

_STEPS, _CLOSE_MM = 60, 1e-3
"""Of the inversion: at most so many steps, until it moves less."""
_SIGNS = np.array([-1.0, -1.0, 1.0])
"""Of the components of a displacement, from RAS to LPS and back."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Deformation:
    """From the ultrasound's world to the MRI's: what lies at x in the one lies at x + shift(x) in the other.

    Attributes:
        shift: (k, j, i, 3), along x, y and z, RAS mm, linear in between.
        affine: (4, 4), from the index (k, j, i) to the ultrasound's world, RAS mm.
    """

    shift: NDArray[np.float64]
    affine: Matrix

    @property
    def nodes(self) -> Points:
        """Where the grid's points are, (n, 3), in the order of `shift`."""
        return apply(self.affine, np.indices(self.shift.shape[:3]).reshape(3, -1).T.astype(np.float64))

    def linear(self) -> Matrix:
        """The affine transform nearest to it (least squares over the grid), ultrasound to MRI."""
        nodes = np.column_stack([self.nodes, np.ones(self.shift[..., 0].size)])
        found = np.linalg.lstsq(nodes, nodes[:, :3] + self.shift.reshape(-1, 3), rcond=None)[0]
        return np.vstack([found.T, [0.0, 0.0, 0.0, 1.0]])

    def to_mri(self, points: Points) -> Points:
        """Ultrasound points (n, 3) in the MRI; beyond the grid it goes on as `linear` does."""
        linear = self.linear()
        return np.asarray(apply(linear, points) + self._beside(linear, points), np.float64)

    def to_us(self, points: Points) -> Points:
        """MRI points (n, 3) in the ultrasound, by fixed-point iteration.

        Raises:
            FormatError: if there is no inverse there: the field folds.
        """
        linear = self.linear()
        back = np.asarray(np.linalg.inv(linear), np.float64)
        here = apply(back, points)
        for _ in range(_STEPS):
            before, here = here, apply(back, points - self._beside(linear, here))
            if np.abs(here - before).max(initial=0.0) < _CLOSE_MM:
                return here
        raise FormatError(
            "The displacement field has no inverse where it is needed: it folds, or is for other volumes."
        )

    def covers(self, points: Points) -> bool:
        """Whether all points (n, 3) lie within the grid, half a step of it allowed."""
        index = apply(np.asarray(np.linalg.inv(self.affine), np.float64), points)
        return bool((index >= -0.5).all() and (index <= np.array(self.shift.shape[:3]) - 0.5).all())

    def jacobian(self) -> NDArray[np.float64]:
        """Volume in the MRI of a unit of volume in the ultrasound, the least of each cell's corners, (k-1, j-1, i-1).

        Below 0 the field folds. The derivatives along a cell's edges are exact, as it is linear along them.
        """
        return np.asarray(self._corners().min(axis=0), np.float64)

    def mean_jacobian(self, points: Points) -> float:
        """Mean volume in the MRI of a unit of volume in the ultrasound over points (n, 3)."""
        index = apply(np.asarray(np.linalg.inv(self.affine), np.float64), points).T - 0.5
        return float(ndimage.map_coordinates(self._corners().mean(axis=0), index, order=1, mode="nearest").mean())

    def as_itk(self) -> sitk.DisplacementFieldTransform:
        """The field as ITK resamples with it: ultrasound to MRI, LPS mm. Beyond its grid ITK moves nothing."""
        return sitk.DisplacementFieldTransform(self.as_image(sitk.sitkVectorFloat64))

    def as_image(self, kind: int) -> sitk.Image:
        """The field as an image of vectors, LPS mm."""
        image = sitk.GetImageFromArray(self.shift * _SIGNS, isVector=True)
        spacing = np.linalg.norm(self.affine[:3, :3], axis=0)
        directions = LPS[:3, :3] @ (self.affine[:3, :3] / spacing)[:, ::-1]
        image.SetSpacing([float(mm) for mm in spacing[::-1]])
        image.SetDirection(directions.ravel().tolist())
        image.SetOrigin((LPS[:3, :3] @ self.affine[:3, 3]).tolist())
        return sitk.Cast(image, kind)

    def _beside(self, linear: Matrix, points: Points) -> Points:
        """What the field adds to its linear part, (n, 3); beyond the grid, what it adds at the grid's edge."""
        rest = self.nodes + self.shift.reshape(-1, 3) - apply(linear, self.nodes)
        index = apply(np.asarray(np.linalg.inv(self.affine), np.float64), points).T
        parts = rest.reshape(self.shift.shape)
        sampled = [ndimage.map_coordinates(parts[..., n], index, order=1, mode="nearest") for n in range(3)]
        return np.stack(sampled, axis=1)

    def _corners(self) -> NDArray[np.float64]:
        """Jacobian determinants at the eight corners of each cell, (8, k-1, j-1, i-1)."""
        shape = self.shift.shape[:3]
        place = (self.nodes + self.shift.reshape(-1, 3)).reshape(self.shift.shape)
        size = abs(float(np.linalg.det(self.affine[:3, :3])))
        sign = float(np.sign(np.linalg.det(self.affine[:3, :3])))
        found = []
        for corner in itertools.product((0, 1), repeat=3):
            edges = []
            for axis in range(3):
                near = [slice(at, at + n - 1) for at, n in zip(corner, shape, strict=True)]
                low, high = list(near), list(near)
                low[axis], high[axis] = slice(0, shape[axis] - 1), slice(1, shape[axis])
                edges.append(place[tuple(high)] - place[tuple(low)])
            found.append(sign * np.linalg.det(np.stack(edges, axis=-1)) / size)
        return np.stack(found)


def sampled(transform: sitk.Transform, affine: Matrix, shape: tuple[int, int, int]) -> Deformation:
    """Any transform of ITK's, ultrasound to MRI, on a grid."""
    grid = Deformation(np.zeros((*shape, 3)), affine)
    blank = grid.as_image(sitk.sitkVectorFloat64)
    field = sitk.TransformToDisplacementField(
        transform, sitk.sitkVectorFloat64, blank.GetSize(), blank.GetOrigin(), blank.GetSpacing(), blank.GetDirection()
    )
    return Deformation(sitk.GetArrayFromImage(field) * _SIGNS, affine)


def write_deformation(deformation: Deformation, path: Path) -> None:
    """Write a field as NIfTI of ITK's and ANTs' convention: (i, j, k, 1, 3), intent 1007, mm along L, P and S."""
    with written_aside(path) as aside:
        sitk.WriteImage(deformation.as_image(sitk.sitkVectorFloat32), str(aside), useCompression=True)


def as_deformation(image: sitk.Image) -> Deformation:
    """An image of vectors, LPS mm, as a field."""
    affine = np.eye(4)
    affine[:3, :3] = (np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing())[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    return Deformation(sitk.GetArrayFromImage(image).astype(np.float64) * _SIGNS, LPS @ affine)
