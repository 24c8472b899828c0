"""The baseline that a network must beat: a threshold on the smoothed frame, tuned on the training patients."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import IusError
from inference.outcome import above
from training.evaluation.metrics import score
from training.io.progress import Bar
from training.slicing.size_bands import MIN_RELIABLE_MM2
from training.slicing.slices import SliceRow, read_slice, read_tumour

SIGMAS_MM = (0.5, 1.0, 2.0, 3.0)
LEVELS = tuple(float(level) for level in np.arange(-1.5, 3.01, 0.25))
TUNING_SLICES = 200


class TuningError(IusError):
    """There are no slices to tune a threshold on."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A frame smoothed inside its sector, standardised there, and cut at one level.

    Attributes:
        sigma_mm: standard deviation of the Gaussian.
        level: distance from the mean of the smoothed sector, in its standard deviations.
        brighter: True takes pixels above the level, False pixels below.
        largest: keep only the largest component.
    """

    sigma_mm: float
    level: float
    brighter: bool
    largest: bool

    def segment(self, image: NDArray[np.float32], row: SliceRow) -> NDArray[np.bool_]:
        """The mask of one slice, (rows, cols)."""
        return self.cut(standardised(image, row, self.sigma_mm))

    def cut(self, z: NDArray[np.float32]) -> NDArray[np.bool_]:
        """The mask of an image from `standardised`; NaN is outside the sector."""
        mask = z > self.level if self.brighter else z < self.level
        return largest_component(mask) if self.largest else mask


def standardised(image: NDArray[np.float32], row: SliceRow, sigma_mm: float) -> NDArray[np.float32]:
    """The image smoothed and standardised inside its sector (non-zero pixels); NaN outside."""
    inside = image != 0
    if not inside.any():
        return np.full(image.shape, np.nan, np.float32)
    weight = _smoothed(inside.astype(np.float32), row, sigma_mm)
    smooth = _smoothed(image, row, sigma_mm) / np.maximum(weight, 1e-6)
    values = smooth[inside]
    z = (smooth - values.mean()) / max(float(values.std()), 1e-6)
    return np.where(inside, z, np.nan).astype(np.float32)


def _smoothed(image: NDArray[np.float32], row: SliceRow, sigma_mm: float) -> NDArray[np.float32]:
    """Gaussian blur by the same length in mm along both axes."""
    blurred = cv2.GaussianBlur(image, (0, 0), sigmaX=sigma_mm / row.col_mm, sigmaY=sigma_mm / row.row_mm)
    return np.asarray(blurred, np.float32)


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest 8-connected component, or the empty mask."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if len(stats) < 2:
        return mask
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def tune(rows: Sequence[SliceRow], store: Path) -> Threshold:
    """Find the threshold with the highest mean Dice on training slices with more than 200 mm² of tumour.

    At most two hundred slices are used, evenly spread over the table.

    Raises:
        TuningError: if there is no such slice.
    """
    large = [row for row in rows if above(row.area_mm2, MIN_RELIABLE_MM2)]
    if not large:
        raise TuningError(
            f"{store} holds no slice with more than {MIN_RELIABLE_MM2:g} mm² of tumour to tune a threshold on."
        )
    chosen = [large[at] for at in np.unique(np.linspace(0, len(large) - 1, TUNING_SLICES).astype(int))]
    settings = [
        [Threshold(sigma, *rest) for rest in itertools.product(LEVELS, (True, False), (True, False))]
        for sigma in SIGMAS_MM
    ]
    total = np.zeros((len(SIGMAS_MM), len(settings[0])))
    for row in Bar(chosen, desc="tune threshold", unit="slice"):
        image = read_slice(row.image(store))
        true = read_tumour(row.label(store))
        for at, sigma in enumerate(SIGMAS_MM):
            z = standardised(image, row, sigma)
            total[at] += [score(threshold.cut(z), true, 1.0).dice or 0.0 for threshold in settings[at]]
    best = np.unravel_index(int(np.argmax(total)), total.shape)
    return settings[int(best[0])][int(best[1])]
