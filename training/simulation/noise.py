"""Smooth random fields: random coefficients on a coarse grid of cubic B-splines (twice differentiable, cheap)."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Field = NDArray[np.float32]

# Mean square of a cubic B-spline sampled at random offsets (151/315): one factor an axis makes the variance one.
_MEAN_SQUARE = 151.0 / 315.0


def smooth_noise(rng: np.random.Generator, axes: tuple[Field, ...], correlation_mm: tuple[float, ...] | float) -> Field:
    """Zero-mean, unit-variance smooth noise on a separable grid.

    Args:
        rng: source of randomness.
        axes: one increasing coordinate vector (mm) for each dimension.
        correlation_mm: distance between spline knots, the same for all axes or one for each.

    Returns:
        float32 array of shape ``tuple(len(a) for a in axes)``.
    """
    knots = (correlation_mm,) * len(axes) if isinstance(correlation_mm, float) else correlation_mm
    bases = [_spline_basis(axis, knot) for axis, knot in zip(axes, knots, strict=True)]
    field = rng.standard_normal([basis.shape[1] for basis in bases], dtype=np.float32)
    for basis in bases:  # each pass expands the leading axis and moves it to the end
        expanded = basis @ field.reshape(field.shape[0], -1)
        field = np.moveaxis(expanded.reshape(-1, *field.shape[1:]), 0, -1)
    return np.ascontiguousarray(field / np.float32(_MEAN_SQUARE ** (len(axes) / 2)))


def _spline_basis(axis: Field, knot_mm: float) -> sparse.csr_array:
    """Matrix (samples, knots) of cubic B-spline weights for the coordinates of one axis; sparse, and free of BLAS."""
    position = (axis - axis[0]) / knot_mm + 1.0
    knots = np.arange(int(np.ceil(position[-1])) + 3)
    distance = np.abs(position[:, None] - knots[None, :])
    near = (4.0 - 6.0 * distance**2 + 3.0 * distance**3) / 6.0
    far = np.clip(2.0 - distance, 0.0, None) ** 3 / 6.0
    return sparse.csr_array(np.where(distance < 1.0, near, far).astype(np.float32))
