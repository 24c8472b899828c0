"""Turns any signal's picture into one grey picture, or into one sentence on why it cannot."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError
from inference.frame import Pixels

SMALLEST = 16
"""A signal with fewer rows or columns is a driver's artefact, not a picture."""


def grey(picture: NDArray[Any], *, order: str = "BGR") -> Pixels:
    """One grey picture: colour by its luma; 8 and 16 bits stay as they are.

    Args:
        picture: (rows, cols) or (rows, cols, 1, 3 or 4), uint8 or uint16; any size, odd ones too.
        order: order of the colour channels, "RGB" or "BGR".

    Returns:
        (rows, cols) uint8 or uint16, C order; the input array itself if it already was that.

    Raises:
        FormatError: if it is not such a picture.
    """
    if picture.ndim not in (2, 3) or min(picture.shape[:2]) < SMALLEST:
        shape = " × ".join(str(size) for size in picture.shape)
        raise FormatError(f"The signal's picture of {shape} is no picture: choose another format on the sender.")
    if picture.dtype not in (np.uint8, np.uint16):
        raise FormatError(f"The signal's values are {picture.dtype}: choose an 8- or 16-bit format on the sender.")
    if picture.ndim == 2:
        return as_pixels(picture)
    channels = picture.shape[2]
    if channels == 1:
        return as_pixels(picture[..., 0])
    if channels in (3, 4):
        return as_pixels(luma(picture, order=order))
    raise FormatError(f"The signal has {channels} channels: choose grey or RGB on the sender.")


def as_pixels(values: NDArray[Any]) -> Pixels:
    """Grey values in one of the dtypes of a frame, C order: uint8 and uint16 stay, anything else becomes float32.

    Values that are not finite mark voxels outside the field of view; they become 0, the background.
    """
    native = values.dtype.newbyteorder("=")
    if native in (np.uint8, np.uint16):
        return np.ascontiguousarray(values, dtype=native)
    with np.errstate(over="ignore"):  # a value beyond float32 is not a grey value
        real: NDArray[np.float32] = np.ascontiguousarray(values, dtype=np.float32)
    return real if np.isfinite(real).all() else np.nan_to_num(real, nan=0.0, posinf=0.0, neginf=0.0)


def luma(colour: NDArray[Any], *, order: str = "RGB") -> NDArray[Any]:
    """Grey from colour by ITU-R BT.601 luma (0.299 R + 0.587 G + 0.114 B); where R = G = B the value is kept.

    Args:
        colour: (rows, cols, 3 or 4); a fourth channel is transparency and is ignored.
        order: "RGB" or "BGR".
    """
    code = cv2.COLOR_RGB2GRAY if order == "RGB" else cv2.COLOR_BGR2GRAY
    return cv2.cvtColor(np.ascontiguousarray(colour[..., :3]), code)
