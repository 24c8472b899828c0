"""From a frame to the network's input, in nnU-Net's own order (`margin` is the way back). Pure functions.

    transpose -> crop to non-zero -> z-score -> spline to the network's spacing -> centred zero padding -> tiles

Source: nnunetv2 2.8, `DefaultPreprocessor.run_case_npy` and `nnUNetPredictor`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.contract import Input
from inference.errors import AnalysisError
from inference.frame import Pixels
from inference.model import tiles
from inference.model.resampling import spline_resize

# Each step takes a millisecond; OpenCV's threads would wait for cores that the network and the window are using.
cv2.setNumThreads(1)

MAX_PIXELS = 4096 * 4096
"""A picture larger than this at the network's spacing has a wrong scale, and would fill the memory."""
_CHUNK = 32
"""Number of rows that are searched together for the first non-zero one."""
_EPSILON = 1e-8
"""The smallest standard deviation that nnU-Net divides by."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """The non-zero part of a picture: its first row and column, its number of rows and columns."""

    row: int
    col: int
    rows: int
    cols: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The box as an index."""
        return slice(self.row, self.row + self.rows), slice(self.col, self.col + self.cols)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A frame as the network takes it, and all that is needed to map the answer back.

    Attributes:
        image: float32 at the network's spacing, padded to at least the patch.
        corners: where each tile starts in `image`; (0, 0) alone if one tile suffices, none for an all-zero frame.
        patch: (rows, cols) of a tile.
        inner: where the picture lies in the padded `image`.
        box: the part of the (transposed) frame that `inner` shows.
        shape: (rows, cols) of the (transposed) frame.
        transposed: whether rows and columns are exchanged.
    """

    image: NDArray[np.float32]
    corners: tuple[tiles.Corner, ...]
    patch: tuple[int, int]
    inner: tuple[slice, slice]
    box: Box
    shape: tuple[int, int]
    transposed: bool

    def tile(self, corner: tiles.Corner) -> NDArray[np.float32]:
        """Network input (1, 1, rows, cols) of the tile at `corner`."""
        (row, col), (rows, cols) = corner, self.patch
        return np.ascontiguousarray(self.image[row : row + rows, col : col + cols])[None, None]


def prepare(pixels: Pixels, spacing_mm: tuple[float, float] | None, recipe: Input) -> Prepared:
    """Network input of one frame.

    Args:
        pixels: (rows, cols) uint8, uint16 or float32, 0 outside the sector.
        spacing_mm: (row, col) in mm per pixel; None (analysis without scale) fits the non-zero part into the patch.
        recipe: the contract's input group.

    Raises:
        AnalysisError: if a pixel is not a finite number, or the spacing makes the picture absurdly large.
    """
    if recipe.transposed:
        pixels = pixels.T.copy()
        spacing_mm = None if spacing_mm is None else (spacing_mm[1], spacing_mm[0])
    shape = (pixels.shape[0], pixels.shape[1])
    box = _box(pixels, recipe.crop_to_nonzero)
    if box.rows == 0:
        nothing = slice(0, 0)
        return Prepared(
            np.zeros((0, 0), np.float32), (), recipe.patch, (nothing, nothing), box, shape, recipe.transposed
        )
    crop = pixels[box.slices]
    score = _z_score(crop, recipe.mask_normalisation)
    resized = spline_resize(crop, *_network_size(box, spacing_mm, recipe), score)
    image, inner = _pad(resized, recipe.patch)
    places = tiles.corners((image.shape[0], image.shape[1]), recipe.patch, recipe.tile_step)
    return Prepared(image, places, recipe.patch, inner, box, shape, recipe.transposed)


def first_lit(pixels: Pixels) -> int | None:
    """The first row that is not all 0; None if there is none."""
    for start in range(0, len(pixels), _CHUNK):
        chunk = pixels[start : start + _CHUNK]
        if chunk.any():
            return start + int(chunk.any(axis=1).argmax())
    return None


def _box(pixels: Pixels, crop: bool) -> Box:
    """Bounding box of the non-zero pixels, 0 × 0 if there are none; reads the picture once, OpenCV would twice."""
    top, below = first_lit(pixels), first_lit(pixels[::-1])
    if top is None or below is None:
        return Box(0, 0, 0, 0)
    if not crop:
        return Box(0, 0, *pixels.shape)
    bottom = len(pixels) - below
    rows = pixels[top:bottom]
    lit = np.flatnonzero(rows.any(axis=0) if rows.dtype == np.float32 else np.bitwise_or.reduce(rows, axis=0))
    return Box(top, int(lit[0]), bottom - top, int(lit[-1] - lit[0]) + 1)


def _z_score(crop: Pixels, mask_normalisation: bool) -> Callable[[Pixels], NDArray[np.float32]]:
    """A function that normalises rows of the crop by the mean and SD of the crop, or of its non-zero pixels.

    With `mask_normalisation` zeros stay 0. Holes in the sector are not filled: nnU-Net fills holes in 3D, and in a
    volume one slice thick every hole is open to both faces.

    Raises:
        AnalysisError: if a pixel is not a finite number.
    """
    mean, deviation = _moments(crop, mask_normalisation)
    if not (np.isfinite(mean) and np.isfinite(deviation)):
        raise AnalysisError("The picture holds values that are not finite numbers: export it again from its source.")
    table = (np.arange(256, dtype=np.float32) - mean) / deviation
    if mask_normalisation:
        table[0] = 0

    def score(rows: Pixels) -> NDArray[np.float32]:
        if rows.dtype == np.uint8:
            return np.asarray(cv2.LUT(rows, table), np.float32)
        scored = (rows.astype(np.float32) - mean) / deviation
        if mask_normalisation:
            scored[rows == 0] = 0
        return scored

    return score


def _moments(crop: Pixels, mask_normalisation: bool) -> tuple[np.float32, np.float32]:
    """Mean and SD of the crop, or of its non-zero pixels; the SD is never 0."""
    if mask_normalisation and crop.dtype == np.uint8:
        # Zeros add nothing to the sums; summing everything takes a fifteenth of the time that OpenCV takes with a mask.
        share = 1 / max(1, cv2.countNonZero(crop))
        mean = cv2.sumElems(crop)[0] * share
        deviation = math.sqrt(max(0.0, cv2.norm(crop, cv2.NORM_L2SQR) * share - mean * mean))
    else:
        mask = (crop != 0).view(np.uint8) if mask_normalisation else None
        means, deviations = cv2.meanStdDev(np.ascontiguousarray(crop), mask=mask)
        mean, deviation = float(means[0, 0]), float(deviations[0, 0])
    return np.float32(mean), np.float32(max(deviation, _EPSILON))


def _network_size(box: Box, spacing_mm: tuple[float, float] | None, recipe: Input) -> tuple[int, int]:
    """(rows, cols) of the crop at the network's spacing, at least one pixel each.

    Raises:
        AnalysisError: if that is more than `MAX_PIXELS`.
    """
    if spacing_mm is None:
        fit = min(recipe.patch[0] / box.rows, recipe.patch[1] / box.cols)
        exact = (box.rows * fit, box.cols * fit)
    else:
        (row_mm, col_mm), (row_to, col_to) = spacing_mm, recipe.spacing_mm
        exact = (row_mm / row_to * box.rows, col_mm / col_to * box.cols)
    if exact[0] * exact[1] > MAX_PIXELS:
        raise AnalysisError(
            f"At {spacing_mm} mm a pixel the picture is too large for the network: check its spacing, or calibrate."
        )
    return max(1, round(exact[0])), max(1, round(exact[1]))


def _pad(image: NDArray[np.float32], patch: tuple[int, int]) -> tuple[NDArray[np.float32], tuple[slice, slice]]:
    """Centred zero padding to at least the patch (an odd pixel goes after the picture), and where the picture lies."""
    rows, cols = image.shape
    height, width = max(rows, patch[0]), max(cols, patch[1])
    if (rows, cols) == (height, width):
        return image, (slice(0, rows), slice(0, cols))
    top, left = (height - rows) // 2, (width - cols) // 2
    inner = slice(top, top + rows), slice(left, left + cols)
    padded = np.zeros((height, width), np.float32)
    padded[inner] = image
    return padded, inner
