"""A coarse fingerprint of a picture, which recognises it on another grid or under another name."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray
from scipy import ndimage

SIDE = 12
"""Cells along each axis of the picture's own box."""
CELL_MM = 5.0
"""Side of the cells of the world's lattice."""
ALIKE = 0.95
"""From this correlation on two pictures are the same: no two of nine RESECT volumes reach 0.6, while each volume
resampled to a rotated or finer grid keeps over 0.96 with itself (tests/training/slicing/test_leaks.py)."""
_READ_AT_MM = 1.0
_MAX_CELLS = 4e6
"""Volumes larger than any ultrasound are subsampled, so that memory stays bounded."""
_SMOOTHING = 1.5
_MIN_CELLS, _MIN_SHARE = 64, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """Mean grey values of a picture in coarse cells; cells outside the sector are left out.

    Attributes:
        box: by cell of the picture's own bounding box, which needs no header.
        world: by cell of a lattice in the world, which a resampled or cropped picture keeps.
    """

    box: dict[int, float]
    world: dict[int, float]

    def likeness(self, other: "Fingerprint") -> float:
        """Correlation of the cells that both have, the better of the two lattices; 0 where too few are shared."""
        return max(_correlation(self.box, other.box), _correlation(self.world, other.world))


def fingerprint(image: sitk.Image) -> Fingerprint:
    """Take a volume's fingerprint, or a 2D picture's.

    Args:
        image: exactly 0 outside the sector.
    """
    geometry = list(zip(image.GetSize(), image.GetSpacing(), strict=True))
    extent = float(np.prod([n * mm for n, mm in geometry]))
    read_at = max(_READ_AT_MM, (extent / _MAX_CELLS) ** (1 / len(geometry)))
    factors = [min(n, max(1, round(read_at / mm))) for n, mm in geometry]
    small = sitk.BinShrink(sitk.Cast(image, sitk.sitkFloat32), factors)
    pixels = sitk.GetArrayViewFromImage(small)
    # Leave out the sector's rim, where resampling mixes the picture with the outside.
    index = np.argwhere(ndimage.binary_erosion(ndimage.binary_fill_holes(pixels != 0), iterations=3))
    if len(index) == 0:
        return Fingerprint({}, {})
    grey = ndimage.gaussian_filter(pixels, _SMOOTHING)[tuple(index.T)]
    # Percentiles, since a single stray voxel would otherwise shift the box and all its cells.
    low, high = np.percentile(index, (1, 99), axis=0)
    cells = np.floor((index - low) * SIDE / np.maximum(high - low, 1)).astype(np.int64)
    within = ((cells >= 0) & (cells < SIDE)).all(axis=1)
    box = _means(cells[within], grey[within])
    if image.GetDimension() == 2:
        return Fingerprint(box, {})
    matrix = np.array(small.GetDirection()).reshape(3, 3) * small.GetSpacing()
    world = index[:, ::-1] @ matrix.T + small.GetOrigin()
    return Fingerprint(box, _means(np.floor(world / CELL_MM).astype(np.int64) + 512, grey))


def _means(cells: NDArray[np.int64], grey: NDArray[np.float32]) -> dict[int, float]:
    """The mean grey value of each cell, without cells at the edge that are less than half full."""
    numbers = cells @ (1024 ** np.arange(cells.shape[1]))
    keys, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, grey) / counts
    full = counts >= counts.mean() / 2
    return dict(zip(keys[full].tolist(), means[full].tolist(), strict=True))


def _correlation(one: dict[int, float], other: dict[int, float]) -> float:
    """Pearson's, over the cells that both have."""
    shared = sorted(one.keys() & other.keys())
    if len(shared) < max(_MIN_CELLS, _MIN_SHARE * min(len(one), len(other))):
        return 0.0
    values = np.array([[cells[key] for key in shared] for cells in (one, other)])
    if (values.std(axis=1) == 0).any():
        return 0.0
    return float(np.corrcoef(values)[0, 1])
