"""MIND-SSC, modality-independent neighbourhood descriptors with self-similarity context (Heinrich et al. 2013)."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.registration.volume import Mask, Pixels

RADIUS = 1
DILATION = 2
REACH = RADIUS + DILATION
"""How far a descriptor looks, voxels."""
_FACES = [np.array(face) for face in [(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)]]
PAIRS = [(a, b) for at, a in enumerate(_FACES) for b in _FACES[at + 1 :] if not (a + b == 0).all()]
"""The twelve pairs of neighbours √2 apart: opposite ones are not compared."""
_CLAMP = (1e-3, 1e3)


def mind_ssc(image: Pixels, radius: int = RADIUS, dilation: int = DILATION) -> NDArray[np.float32]:
    """The descriptor of every voxel.

    D is the mean squared difference of the patches (side 2 radius + 1) around two of its neighbours (`dilation` voxels
    away); the descriptor is exp(−(D − min D) / V) with V the mean of D − min D over the twelve pairs, held within a
    thousandth and a thousand times its mean over the volume. The border is repeated outwards.

    Returns:
        (12, k, j, i), 0 to 1.
    """
    size = 2 * radius + 1
    padded = np.pad(image, dilation, mode="edge")
    shape = image.shape

    def shifted(face: NDArray[np.int64]) -> Pixels:
        start = dilation + dilation * face
        return padded[tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))]

    views = {tuple(face): shifted(face) for face in _FACES}
    distance = np.empty((len(PAIRS), *shape), np.float32)
    for at, (one, other) in enumerate(PAIRS):
        difference = views[tuple(one)] - views[tuple(other)]
        ndimage.uniform_filter(difference * difference, size, output=distance[at], mode="nearest")
    distance -= distance.min(axis=0)
    noise = distance.mean(axis=0)
    level = float(noise.mean())
    if level == 0:
        return np.ones_like(distance)
    distance /= np.clip(noise, _CLAMP[0] * level, _CLAMP[1] * level)
    return np.exp(-distance, out=distance)


def similarity(us: NDArray[np.float32], mri: NDArray[np.float32], where: Mask) -> float:
    """1 − the mean squared difference of two descriptors over some voxels: 1 is equal.

    Args:
        us: descriptors of the ultrasound in the voxels, (12, n).
        mri: descriptors of the MRI, (12, k, j, i).
        where: the n voxels.
    """
    difference = us - mri[:, where]
    return 1.0 - float(np.mean(difference * difference))
