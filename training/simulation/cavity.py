"""A resection cavity: opened from the cortex into the tumour, filled with saline, blood, clot or air."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from training.simulation.noise import Field, smooth_noise
from training.simulation.tissue import Box, Tissue

_LEAST_LEFT = 0.15
"""Of the tumour: below that nothing is cut, since the picture would show none."""


class Content(StrEnum):
    """What fills a cavity."""

    SALINE = "saline"
    BLOOD = "blood"
    CLOT = "clot"
    AIR = "air"


@dataclass(frozen=True, slots=True)
class Filling:
    """Acoustics of a content: backscatter power, its unevenness (dB), attenuation against brain's."""

    power: float
    uneven_db: float
    attenuation: float


_FILLINGS = {
    Content.SALINE: Filling(0.0004, 0.5, 0.02),
    Content.BLOOD: Filling(0.006, 1.0, 0.2),
    Content.CLOT: Filling(0.06, 4.0, 0.8),
    Content.AIR: Filling(0.02, 2.0, 9.0),
}


@dataclass(frozen=True, slots=True)
class Cavity:
    """Drawn for a patient who has been operated on. Lengths in mm."""

    content: Content
    radius_mm: float
    depth: float
    """How far towards the tumour's centre it reaches, 1 at the centre."""
    rim_db: float


def draw_cavity(rng: np.random.Generator, radius_mm: float, share: float) -> Cavity | None:
    """A cavity in a tumour of this radius, in a share of the patients."""
    if rng.random() > share:
        return None
    contents = list(Content)
    return Cavity(
        content=contents[int(rng.choice(4, p=(0.4, 0.25, 0.2, 0.15)))],
        radius_mm=float(rng.uniform(0.45, 0.8) * radius_mm),
        depth=float(rng.uniform(0.3, 1.0)),
        rim_db=float(rng.uniform(3.0, 11.0)),
    )


def add_cavity(rng: np.random.Generator, tissue: Tissue, box: Box, cavity: Cavity, centre: NDArray[np.float64]) -> None:
    """Cut it out of the tumour and fill it, in place; what is left of the tumour stays the truth."""
    axes = (box.y, box.z, box.x)
    y, z, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    end = np.array([centre[0], centre[1], centre[2] * cavity.depth])
    start = np.array([centre[0] * 0.6, centre[1], -4.0])
    along = end - start
    length = float(along @ along)
    part = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1] + (z - start[2]) * along[2]) / length, 0, 1)
    gap = [p - (s + part * a) for p, s, a in zip((x, y, z), start, along, strict=True)]
    hole = cavity.radius_mm * (0.55 + 0.45 * part) - np.sqrt(sum(np.square(g) for g in gap))
    hole = (hole + 0.25 * cavity.radius_mm * smooth_noise(rng, axes, 6.0)).astype(np.float32)
    left = np.minimum(tissue.tumour, -hole - 0.8)
    if (left > 0).sum() < _LEAST_LEFT * (tissue.tumour > 0).sum():
        return
    filling = _FILLINGS[cavity.content]
    share = _step(hole / 0.4)
    inside = filling.power * 10.0 ** (filling.uneven_db * smooth_noise(rng, axes, 1.8) / 10.0)
    rim = np.exp(-(((hole + 0.6) / 0.7) ** 2)) * np.clip(0.6 + 0.5 * smooth_noise(rng, axes, 5.0), 0.0, 1.2)
    power = np.exp(np.log(tissue.power) * (1.0 - share) + np.log(inside) * share)
    tissue.power = (power * 10.0 ** (cavity.rim_db * rim / 10.0)).astype(np.float32)
    tissue.attenuation = (tissue.attenuation * (1.0 - share) + filling.attenuation * share).astype(np.float32)
    tissue.impedance += ((0.15 if cavity.content is Content.AIR else 0.03) * share).astype(np.float32)
    tissue.tumour, tissue.cavity = left.astype(np.float32), hole


def _step(value: Field) -> Field:
    return np.asarray(0.5 + 0.5 * np.tanh(value), dtype=np.float32)
