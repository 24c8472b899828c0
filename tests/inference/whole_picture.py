"""What a frame costs beside the network, done plainly: every step on the whole picture.

The product computes in full only where the border runs. This is the same, for every pixel: the oracle of its tests, and
the rival of the benchmarks.
"""

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from inference.contract import Input, Reliability
from inference.errors import AnalysisError
from inference.frame import Frame, Pixels, View
from inference.model import tiles
from inference.model.edge import LINE, NEAR_EDGE_PX
from inference.model.engine import Engine
from inference.model.margin import OUTSIDE
from inference.model.preprocessing import Box, Prepared, _network_size, _pad
from inference.model.resampling import linear_resize
from inference.model.segmentation import BAND, FINE, SMOOTHING, SPECK_PX
from inference.model.tiles import _gaussian
from inference.outcome import Band, Diameters, Region, size_state
from inference.spacing import PixelSpacing


def analysed(engine: Engine, frame: Frame) -> tuple[NDArray[np.uint8], tuple[Region, ...]]:
    """Mask and regions of a frame of known scale, in one pass of the network without mirrors."""
    assert frame.spacing is not None
    output = engine.contract.output
    prepared = prepare(frame.pixels, (frame.spacing.row_mm, frame.spacing.col_mm), engine.contract.input)
    logits = []
    for corner in prepared.corners:
        answer = engine._session.run([engine._output], {engine._input: prepared.tile(corner)})[0]
        planes = np.asarray(answer[0, (0, output.tumour_index)], np.float32)
        assert np.isfinite(planes).all()
        logits.append(planes)
    margin = restore(logits, prepared)
    margin -= np.float32(math.log(output.threshold / (1 - output.threshold)))
    mask = mask_of(margin, keep_largest=output.keep_largest)
    return mask, regions_of(mask, margin, frame, engine.contract.reliability)


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
    mean, deviation = np.float32(moments[0][0, 0]), np.float32(max(moments[1][0, 0], 1e-8))
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


def blend(
    logits: Iterable[NDArray[np.float32]], places: tuple[tiles.Corner, ...], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Weighted mean of the tiles' logits on the whole picture, rounded as nnU-Net's float16 sums are.

    Args:
        logits: (labels, rows, cols) of each tile.
        places: where each tile starts; together they cover `shape`.
        shape: (rows, cols) of the picture.

    Returns:
        (labels, rows, cols) float32.
    """
    total: NDArray[np.float32] = np.zeros((2, *shape), np.float32)
    weight: NDArray[np.float32] = np.zeros(shape, np.float32)
    for tile, (row, col) in zip(logits, places, strict=True):
        rows, cols = tile.shape[1:]
        gaussian = _gaussian((rows, cols))
        here = slice(row, row + rows), slice(col, col + cols)
        total[:, *here] = to_half(total[:, *here] + tile * gaussian)
        weight[here] = to_half(weight[here] + gaussian)
    return to_half(total / weight)


def corner_rounding(
    places: tuple[tiles.Corner, ...], shape: tuple[int, int], patch: tuple[int, int]
) -> NDArray[np.float64]:
    """How far float16's smallest steps can put a blended logit off: nothing but in corners, whose weights are as small.

    Args:
        places: where each tile starts.
        shape: (rows, cols) of the picture.
        patch: (rows, cols) of a tile.
    """
    weight = np.zeros(shape)
    for row, col in places:
        weight[row : row + patch[0], col : col + patch[1]] += _gaussian(patch)
    most: NDArray[np.float64] = len(places) * 2.0**-25 / weight
    return most


def to_half(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round values to float16, as nnU-Net's logits are, by numpy's own casts: ten times as slow as the engine's way."""
    halves: NDArray[np.float32] = values.astype(np.float16).astype(np.float32)
    return halves


def spline_resize(image: NDArray[np.float32], rows: int, cols: int) -> NDArray[np.float32]:
    """Cubic spline resize, clipped to the range of `image` as skimage does.

    Args:
        image: (r, c) float32.
        rows: rows of the result.
        cols: columns of the result.

    Returns:
        (rows, cols) float32, C order; `image` itself if nothing changes.
    """
    if image.shape == (rows, cols):
        return image
    low, high, _, _ = cv2.minMaxLoc(image)
    resized = image
    if image.shape[0] != rows:
        resized = _spline_matrix(image.shape[0], rows) @ resized
    if image.shape[1] != cols:
        # OpenCV transposes in a tenth of numpy's time.
        turned = _spline_matrix(image.shape[1], cols) @ cv2.transpose(resized)
        resized = np.asarray(cv2.transpose(turned), np.float32)
    clipped: NDArray[np.float32] = np.clip(resized, np.float32(low), np.float32(high))
    return clipped


@lru_cache(maxsize=32)
def _spline_matrix(size: int, new_size: int) -> "sparse.csr_array[np.float32]":
    """(new_size, size), whose columns are scipy's resized unit vectors; weights below 1e-6 are dropped."""
    zoomed = ndimage.zoom(np.eye(size), (new_size / size, 1), order=3, mode="nearest", grid_mode=True)
    zoomed[np.abs(zoomed) < 1e-6] = 0
    return sparse.csr_array(zoomed.astype(np.float32))


def mask_of(margin: NDArray[np.float32], *, keep_largest: bool) -> NDArray[np.uint8]:
    """The tumour mask.

    Args:
        margin: (rows, cols) tumour logit minus background logit, on the full frame.
        keep_largest: nnU-Net's post-processing, where its cross-validation chose it.

    Returns:
        (rows, cols) uint8 0/1.
    """
    mask = (margin > 0).view(np.uint8)
    if not keep_largest:
        return mask
    if cv2.connectedComponents(mask, connectivity=8)[0] <= 2:
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    # Of pieces of equal size nnU-Net keeps each.
    kept: NDArray[np.uint8] = np.isin(labels, 1 + np.flatnonzero(areas == areas.max())).astype(np.uint8)
    return kept


def regions_of(
    mask: NDArray[np.uint8], margin: NDArray[np.float32], frame: Frame, limits: Reliability
) -> tuple[Region, ...]:
    """The connected pieces of a mask, largest first (diagonal neighbours belong together)."""
    x0, y0, width, height = cv2.boundingRect(mask)
    if width == 0:
        return ()
    piece = np.ascontiguousarray(mask[y0 : y0 + height, x0 : x0 + width])
    edge = edge_of(frame.pixels)
    top = probe_face_row(frame)
    found = []
    for left, upper, one in _pieces(piece):
        corner = (x0 + left, y0 + upper)
        outlines, area_px = _outlines(one, margin, corner), cv2.countNonZero(one)
        found.append(_region(area_px, outlines, _touches(one, edge, corner), frame.spacing, top, limits))
    return tuple(sorted(found, key=lambda region: -region.area_px))


def _pieces(mask: NDArray[np.uint8]) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """Each 8-connected piece in its box, 0 and 1, with the box's column and row, from the top down.

    OpenCV's connectedComponentsWithStats takes ten times as long as labels and outlines together.
    """
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    traced, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    for outline, (_, _, _, parent) in zip(reversed(traced), reversed(tree[0]), strict=True):
        if parent < 0:
            left, upper, wide, high = cv2.boundingRect(outline)
            col, row = outline[0, 0]
            yield left, upper, (labels[upper : upper + high, left : left + wide] == labels[row, col]).view(np.uint8)


def edge_of(pixels: Pixels) -> NDArray[np.uint8]:
    """1 outside the sector (the filled outline of everything non-zero), 0 inside; (rows, cols) uint8."""
    shown = (pixels > 0).view(np.uint8)
    outlines, _ = cv2.findContours(shown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outside = np.ones(pixels.shape, np.uint8)
    cv2.drawContours(outside, outlines, -1, 0, cv2.FILLED)
    return outside


def probe_face_row(frame: Frame) -> int | None:
    """The first row of the sector, where depth is counted from; None for slices, which have no probe face."""
    if frame.origin.view is not View.NATIVE:
        return None
    lit = np.flatnonzero(frame.pixels.any(axis=1))
    return int(lit[0]) if lit.size else None


def _region(
    area_px: int,
    outlines: tuple[NDArray[np.float32], ...],
    touches: bool,
    spacing: PixelSpacing | None,
    top: int | None,
    limits: Reliability,
) -> Region:
    if spacing is None:
        return Region(area_px, None, outlines, None, None, touches, None)
    area_mm2 = area_px * spacing.pixel_mm2
    outline = np.concatenate(outlines)
    depth = None if top is None else _depth(outline, top, spacing)
    return Region(
        area_px, area_mm2, outlines, diameters_of(outline, spacing), depth, touches, size_state(area_mm2, limits)
    )


def _depth(outline: NDArray[np.float32], top: int, spacing: PixelSpacing) -> tuple[float, float]:
    rows = outline[:, 1] + 0.5 - top  # from the upper edge of that row; outlines count from the middle of pixels
    return max(0.0, float(rows.min()) * spacing.row_mm), float(rows.max()) * spacing.row_mm


def _touches(one: NDArray[np.uint8], edge: NDArray[np.uint8], corner: tuple[int, int]) -> bool:
    """Whether a region leaves no more than the drawn line's width to the outside of the sector or of the picture."""
    x0, y0 = corner
    height, width = one.shape
    rows, cols = edge.shape
    near = max(NEAR_EDGE_PX, int(rows * LINE))
    reach = near + 1  # the first pixel outside
    if x0 <= near or y0 <= near or x0 + width + near >= cols or y0 + height + near >= rows:
        return True
    framed = cv2.copyMakeBorder(one, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
    grown = cv2.dilate(framed, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    around = edge[y0 - reach : y0 + height + reach, x0 - reach : x0 + width + reach]
    return bool(grown[around > 0].any())


def _outlines(
    one: NDArray[np.uint8], margin: NDArray[np.float32], corner: tuple[int, int]
) -> tuple[NDArray[np.float32], ...]:
    """Outlines of one region where the interpolated margin crosses zero; a speck falls back to its pixels."""
    if cv2.countNonZero(one) < SPECK_PX:
        return _pixel_outlines(one, corner)
    lines, tree = _crossings(margin, one, corner, cv2.RETR_CCOMP)
    if max(map(len, lines), default=0) < SMOOTHING:
        return _pixel_outlines(one, corner)
    # Outer outlines (no parent) before holes, the longest first.
    order = sorted(range(len(lines)), key=lambda k: (tree[0][k][3] >= 0, -len(lines[k])))
    return tuple(_smooth(lines[k]) for k in order)


def _crossings(
    margin: NDArray[np.float32], inside: NDArray[np.uint8], corner: tuple[int, int], mode: int
) -> tuple[list[NDArray[np.float32]], NDArray[np.int32]]:
    """Where the interpolated margin crosses zero around `inside`: lines (n, 2) of (x, y), and OpenCV's tree of them.

    Whatever is not inside counts as outside: neighbouring regions, and what is beyond the picture, whose edge is the
    edge of its last pixels.

    Args:
        margin: (rows, cols) of the frame.
        inside: 0 and 1 in a box of it.
        corner: (x, y) of the box.
        mode: OpenCV's RETR_...
    """
    values = np.abs(_around(margin, corner, (inside.shape[0], inside.shape[1])))
    np.negative(values, out=values, where=cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT) == 0)
    fine = np.asarray(cv2.resize(values, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_LINEAR), np.float32)
    traced, tree = cv2.findContours((fine > 0).view(np.uint8), mode, cv2.CHAIN_APPROX_NONE)
    offset = np.array([corner[0] - 1, corner[1] - 1]) - 0.5
    lines = [(_onto_zero(np.asarray(line[:, 0], np.int32), fine) + 0.5) / FINE + offset for line in traced]
    return [line.astype(np.float32) for line in lines], np.asarray(tree, np.int32)


def _around(margin: NDArray[np.float32], corner: tuple[int, int], shape: tuple[int, int]) -> NDArray[np.float32]:
    """The margin in a box and one pixel around it; beyond the picture its last pixels are repeated."""
    (x0, y0), (height, width), (rows, cols) = corner, shape, margin.shape
    top, left = max(0, y0 - 1), max(0, x0 - 1)
    bottom, right = min(rows, y0 + height + 1), min(cols, x0 + width + 1)
    missing = (top - y0 + 1, y0 + height + 1 - bottom, left - x0 + 1, x0 + width + 1 - right)
    padded = cv2.copyMakeBorder(margin[top:bottom, left:right], *missing, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.float32)


def _onto_zero(points: NDArray[np.int32], plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points just inside, (n, 2) of (x, y), moved down the plane's slope to where it is zero, by one pixel at most."""
    wide = plane.shape[1]
    at, flat = points[:, 1] * wide + points[:, 0], plane.ravel()
    slope = np.stack([flat[at + 1] - flat[at - 1], flat[at + wide] - flat[at - wide]], axis=1) / 2
    steep = np.maximum(np.hypot(slope[:, 0], slope[:, 1]), np.finfo(np.float32).tiny)
    moved: NDArray[np.float32] = points - slope * (np.minimum(flat[at] / steep, 1) / steep)[:, None]
    return moved


def band_of(margin: NDArray[np.float32], threshold: float) -> Band:
    """The iso-contours of the network's probability at `BAND`.

    Args:
        margin: (rows, cols) tumour logit minus background logit, less the threshold's.
        threshold: the probability at which the margin is 0.
    """
    low, high = (iso_outlines(margin, _logit(share) - _logit(threshold)) for share in BAND)
    return Band(low, high)


def iso_outlines(margin: NDArray[np.float32], level: float) -> tuple[NDArray[np.float32], ...]:
    """Outlines, (n, 2) of (x, y), where the interpolated margin crosses a level; specks are left out."""
    inside = (margin > level).view(np.uint8)
    x0, y0, width, height = cv2.boundingRect(inside)
    if width == 0:
        return ()
    box = inside[y0 : y0 + height, x0 : x0 + width]
    lines, _ = _crossings(margin - np.float32(level), box, (x0, y0), cv2.RETR_LIST)
    return tuple(_smooth(line) for line in lines if len(line) >= 4 * SMOOTHING)


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _pixel_outlines(one: NDArray[np.uint8], corner: tuple[int, int]) -> tuple[NDArray[np.float32], ...]:
    """The outer outline of a speck along its pixels' centres; its holes, if any, are not drawn."""
    traced, _ = cv2.findContours(one, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return (np.asarray(traced[0][:, 0] + np.array(corner), np.float32),)


def _smooth(outline: NDArray[np.floating]) -> NDArray[np.float32]:
    """A closed outline, each vertex averaged with its neighbours along the line."""
    points: NDArray[np.float32] = np.asarray(outline, np.float32)
    if len(points) < 4 * SMOOTHING:
        return points
    reach = SMOOTHING // 2
    total = sum((np.roll(points, shift, axis=0) for shift in range(-reach, reach + 1)), np.zeros_like(points))
    smooth: NDArray[np.float32] = total / np.float32(SMOOTHING)
    return smooth


def diameters_of(outline: NDArray[np.float32], spacing: PixelSpacing) -> Diameters:
    """Longest diameter and the full width perpendicular to it.

    Args:
        outline: (n, 2) of (x, y) pixels.
        spacing: mm a pixel, per axis.
    """
    hull = cv2.convexHull(outline + np.float32(0))[:, 0]  # -0 becomes 0: of one point with both signs OpenCV makes none
    scale = np.array([spacing.col_mm, spacing.row_mm])
    points = hull * scale
    between = points[:, None] - points[None]
    distance = np.hypot(between[..., 0], between[..., 1])
    first, second = np.unravel_index(int(np.argmax(distance)), distance.shape)
    longest = float(distance[first, second])
    ends = (_point(hull[first]), _point(hull[second]))
    if longest == 0.0:
        return Diameters(0.0, 0.0, ends)
    along = (points[second] - points[first]) / longest
    across = points @ np.array([-along[1], along[0]])
    return Diameters(longest, float(across.max() - across.min()), ends)


def _point(xy: NDArray[np.floating]) -> tuple[float, float]:
    return float(xy[0]), float(xy[1])
