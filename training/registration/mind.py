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


def mind_ssc(
    image: Pixels, radius: int = RADIUS, dilation: int = DILATION, where: Mask | None = None
) -> NDArray[np.float32]:
    """The descriptor of every voxel, or of those in `where`.

    D is the mean squared difference of the patches (side 2 radius + 1) around two of its neighbours (`dilation` voxels
    away); the descriptor is exp(−(D − min D) / V) with V the mean of D − min D over the twelve pairs, held within a
    thousandth and a thousand times its mean over what is described. The border is repeated outwards.

    Returns:
        (12, k, j, i), or (12, n) for the n voxels in `where`; 0 to 1.
    """
    size = 2 * radius + 1
    margin = dilation + radius
    padded = np.pad(image, margin + dilation, mode="edge")
    wider = tuple(n + 2 * margin for n in image.shape)

    def view(of: Pixels, start: NDArray[np.int64], shape: tuple[int, ...]) -> Pixels:
        return of[tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))]

    # Pairs with the same offset between their neighbours share one filter, shifted.
    patches: dict[tuple[int, ...], Pixels] = {}
    shape = image.shape if where is None else (int(where.sum()),)
    distance = np.empty((len(PAIRS), *shape), np.float32)
    for at, (one, other) in enumerate(PAIRS):
        between = tuple(int(step) for step in other - one)
        back = tuple(-step for step in between)
        if between not in patches and back not in patches:
            shifted = view(padded, dilation * (1 + np.array(between)), wider)
            difference = view(padded, np.full(3, dilation), wider) - shifted
            patches[between] = np.asarray(ndimage.uniform_filter(difference * difference, size, mode="nearest"))
        seen, start = (patches[between], one) if between in patches else (patches[back], other)
        found = view(seen, margin + dilation * start, image.shape)
        distance[at] = found if where is None else found[where]
    distance -= distance.min(axis=0)
    noise = distance.mean(axis=0)
    level = float(noise.mean())
    if level == 0:
        return np.ones_like(distance)
    distance /= np.clip(noise, _CLAMP[0] * level, _CLAMP[1] * level)
    return np.exp(-distance, out=distance)


def similarity(us: NDArray[np.float32], mri: NDArray[np.float32]) -> float:
    """1 − the mean squared difference of two descriptors over some voxels: 1 is equal.

    Args:
        us: descriptors of the ultrasound in the voxels, (12, n).
        mri: descriptors of the MRI in the same, (12, n).
    """
    difference = us - mri
    return 1.0 - float(np.mean(difference * difference))
