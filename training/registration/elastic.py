"""A smooth deformation that follows MIND-SSC: cubic B-splines (Rueckert et al. 1999) by Gauss-Newton.

The energy is the mean squared difference of the descriptors plus a share of the mean squared derivatives of the
displacement, so that what the ultrasound doesn't show moves with what lies around it. No step of it sees the tumour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import BSpline

from training.registration.deformation import Deformation
from training.registration.mind import REACH, mind_ssc
from training.registration.similarity import MIND_EROSION_MM, eroded
from training.registration.transforms import Matrix, apply
from training.registration.volume import Pixels, Volume, box, coarser, cropped, smoothed

SIDE_MM = 1.0
"""Voxel side. From 1.5 mm on MIND-SSC has its maximum elsewhere on a real pair, and no stiffness makes up for it."""
STEPS = 8
"""Gauss-Newton steps at most."""
CONTROL_MM = 20.0
"""Between control points: brain shift changes over centimetres, speckle over less."""
STIFFNESS = 0.2
"""Weight of the mean squared derivatives against the mean squared difference of descriptors."""
_BLOCK_MM = 5.0
"""The splines are taken as constant over so much."""
_RIDGE = 1e-3
"""Holds splines at the box's corners, which nothing in the sector does; a share of the mean derivative."""
_FAILED = 2
"""So many steps in turn that lead nowhere end it."""
_EVERY = 7
"""Of the grid's points, every how many the derivatives are taken at."""
_STRIDE_MM = 1.5
"""The longest step, mm: what is linear in the descriptors holds no further."""

Field = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Splines:
    """Cubic B-splines over a box: products of one function of x, of y and of z each.

    Attributes:
        low: corner of the box, RAS mm.
        counts: control points along x, y and z.
    """

    low: Field
    counts: tuple[int, int, int]

    @staticmethod
    def over(low: Field, high: Field) -> "Splines":
        """The splines over a box."""
        cells = np.maximum(1, np.ceil((high - low) / CONTROL_MM)).astype(int)
        middle = (low + high) / 2
        x, y, z = (int(n) + 3 for n in cells)
        return Splines(middle - cells * CONTROL_MM / 2, (x, y, z))

    def values(self, points: Field, along: int | None = None) -> Field:
        """Each spline at each point, (points, splines), or its derivative along an axis, a mm."""
        parts = []
        for axis, count in enumerate(self.counts):
            knots = self.low[axis] + CONTROL_MM * np.arange(-3, count + 1)
            inside = np.clip(points[:, axis], knots[3], knots[count] - 1e-9)
            basis = BSpline(knots, np.eye(count), 3)
            parts.append(basis(inside, nu=int(axis == along)))
        x, y, z = parts
        return np.asarray(np.einsum("na,nb,nc->nabc", x, y, z).reshape(len(points), -1), np.float64)


def deform(us: Volume, mris: Sequence[Volume], matrix: Matrix, grid: Deformation) -> Deformation:
    """Deform what a linear transform aligned.

    Args:
        us: ultrasound; 0 outside the sector.
        mris: MRI volumes in one world.
        matrix: MRI to ultrasound, RAS mm.
        grid: of the result; its box is that of the splines.
    """
    nodes = grid.nodes
    splines = Splines.over(nodes.min(axis=0), nodes.max(axis=0))
    values = splines.values(nodes)
    stiff = _stiffness(splines, nodes[::_EVERY])
    coefficients = _Energy(us, mris, matrix, splines, grid).descend(np.zeros((values.shape[1], 3)), stiff)
    moved = apply(np.asarray(np.linalg.inv(matrix), np.float64), nodes + values @ coefficients)
    return Deformation((moved - nodes).reshape(grid.shift.shape), grid.affine)


def _stiffness(splines: Splines, points: Field) -> Field:
    """Mean of the derivatives' products over points, (splines, splines)."""
    slopes = [splines.values(points, axis) for axis in range(3)]
    found = np.asarray(sum(slope.T @ slope for slope in slopes) / len(points))
    return np.asarray(found + _RIDGE * np.trace(found) / len(found) * np.eye(len(found)))


class _Energy:
    """Ultrasound and MRI, and how far their descriptors are apart."""

    def __init__(self, us: Volume, mris: Sequence[Volume], matrix: Matrix, splines: Splines, grid: Deformation) -> None:
        coarse, mask = coarser(us, SIDE_MM, us.pixels > 0)
        mask = eroded(mask, MIND_EROSION_MM / SIDE_MM)
        part = box(mask, REACH + 1)
        self._us, self._mask = cropped(coarse, part), mask[part]
        self._described = mind_ssc(coarse.pixels)[(slice(None), *part)]
        self._mris = [smoothed(mri, SIDE_MM) for mri in mris]
        self._back = np.asarray(np.linalg.inv(matrix), np.float64)
        shape = self._us.pixels.shape
        self._points = apply(self._us.affine, np.indices(shape).reshape(3, -1).T.astype(np.float64))
        blocks = np.indices(shape).reshape(3, -1) // round(_BLOCK_MM / SIDE_MM)
        counts_along = tuple(int(n) for n in blocks.max(axis=1) + 1)
        self._block = np.asarray(np.ravel_multi_index(tuple(blocks), counts_along), np.intp)
        self._n = int(self._block.max()) + 1
        counts = np.bincount(self._block, minlength=self._n)
        centres = [np.bincount(self._block, self._points[:, axis], self._n) / counts for axis in range(3)]
        self._basis = splines.values(np.stack(centres, axis=1))
        self._seen = np.bincount(self._block, self._mask.ravel(), self._n) > 0
        self._values, self._shape = splines.values(grid.nodes), grid.shift.shape
        self._index = apply(np.asarray(np.linalg.inv(grid.affine), np.float64), self._points).T

    def descend(self, coefficients: Field, stiff: Field) -> Field:
        """Gauss-Newton with the damping of Levenberg and Marquardt; the best seen."""
        best, least, damping = coefficients, np.inf, 1e-3
        trial = coefficients
        system: tuple[Field, Field] | None = None
        failed = 0
        for _ in range(STEPS):
            energy, found = self._at(trial)
            energy += STIFFNESS * float((trial * (stiff @ trial)).sum())
            failed = 0 if energy < least else failed + 1
            if failed == _FAILED:
                break
            if energy < least:
                best, least, system, damping = trial, energy, found, damping / 3
            else:
                damping *= 10
            assert system is not None  # noqa: S101 - the first energy is below infinity
            trial = best + self._held(_step(*system, best, stiff, damping))
        return best

    def _held(self, step: Field) -> Field:
        """A step of the coefficients that moves nothing in the sector by more than `_STRIDE_MM`."""
        longest = float(np.linalg.norm(self._basis[self._seen] @ step, axis=1).max())
        return step * min(1.0, _STRIDE_MM / max(longest, 1e-9))

    def _at(self, coefficients: Field) -> tuple[float, tuple[Field, Field]]:
        """The energy without stiffness, and the normal equations: products of gradients, and residuals."""
        shift = (self._values @ coefficients).reshape(self._shape)
        parts = [ndimage.map_coordinates(shift[..., n], self._index, order=1, mode="nearest") for n in range(3)]
        moved = self._points + np.stack(parts, axis=1)
        total, products, residuals = 0.0, np.zeros((self._n, 3, 3)), np.zeros((self._n, 3))
        for mri in self._mris:
            warped = self._warped(mri, moved)
            missing = np.isnan(warped)
            where = self._mask & ~ndimage.maximum_filter(missing, 2 * REACH + 3, mode="constant")
            count = max(1, int(where.sum()) * len(self._mris) * len(self._described))
            described = mind_ssc(np.nan_to_num(warped))
            at = np.nonzero(where)
            block = self._block[where.ravel()]
            world = np.asarray(np.linalg.inv(self._us.affine[:3, :3]).T, np.float32)
            squares, weighted = np.zeros((3, 3, len(block)), np.float32), np.zeros((3, len(block)), np.float32)
            for one, other in zip(self._described, described, strict=True):
                difference = (one - other)[at]
                total += float(difference @ difference) / count
                slope = world @ _slope(one + other, at) / 2
                weighted += slope * difference
                squares += slope[:, None] * slope[None]
            for row in range(3):
                residuals[:, row] += np.bincount(block, weighted[row], self._n) / count
                for col in range(row + 1):
                    products[:, row, col] += np.bincount(block, squares[row, col], self._n) / count
        return total, self._assembled(products, residuals)

    def _warped(self, mri: Volume, moved: Field) -> Pixels:
        """The MRI on the ultrasound's grid."""
        index = apply(np.asarray(np.linalg.inv(mri.affine), np.float64) @ self._back, moved).T
        values = ndimage.map_coordinates(mri.pixels, index, order=1, cval=np.nan, output=np.float32)
        return np.asarray(values.reshape(self._us.pixels.shape), np.float32)

    def _assembled(self, products: Field, residuals: Field) -> tuple[Field, Field]:
        """The blocks' sums in the coefficients: (3 splines, 3 splines) and (splines, 3)."""
        basis, products, count = self._basis[self._seen], products[self._seen], self._basis.shape[1]
        matrix = np.empty((count, 3, count, 3))
        for row in range(3):
            for col in range(row + 1):
                part = basis.T @ (products[:, row, col, None] * basis)
                matrix[:, row, :, col] = matrix[:, col, :, row] = part
        return matrix.reshape(3 * count, 3 * count), self._basis.T @ residuals


def _step(products: Field, residuals: Field, at: Field, stiff: Field, damping: float) -> Field:
    """One step of the coefficients."""
    whole = products + STIFFNESS * np.kron(stiff, np.eye(3))
    whole[np.diag_indices_from(whole)] += damping * np.trace(whole) / len(whole)
    step = np.linalg.solve(whole, (residuals - STIFFNESS * stiff @ at).ravel()).reshape(-1, 3)
    return np.asarray(step, np.float64)


def _slope(image: Pixels, at: tuple[NDArray[np.intp], ...]) -> NDArray[np.float32]:
    """Central differences along (k, j, i) a voxel, (3, voxels), at voxels that are none of the border's."""
    found = []
    for axis in range(3):
        ahead, behind = list(at), list(at)
        ahead[axis], behind[axis] = at[axis] + 1, at[axis] - 1
        found.append((image[tuple(ahead)] - image[tuple(behind)]) / 2)
    return np.asarray(found, np.float32)
