"""The appearance of a volume, apart from what it shows: grey levels, and how its texture is spread over frequencies.

A simulated volume takes over a recorded one's and keeps its own anatomy, so its labels stay true. Frequencies are
matched on levels that are normally distributed, then the levels themselves; twice, since the second undoes a little of
the first, as surrogate data are made (Schreiber and Schmitz, Phys Rev Lett 1996, doi 10.1103/PhysRevLett.77.635).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.stats import norm

from training.simulation import CohortError
from training.simulation.noise import Field

LEVELS = 256
RING = 0.05
"""Width of a ring of frequencies, cycles/mm."""
SHOWN = 2
"""Rings that are left alone: what is larger than 10 mm is anatomy, and how bright a tumour is in it."""
MOST = 4.0
"""A ring is raised or lowered by this factor at most: where one volume has next to nothing, it would be noise."""
FADE_MM = 3.0
ROUNDS = 2
_SHARES = (np.arange(LEVELS) + 0.5) / LEVELS
_LEAST_VOXELS = 1000

Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Appearance:
    """How a volume looks inside its sector, where it is greater than 0.

    Attributes:
        levels: 256 quantiles of its grey values, ascending.
        power: power of its normally distributed levels, for a voxel of the sector, mm³: one value a ring of 0.05
            cycles/mm, up to the lowest of the three Nyquist frequencies.
    """

    levels: NDArray[np.float64]
    power: NDArray[np.float64]


def appearance_of(pixels: Field, spacing: Spacing) -> Appearance:
    """The appearance of a volume.

    Args:
        pixels: grey values, 0 outside the sector.
        spacing: mm between voxels, in the order of the axes.

    Raises:
        CohortError: if hardly anything is greater than 0.
    """
    sector, grey = _Sector(pixels, spacing), pixels[pixels > 0]
    return Appearance(np.quantile(grey, _SHARES), sector.power(_normal(grey)))


def with_appearance(pixels: Field, spacing: Spacing, wanted: Appearance) -> Field:
    """The same volume with another appearance, float32; outside the sector it stays 0.

    Raises:
        CohortError: if hardly anything is greater than 0.
    """
    sector, inside = _Sector(pixels, spacing), pixels > 0
    normal = _normal(pixels[inside])
    for _ in range(ROUNDS):
        normal = _normal(sector.weighed(normal, wanted.power))
    shown = np.zeros(pixels.shape, np.float32)
    shown[inside] = np.interp(norm.cdf(normal), _SHARES, wanted.levels)
    return shown


def _normal(values: Field) -> Field:
    """Values by their order, normally distributed; equal ones stay equal."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    share = (np.cumsum(counts) - 0.5 * counts) / counts.sum()
    return np.asarray(norm.ppf(share)[place], np.float32)


class _Sector:
    """The voxels above 0 of a volume, and the frequencies of what stands in them.

    Beyond their border they go on, mirrored, and fade: a step there would be sharpened to a bright rim.
    """

    def __init__(self, pixels: Field, spacing: Spacing) -> None:
        margin = [(int(np.ceil(2 * FADE_MM / side)),) * 2 for side in spacing]  # the spectrum joins opposite sides
        self._inside: NDArray[np.bool_] = np.pad(pixels > 0, margin)
        if np.count_nonzero(self._inside) < _LEAST_VOXELS:
            raise CohortError("A volume has next to no voxel above 0: it has no appearance.")
        away, nearest = ndimage.distance_transform_edt(~self._inside, spacing, return_indices=True)
        limits = np.array(self._inside.shape).reshape(-1, 1, 1, 1)
        mirror = np.clip(2 * nearest - np.indices(self._inside.shape, np.int32), 0, limits - 1)
        self._mirror = tuple(np.where(self._inside[tuple(mirror)], mirror, nearest))
        self._fade = np.exp(-np.square(away / FADE_MM)).astype(np.float32)
        axes = [fft.fftfreq(count, side) for count, side in zip(self._inside.shape, spacing, strict=True)]
        axes[-1] = fft.rfftfreq(self._inside.shape[-1], spacing[-1])
        k, j, i = np.meshgrid(*axes, indexing="ij", sparse=True)
        self._rings = (np.sqrt(k * k + j * j + i * i) / RING).astype(np.float32)
        self._voxel_mm3 = float(np.prod(spacing))
        self._known = max(SHOWN + 1, int(0.5 / max(spacing) / RING))

    def power(self, values: Field) -> NDArray[np.float64]:
        """Power of the sector's values by frequency, as `Appearance` has it."""
        return self._power(self._spectrum(values))

    def weighed(self, values: Field, wanted: NDArray[np.float64]) -> Field:
        """The sector's values with that power; at frequencies that one of both volumes lacks, changed as the last."""
        spectrum = self._spectrum(values)
        own = self._power(spectrum)
        common = min(len(own), len(wanted))
        factor = np.clip(np.sqrt(wanted[:common] / np.maximum(own[:common], 1e-12)), 1 / MOST, MOST)
        factor[:SHOWN] = 1.0
        factors = np.interp(self._rings, np.arange(common) + 0.5, factor).astype(np.float32)
        weighed: Field = fft.irfftn(spectrum * factors, self._inside.shape)[self._inside]
        return weighed

    def _spectrum(self, values: Field) -> NDArray[np.complex64]:
        whole = np.zeros(self._inside.shape, np.float32)
        whole[self._inside] = values
        spectrum: NDArray[np.complex64] = fft.rfftn(whole[self._mirror] * self._fade)
        return spectrum

    def _power(self, spectrum: NDArray[np.complex64]) -> NDArray[np.float64]:
        number = self._rings.astype(np.int64).ravel()
        total = np.bincount(number, np.square(np.abs(spectrum)).ravel())
        power = total / np.maximum(np.bincount(number), 1)
        return np.asarray(power[: self._known] * self._voxel_mm3 / np.count_nonzero(self._inside), np.float64)
