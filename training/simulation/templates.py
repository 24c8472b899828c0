"""The MNI152 brain template that ships inside the nilearn wheel: T1, white and grey matter, depth below the hull."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Templates:
    """The template brain on its 1 mm grid. All arrays share one shape; `affine` maps voxel indices to RAS mm."""

    affine: NDArray[np.float64]
    white: Field
    grey: Field
    hull_depth: Field
    """Signed distance to the brain's hull in mm, positive inside."""

    def voxel(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Voxel coordinates (3, n) of RAS points (3, n) in mm."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(inverse[:3, :3] @ points + inverse[:3, 3:])


@cache
def templates() -> Templates:
    """Load the template once a process. The files are part of nilearn; nothing is downloaded."""
    from nilearn import datasets  # heavy, and only this function needs it

    head = datasets.load_mni152_template(resolution=1)
    white = datasets.load_mni152_wm_template(resolution=1)
    grey = datasets.load_mni152_gm_template(resolution=1)
    brain = ndimage.binary_closing(np.pad(head.get_fdata() > 0.05, 12), iterations=8)[12:-12, 12:-12, 12:-12]
    brain = ndimage.binary_fill_holes(brain)
    depth = ndimage.distance_transform_edt(brain) - ndimage.distance_transform_edt(~brain)
    return Templates(
        affine=np.asarray(head.affine, dtype=np.float64),
        white=np.asarray(white.get_fdata(), dtype=np.float32),
        grey=np.asarray(grey.get_fdata(), dtype=np.float32),
        hull_depth=depth.astype(np.float32),
    )
