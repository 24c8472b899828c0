"""How far a carried-over tumour stands out in the ultrasound from what is around it."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.registration.volume import Volume, box, cropped

_SPECKLE_MM = 0.7
"""Standard deviation of the Gaussian that takes the speckle out."""
_INSIDE_MM, _AROUND_MM = 1.0, (1.5, 6.0)
"""How deep in the mask, and from where to where around it, grey values count: its very edge belongs to neither."""
_FEWEST = 50


def contrast(us: Volume, mask: NDArray[np.bool_]) -> float | None:
    """The difference of the mean grey values in a mask and around it, in their pooled standard deviations (Cohen's d).

    Most tumours are brighter or darker than the brain around them, so a mask beside its tumour has little of it. One
    that is not says nothing.

    Args:
        us: ultrasound; 0 outside the sector.
        mask: on its grid.

    Returns:
        0 or more; None if too few voxels of either are in the sector.
    """
    if not mask.any():
        return None
    part = box(mask, int(np.ceil((_AROUND_MM[1] + 3 * _SPECKLE_MM) / us.spacing.min())))
    near, tumour = cropped(us, part), mask[part]
    sector = near.pixels > 0
    grey = ndimage.gaussian_filter(near.pixels, _SPECKLE_MM / us.spacing)
    deep = ndimage.distance_transform_edt(tumour, sampling=us.spacing)
    away = ndimage.distance_transform_edt(~tumour, sampling=us.spacing)
    inside = grey[sector & (deep > _INSIDE_MM)]
    around = grey[sector & (away > _AROUND_MM[0]) & (away <= _AROUND_MM[1])]
    if min(inside.size, around.size) < _FEWEST:
        return None
    spread = np.sqrt((inside.var() + around.var()) / 2)
    return float(abs(inside.mean() - around.mean()) / spread) if spread > 0 else 0.0
