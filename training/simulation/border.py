"""A drawn border beside the true one: displaced smoothly, with some of the thin fringes missed."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import norm

from training.simulation.label_error import Reader
from training.simulation.noise import Field, smooth_noise
from training.simulation.tissue import Box


def drawn_border(rng: np.random.Generator, box: Box, tumour: Field, reader: Reader) -> Field:
    """What a reader takes for the tumour, above 0, on the box grid.

    Args:
        rng: of the reader; equal draws for every `reader`, so that levels differ in size only.
        box: the grid.
        tumour: above 0 inside.
        reader: how wrong; without any error the field comes back as it is.
    """
    axes = (box.y, box.z, box.x)
    wander, habit = smooth_noise(rng, axes, reader.correlation_mm), float(rng.standard_normal())
    attention = smooth_noise(rng, axes, reader.correlation_mm)
    if reader.border_mm == reader.habit_mm == reader.missed_share == 0:
        return tumour
    inside = tumour > 0
    field = signed_distance(inside, box.step_mm) + reader.border_mm * wander + reader.habit_mm * habit
    missed = fringes(inside, reader.fringe_mm, box.step_mm) & (attention < norm.ppf(reader.missed_share))
    return np.where(missed, np.float32(-0.5), field).astype(np.float32)


def signed_distance(inside: NDArray[np.bool_], step_mm: float) -> Field:
    """Distance to the border of a mask, mm, positive inside; softened by half a voxel against its steps."""
    if not inside.any():
        return np.full(inside.shape, -np.inf, np.float32)
    distance = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    distance -= 0.5 * np.sign(distance)
    return np.asarray(step_mm * ndimage.gaussian_filter(distance.astype(np.float32), 0.5), np.float32)


def fringes(inside: NDArray[np.bool_], radius_mm: float, step_mm: float) -> NDArray[np.bool_]:
    """What an opening by a ball takes away; nothing where nothing would stay."""
    core = ndimage.distance_transform_edt(inside) * step_mm > radius_mm
    if not core.any():
        return np.zeros_like(inside)
    return np.asarray(inside & (ndimage.distance_transform_edt(~core) * step_mm > radius_mm))
