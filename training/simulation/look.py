"""What else is bright or dark in a real brain beside a tumour: curves, plexus, streaked white matter, glints."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulation.noise import Field, smooth_noise
from training.simulation.tissue import Box, Maps, Tissue

_CURVE, _PLEXUS = 3.0, 1.6
_CLEAR_MM = 2.0


@dataclass(frozen=True, slots=True)
class Look:
    """How a brain looks. The defaults are the plain cohorts'; lengths in mm, levels in dB."""

    regional_db: float = 1.5
    streaks: float = 1.0
    """Factor on the streaks of white matter."""
    sulcus_mm: float = 0.38
    """Half the thickness of a sulcus."""
    sulcus_reach: float = 1.0
    """Factor on how deep sulci run."""
    glint: float = 0.0
    """Amount of bright specks."""
    curves: int = 0
    """Falx, skull or tentorium within the picture."""
    plexuses: int = 0
    """Bright bodies that are no tumour."""
    patches: int = 0
    """Regions of white matter as bright as a tumour, with its streaks and sulci."""


PLAIN = Look()


def draw_look(rng: np.random.Generator) -> Look:
    """Draw how the brain of a patient of a hard cohort looks."""
    return Look(
        regional_db=float(rng.uniform(1.0, 2.6)),
        streaks=float(rng.uniform(0.3, 1.5)),
        sulcus_mm=float(rng.uniform(0.22, 0.42)),
        sulcus_reach=float(rng.uniform(0.9, 1.7)),
        glint=float(rng.uniform(0.0, 1.0)),
        curves=int(rng.choice(3, p=(0.45, 0.4, 0.15))),
        plexuses=int(rng.choice(4, p=(0.5, 0.25, 0.15, 0.1))),
        patches=int(rng.choice(3, p=(0.6, 0.3, 0.1))),
    )


def glints(rng: np.random.Generator, axes: tuple[Field, ...], maps: Maps, look: Look) -> Field:
    """Power of bright specks, many in the depth of the white matter and none in fluid."""
    specks = np.clip(smooth_noise(rng, axes, (0.9, 0.6, 0.9)) - 1.9, 0.0, 1.5)
    crowd = np.clip(smooth_noise(rng, axes, 12.0) + 0.3, 0.0, 2.0)
    return np.asarray(0.25 * look.glint * specks * crowd * (1.0 - maps.fluid), dtype=np.float32)


def add_curves(
    rng: np.random.Generator, tissue: Tissue, box: Box, look: Look, centre: NDArray[np.float64], radius_mm: float
) -> Field:
    """Draw falx, skull or tentorium as bright sheets around the tumour's place, with little behind a bony one.

    Returns:
        Distance from the nearest of them, mm, positive on the tumour's side.
    """
    axes = (box.y, box.z, box.x)
    free = np.full(tissue.power.shape, 1e3, np.float32)
    y, z, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    for _ in range(look.curves):
        away = rng.normal(size=3) * np.array([1.0, 0.4, 1.0])
        away = away / np.linalg.norm(away)
        away[2] = abs(away[2]) if rng.random() < 0.8 else 0.0
        bony = rng.random() < 0.5
        bend = float(np.exp(rng.uniform(np.log(35.0), np.log(400.0))))
        near = radius_mm * rng.uniform(0.8, 1.2) + (rng.uniform(8.0, 22.0) if bony else rng.uniform(1.0, 16.0))
        middle = centre + away * (near - bend)
        inside = bend - np.sqrt((x - middle[0]) ** 2 + (y - middle[1]) ** 2 + (z - middle[2]) ** 2)
        inside = (inside + 1.5 * smooth_noise(rng, axes, 14.0)).astype(np.float32)
        half = rng.uniform(0.8, 2.2) if bony else rng.uniform(0.3, 0.7)
        share = np.exp(-((inside / half) ** 2)) * np.clip(0.8 + 0.5 * smooth_noise(rng, axes, 6.0), 0.0, 1.3)
        tissue.power += (_CURVE * share).astype(np.float32)
        tissue.attenuation += ((2.0 if bony else 0.5) * share).astype(np.float32)
        tissue.impedance += ((0.08 if bony else 0.03) * share).astype(np.float32)
        if bony:
            tissue.power *= np.where(inside < -half, np.float32(rng.uniform(0.05, 0.6)), np.float32(1.0))
        free = np.minimum(free, inside - np.float32(half))
    return free


def add_bodies(rng: np.random.Generator, tissue: Tissue, box: Box, maps: Maps, look: Look) -> None:
    """Draw bright bodies and bright white matter outside of the tumour, in place."""
    axes = (box.y, box.z, box.x)
    clear = 0.5 - 0.5 * np.tanh((tissue.tumour + _CLEAR_MM) / 0.7)
    for _ in range(look.patches):
        share = _step(_blob(rng, box, (6.0, 14.0)) / rng.uniform(2.0, 4.0)) * clear * maps.white
        tissue.power *= (10.0 ** (rng.uniform(2.5, 6.5) * share / 10.0)).astype(np.float32)
    for _ in range(look.plexuses):
        share = _step(_blob(rng, box, (1.5, 5.0)) / 0.4) * clear
        texture = 10.0 ** (0.2 * smooth_noise(rng, axes, 1.2))
        tissue.power += (_PLEXUS * float(np.exp(rng.uniform(-2.0, 0.7))) * share * texture).astype(np.float32)
        tissue.attenuation += (rng.uniform(0.0, 3.0) * share).astype(np.float32)


def _blob(rng: np.random.Generator, box: Box, radii: tuple[float, float]) -> Field:
    """Distance inside a random ellipsoid somewhere in the picture, mm."""
    axes = (box.y, box.z, box.x)
    y, z, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    at = rng.uniform((-20.0, 12.0, -22.0), (20.0, 55.0, 22.0))
    stretch = np.exp(rng.normal(0.0, 0.35, 3))
    distance = np.sqrt(sum(((a - c) / s) ** 2 for a, c, s in zip((y, z, x), at, stretch, strict=True)))
    radius = rng.uniform(*radii)
    return np.asarray(radius * (1.0 + 0.25 * smooth_noise(rng, axes, 5.0)) - distance, dtype=np.float32)


def _step(value: Field) -> Field:
    return np.asarray(0.5 + 0.5 * np.tanh(value), dtype=np.float32)
