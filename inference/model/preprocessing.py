"""Frame -> network input in nnU-Net's own order, and the exact way back. Pure functions.

    transpose -> crop to non-zero -> z-score -> spline to the network's spacing -> centred zero padding -> tiles
    tiles blended -> padding off -> linear back to the crop -> margin -> back into the frame -> transpose

Source: nnunetv2 2.8, `DefaultPreprocessor.run_case_npy`, `nnUNetPredictor` and `export_prediction.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.contract import Input
from inference.errors import AnalysisError
from inference.frame import Pixels
from inference.model import tiles
from inference.model.resampling import linear_resize, spline_resize

# A step takes a millisecond, and OpenCV's own threads would wait for cores that network and window are using.
cv2.setNumThreads(1)

OUTSIDE = np.float32(-100)
"""Margin where the network never looked: a tumour probability of 4e-44."""
MAX_PIXELS = 4096 * 4096
"""A picture larger than this at the network's spacing has a wrong scale, and would fill the memory."""
_EPSILON = 1e-8
"""Least standard deviation nnU-Net divides by."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """The non-zero part of a picture: first row and column, rows and columns."""

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
    """A frame as the network wants it, and everything needed to go back.

    Attributes:
        image: float32 at the network's spacing, padded to the patch or more.
        corners: where each tile starts in `image`; one at (0, 0) where one tile suffices, none for an all-zero frame.
        patch: (rows, cols) of a tile.
        inner: where the picture lies in the padded `image`.
        box: the part of the (transposed) frame that `inner` shows.
        shape: (rows, cols) of the (transposed) frame.
        transposed: rows and columns are exchanged.
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
        spacing_mm: (row, col) mm a pixel; None, analysis without scale, fits the non-zero part into the patch.
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
    crop = _z_score(pixels[box.slices].copy(), recipe.mask_normalisation)
    resized = spline_resize(crop, *_network_size(box, spacing_mm, recipe))
    image, inner = _pad(resized, recipe.patch)
    places = tiles.corners((image.shape[0], image.shape[1]), recipe.patch, recipe.tile_step)
    return Prepared(image, places, recipe.patch, inner, box, shape, recipe.transposed)


def restore(logits: Iterable[NDArray[np.float32]], prepared: Prepared) -> NDArray[np.float32]:
    """The tiles' logits as one margin, tumour minus background, on the full frame.

    Args:
        logits: (2, rows, cols) of the patch, background and tumour, for each of `prepared.corners`.
        prepared: what `prepare` gave.

    Returns:
        (rows, cols) float32 of the frame as it came; over 0 is tumour, `OUTSIDE` outside the crop.
    """
    frame = np.full(prepared.shape, OUTSIDE, np.float32)
    if prepared.corners:
        shape = (prepared.image.shape[0], prepared.image.shape[1])
        box = prepared.box
        whole = tiles.blend(logits, prepared.corners, shape)
        background, tumour = (
            tiles.to_half(linear_resize(np.ascontiguousarray(one[prepared.inner]), box.rows, box.cols)) for one in whole
        )
        np.subtract(tumour, background, out=frame[box.slices])
    return np.ascontiguousarray(frame.T) if prepared.transposed else frame


def _box(pixels: Pixels, crop: bool) -> Box:
    """Bounding box of the non-zero pixels; 0 x 0 if there are none."""
    grey = pixels if pixels.dtype == np.uint8 else (pixels != 0).view(np.uint8)
    col, row, cols, rows = cv2.boundingRect(np.ascontiguousarray(grey))
    if rows and not crop:
        return Box(0, 0, *pixels.shape)
    return Box(row, col, rows, cols)


def _z_score(crop: Pixels, mask_normalisation: bool) -> NDArray[np.float32]:
    """Zero mean and unit SD over the crop, or over its non-zero pixels with 0 elsewhere."""
    mask = _nonzero_mask(crop) if mask_normalisation else None
    moments = cv2.meanStdDev(crop, mask=mask)
    mean, deviation = np.float32(moments[0][0, 0]), np.float32(max(moments[1][0, 0], _EPSILON))
    if not (np.isfinite(mean) and np.isfinite(deviation)):
        raise AnalysisError("The picture holds values that are not finite numbers: export it again from its source.")
    if crop.dtype == np.uint8:
        table = (np.arange(256, dtype=np.float32) - mean) / deviation
        scored = np.asarray(cv2.LUT(crop, table), np.float32)
    else:
        scored = (crop.astype(np.float32) - mean) / deviation
    if mask is not None:
        scored[mask == 0] = 0
    return scored


def _nonzero_mask(crop: Pixels) -> NDArray[np.uint8]:
    """The non-zero pixels as 0 and 1, holes left open.

    nnU-Net fills holes in a volume one slice thick: every hole is open towards both faces, so that none is filled.
    """
    mask: NDArray[np.uint8] = (crop != 0).astype(np.uint8)
    return mask


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
    """Zero padding to the patch or more, centred (the odd pixel after the picture), and where the picture lies."""
    rows, cols = image.shape
    height, width = max(rows, patch[0]), max(cols, patch[1])
    if (rows, cols) == (height, width):
        return image, (slice(0, rows), slice(0, cols))
    top, left = (height - rows) // 2, (width - cols) // 2
    inner = slice(top, top + rows), slice(left, left + cols)
    padded = np.zeros((height, width), np.float32)
    padded[inner] = image
    return padded, inner
