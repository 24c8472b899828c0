"""From the MRI's world to the ultrasound's: a rigid navigation error, then brain shift."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.registration.transforms import Matrix, apply, rigid
from training.simulation.label_error import NAVIGATION_DEG, NAVIGATION_MM, Imperfection
from training.simulation.noise import Field, smooth_noise
from training.simulation.tissue import Box

_STEP_MM, _MARGIN_MM = 4.0, 24.0
_SAG_WIDTH_MM, _SAG_DEPTH_MM, _SAG_TILT = 30.0, 40.0, 0.3
_WANDER_MM = 30.0
_SEEN_MM = ((-20.0, 20.0), (0.0, 60.0), (-25.0, 25.0))  # about what a probe sees: y, z, x
_INVERSE_STEPS = 12

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Displacement:
    """Where a point of the MRI lies during surgery: the navigation error, then brain shift.

    Attributes:
        navigation: MRI world to ultrasound world, RAS mm: the truth that a rigid registration looks for.
        box: the frame of the brain shift.
        axes: y, z, x of its coarse grid, mm.
        shift: along x, y and z, mm; (3, y, z, x), in the box's frame.
    """

    navigation: Matrix
    box: Box
    axes: tuple[Field, Field, Field]
    shift: Field

    def in_box(self, mri: Points) -> Points:
        """Where MRI points (n, 3), RAS mm, lie during surgery, in the box's frame."""
        before = apply(np.linalg.inv(self.box.to_ras) @ self.navigation, mri)
        return before + self._shift_at(before)

    def to_mri(self, in_box: Points) -> Points:
        """The inverse of `in_box`, by fixed-point iteration: the shift changes by far less than a mm over a mm."""
        before = in_box.copy()
        for _ in range(_INVERSE_STEPS):
            before = in_box - self._shift_at(before)
        return apply(np.linalg.inv(self.navigation) @ self.box.to_ras, before)

    def size_mm(self, in_box: Points) -> NDArray[np.float64]:
        """How far brain shift moved what lies at these points now."""
        before = apply(np.linalg.inv(self.box.to_ras) @ self.navigation, self.to_mri(in_box))
        return np.asarray(np.linalg.norm(in_box - before, axis=1))

    def _shift_at(self, points: Points) -> Points:
        index = [(points[:, at] - axis[0]) / _STEP_MM for at, axis in zip((1, 2, 0), self.axes, strict=True)]
        parts = [ndimage.map_coordinates(part, index, order=1, mode="nearest") for part in self.shift]
        return np.stack(parts, axis=1).astype(np.float64)


def draw_displacement(
    rng: np.random.Generator, box: Box, centre: NDArray[np.float64], level: Imperfection
) -> Displacement:
    """Draw one; equal draws for every level, so that levels differ in size only.

    Args:
        rng: of the patient's MRI.
        box: the patient's.
        centre: of the tumour, in the box's frame, mm.
        level: how much.
    """
    turn_about = apply(box.to_ras, centre[None])[0]
    offset = _direction(rng) * rng.uniform(*NAVIGATION_MM)
    turn = _direction(rng) * np.radians(rng.uniform(*NAVIGATION_DEG))
    navigation = rigid(np.concatenate([offset, turn]), turn_about)
    axes = tuple(_coarse(axis) for axis in (box.y, box.z, box.x))
    y, z, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    down = np.array([0.0, 0.0, 1.0]) + _SAG_TILT * rng.normal(size=3)
    sag = np.exp(-(x**2 + y**2) / (2 * _SAG_WIDTH_MM**2) - np.maximum(z, 0.0) / _SAG_DEPTH_MM)
    wander = np.stack([smooth_noise(rng, axes, _WANDER_MM) for _ in range(3)])
    shift = level.sag_mm * sag * (down / np.linalg.norm(down))[:, None, None, None] + level.wander_mm * wander
    # Its mean would be one more navigation error, which the rigid truth then lacked.
    seen = (slice(None), *(_within(axis, *span) for axis, span in zip(axes, _SEEN_MM, strict=True)))
    shift -= shift[seen].mean(axis=(1, 2, 3), keepdims=True)
    return Displacement(navigation, box, axes, shift.astype(np.float32))  # type: ignore[arg-type]


def _within(axis: Field, low: float, high: float) -> slice:
    return slice(*np.searchsorted(axis, (low, high)))


def _coarse(axis: Field) -> Field:
    """A coarse axis that reaches beyond the box."""
    return np.arange(axis[0] - _MARGIN_MM, axis[-1] + _MARGIN_MM + _STEP_MM, _STEP_MM, dtype=np.float32)


def _direction(rng: np.random.Generator) -> NDArray[np.float64]:
    direction = rng.normal(size=3)
    return np.asarray(direction / np.linalg.norm(direction))
