"""Ultrasound and MRI prepared for one resolution, and how alike they are under a transform."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from scipy import ndimage

from training.registration.lc2 import lc2
from training.registration.mapping import Mapping, warped
from training.registration.mind import REACH, mind_ssc, similarity
from training.registration.volume import Mask, Volume, box, coarser, cropped, gradient_magnitude, smoothed

MIND_EROSION_MM = 4.0
"""How far from the sector's edge descriptors are used: closer ones would describe the edge itself."""


class Similarity(Protocol):
    """How alike ultrasound and MRI are under a matrix or a deformation; more is better."""

    def __call__(self, mapping: Mapping) -> float:
        """The similarity."""


class Lc2Similarity:
    """LC2 at one resolution; each MRI gives its intensity and its gradient magnitude, taken before warping.

    Args:
        us: ultrasound; 0 outside the sector.
        mris: MRI volumes in one world.
        side_mm: voxel side.
        patch: side of a patch, voxels.
    """

    def __init__(self, us: Volume, mris: Sequence[Volume], side_mm: float, patch: int) -> None:
        coarse, mask = coarser(us, side_mm, us.pixels > 0)
        part = box(mask, 0)
        self._us, self._mask, self._patch = cropped(coarse, part), mask[part], patch
        images = [smoothed(mri, side_mm) for mri in mris]
        self._channels = [channel for image in images for channel in (image, gradient_magnitude(image))]

    def __call__(self, mapping: Mapping) -> float:
        """LC2, 0 to 1."""
        there = [warped(channel, self._us, mapping) for channel in self._channels]
        return lc2(self._us.pixels, self._mask, there, self._patch)


class MindSimilarity:
    """MIND-SSC at one resolution, the mean over several MRI volumes; the MRI is described after warping.

    Args:
        us: ultrasound; 0 outside the sector.
        mris: MRI volumes in one world.
        side_mm: voxel side.
    """

    def __init__(self, us: Volume, mris: Sequence[Volume], side_mm: float) -> None:
        coarse, mask = coarser(us, side_mm, us.pixels > 0)
        mask = eroded(mask, MIND_EROSION_MM / side_mm)
        part = box(mask, REACH)
        self._us, self._mask = cropped(coarse, part), mask[part]
        self._described = mind_ssc(coarse.pixels)[(slice(None), *part)]
        self._mris = [smoothed(mri, side_mm) for mri in mris]

    def __call__(self, mapping: Mapping) -> float:
        """1 − mean squared difference where there is MRI."""
        return float(np.mean([self._of(mri, mapping) for mri in self._mris]))

    def _of(self, mri: Volume, mapping: Mapping) -> float:
        there = warped(mri, self._us, mapping)
        missing = np.isnan(there)
        where = self._mask
        if missing.any():
            where = where & ~ndimage.maximum_filter(missing, 2 * REACH + 1, mode="constant")
        if not where.any():
            return 0.0
        return similarity(self._described[:, where], mind_ssc(np.nan_to_num(there), where=where))


def eroded(mask: Mask, voxels: float) -> Mask:
    """The voxels that are at least so many voxels from anything outside the mask, or from the volume's border."""
    distance = ndimage.distance_transform_edt(np.pad(mask, 1))
    return np.asarray(distance[1:-1, 1:-1, 1:-1] > voxels)
