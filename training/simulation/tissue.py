"""What a patient is made of, on a grid: the box that the probe sees, template maps, acoustic fields.

Box frame, mm: x lateral, y elevation, z depth below the middle of the probe's face. Arrays are indexed (y, z, x).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulation.noise import Field


@dataclass(frozen=True, slots=True)
class Box:
    """The visible box: grid axes in mm and its pose in RAS space (`to_ras @ (x, y, z, 1)`)."""

    x: Field
    y: Field
    z: Field
    to_ras: NDArray[np.float64]

    @property
    def step_mm(self) -> float:
        """Grid step, equal on all axes."""
        return float(self.x[1] - self.x[0])

    def index(self, x: Field, y: Field, z: Field) -> NDArray[np.float32]:
        """Array coordinates (3, ...) in (y, z, x) order of points given in mm."""
        return np.stack(
            [(y - self.y[0]) / self.step_mm, (z - self.z[0]) / self.step_mm, (x - self.x[0]) / self.step_mm]
        )


@dataclass(slots=True)
class Tissue:
    """Acoustic fields on the box grid, all (y, z, x) float32."""

    power: Field
    """Backscatter power."""
    attenuation: Field
    """Relative to the scanner's value for brain: 1 is brain."""
    impedance: Field
    """Relative to brain's: 0 is brain; a jump makes an echo where the beam meets it squarely."""
    tumour: Field
    """Signed distance-like field, mm, positive inside the tumour and its cysts."""
    cavity: Field | None = None
    """The same of the resection cavity; None where nothing was resected. No voxel is inside both."""


@dataclass(frozen=True, slots=True)
class Maps:
    """Template maps sampled on the box grid: tissue shares, depth below the hull, distance to the midline."""

    white: Field
    grey: Field
    fluid: Field
    depth: Field
    midline: Field
    ventricle: Field
    falx: Field
    choroid: Field
