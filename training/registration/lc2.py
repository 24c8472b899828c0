"""LC2, linear correlation of linear combination (Wein et al. 2013; Fuerst et al. 2014), by box filters.

In every patch P the ultrasound is fitted by least squares as a sum of the MRI channels (each MRI and its gradient
magnitude) and a constant; s(P) = 1 − Var(US − fit) / Var(US), w(P) = √Var(US), LC2 = Σ w s / Σ w. A patch is centred on
every voxel.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.registration.volume import Mask, Pixels

_LEAST_VARIANCE = 1e-12
_LEAST_SHARE = 1e-6
"""If less than this share of a channel's variance is left in a patch, the rest is rounding: it repeats the others."""

Statistic = NDArray[np.float64]


def lc2(us: Pixels, mask: Mask, channels: list[Pixels], size: int) -> float:
    """LC2 of ultrasound and MRI channels on one grid: 1 with a perfect linear relation in every patch, 0 with none.

    Args:
        us: ultrasound, (k, j, i).
        mask: the voxels of it that count.
        channels: MRI intensities and gradient magnitudes on the same grid; NaN where there is no MRI.
        size: side of a patch, voxels, odd.

    Returns:
        0 to 1; 0 if no patch has more than half of its voxels in the mask and in the MRI.
    """
    valid = mask & np.isfinite(sum(channels))
    if not valid.any():
        return 0.0
    images = [_standardised(image, valid) for image in (us, *channels)]
    centred = _covariances(images, _box(valid.astype(np.float64), size), size)
    variance = np.maximum(centred[0][0], 0.0)
    weight = np.sqrt(variance) * (variance > _LEAST_VARIANCE)
    total = float(weight.sum())
    if total == 0:
        return 0.0
    explained = _explained(centred)
    share = np.divide(explained, variance, out=np.zeros_like(variance), where=weight > 0)
    return float((weight * np.clip(share, 0.0, 1.0)).sum()) / total


def _standardised(image: Pixels, valid: Mask) -> Statistic:
    """Zero mean and unit variance on the valid voxels, 0 elsewhere: LC2 stays as it is, and rounding small."""
    values = image[valid].astype(np.float64)
    spread = values.std()
    out = np.zeros(image.shape)
    out[valid] = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return out


def _box(image: Statistic, size: int) -> Statistic:
    """Mean over each patch; voxels outside the volume are 0."""
    return np.asarray(ndimage.uniform_filter(image, size, mode="constant"))


def _covariances(images: list[Statistic], share: Statistic, size: int) -> list[list[Statistic]]:
    """Lower triangle of the images' covariances over each patch with enough voxels, (patches,) each.

    Args:
        images: 0 where not valid.
        share: of each patch, how much is valid.
        size: side of a patch, voxels.
    """
    # Exact counts, so that half a patch never passes as more than half by rounding.
    enough = np.rint(share * size**3) * 2 > size**3
    valid = share[enough]
    means = [_box(image, size)[enough] / valid for image in images]
    return [
        [_box(images[row] * images[col], size)[enough] / valid - means[row] * means[col] for col in range(row + 1)]
        for row in range(len(images))
    ]


def _explained(covariance: list[list[Statistic]]) -> Statistic:
    """Sᵀ C⁻¹ S: the variance of the first image that the others explain, patch by patch.

    By elimination (LDLᵀ): a channel that repeats earlier ones in a patch adds nothing, instead of dividing by zero.
    """
    channels = range(1, len(covariance))
    own = {at: covariance[at][at] for at in channels}
    left = {(row, col): covariance[row][col] for row in channels for col in range(1, row + 1)}
    shared = {at: covariance[at][0] for at in channels}
    explained = np.zeros_like(covariance[0][0])
    for pivot in channels:
        usable = left[pivot, pivot] > np.maximum(_LEAST_SHARE * own[pivot], _LEAST_VARIANCE)
        inverse = np.divide(1.0, left[pivot, pivot], out=np.zeros_like(explained), where=usable)
        explained += shared[pivot] ** 2 * inverse
        for row in range(pivot + 1, len(covariance)):
            factor = left[row, pivot] * inverse
            shared[row] = shared[row] - factor * shared[pivot]
            for col in range(pivot + 1, row + 1):
                left[row, col] = left[row, col] - factor * left[col, pivot]
    return explained
