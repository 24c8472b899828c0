"""The scanner's grey map: echo level (dB) to grey, set as an operator does, by gain, dynamic range and curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from training.simulation.artefacts import Artefacts, bent
from training.simulation.noise import Field
from training.simulation.parameters import BRIGHT_IMAGE, DARK_IMAGE

PERCENTILES = (5.0, 25.0, 50.0, 75.0, 95.0, 99.0)
_WHITEST = 178.0  # maxima of the nine real volumes: 161 to 190
_TABLE = 2048


@dataclass(frozen=True, slots=True)
class GreyMap:
    """Monotone curve from dB to grey 1..255, tabulated between two levels. 0 is kept for outside the sector."""

    low_db: float
    high_db: float
    table: Field

    def apply(self, level_db: Field) -> NDArray[np.uint8]:
        """Grey of each sample."""
        scale = (len(self.table) - 1) / (self.high_db - self.low_db)
        index = np.clip((level_db - self.low_db) * scale, 0, len(self.table) - 1).astype(np.int32)
        return np.asarray(self.table.astype(np.uint8)[index])


def fit_grey_map(samples_db: Field, brightness: float, artefacts: Artefacts | None = None) -> GreyMap:
    """The curve that gives these in-sector samples the grey levels of a dark (0) to bright (1) real image."""
    levels = np.percentile(samples_db, (0.1, *PERCENTILES, 99.98)).astype(np.float64)
    target = np.array(DARK_IMAGE) * (1.0 - brightness) + np.array(BRIGHT_IMAGE) * brightness
    if artefacts is not None:
        target = bent(target, artefacts)
    grey = np.concatenate([[1.0], target, [_WHITEST]])
    curve = PchipInterpolator(levels, grey)
    table = curve(np.linspace(levels[0], levels[-1], _TABLE))
    return GreyMap(float(levels[0]), float(levels[-1]), np.clip(np.round(table), 1, 255).astype(np.float32))
