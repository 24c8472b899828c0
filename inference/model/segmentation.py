"""From the network's margin to regions: mask, smooth outlines, areas, diameters, depth, cut edges."""

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.contract import Reliability
from inference.frame import Frame, Mask, View
from inference.model.edge import Edge
from inference.model.logits import CAVITY
from inference.model.margin import Margin, Part
from inference.model.preprocessing import first_lit
from inference.outcome import Band, Cavity, Diameters, Region, size_state
from inference.spacing import PixelSpacing

FINE = 2
"""Outlines are traced on a grid this many times finer than the picture."""
SPECK_PX = 20
"""Regions with fewer pixels are outlined by their pixels: thousands of specks must not stop the stream."""
BAND = (0.25, 0.75)
SMOOTHING = 5
"""Neighbouring outline vertices that are averaged: removes the staircase, moves no point by half a pixel."""
Plane = NDArray[np.float32] | Margin
"""(rows, cols) float32, either complete or computed only where it is asked for."""


def mask_of(margin: Plane, *, keep_largest: bool) -> Mask:
    """The tumour mask.

    Args:
        margin: (rows, cols) tumour logit minus background logit, on the full frame.
        keep_largest: nnU-Net's post-processing, where its cross-validation chose it.

    Returns:
        (rows, cols) uint8 0/1.
    """
    mask = margin.mask() if isinstance(margin, Margin) else (margin > 0).view(np.uint8)
    if not keep_largest:
        return mask
    if cv2.connectedComponents(mask, connectivity=8)[0] <= 2:
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    # nnU-Net keeps all pieces that share the largest size.
    kept: Mask = np.isin(labels, 1 + np.flatnonzero(areas == areas.max())).astype(np.uint8)
    return kept


def labels_of(margin: Margin, *, keep_largest: bool, cavity: bool) -> Mask:
    """nnU-Net's label of every pixel: (rows, cols) uint8, 0 background, 1 tumour and, if asked for, 2 cavity."""
    labels = mask_of(margin, keep_largest=keep_largest)
    if cavity:
        labels = np.where(margin.of(CAVITY).mask() > 0, np.uint8(CAVITY), labels)
    return labels


def cavity_of(margin: Margin, frame: Frame) -> Cavity | None:
    """The resection cavity, of a model that tells it apart; None where it sees none.

    Args:
        margin: the tumour's, of three labels.
        frame: its frame.
    """
    own = margin.of(CAVITY)
    mask = own.mask()
    lines = tuple(line for region in regions_of(mask, own, frame, None) for line in region.contours)
    return Cavity(mask, lines) if lines else None


def regions_of(mask: Mask, margin: Plane, frame: Frame, limits: Reliability | None) -> tuple[Region, ...]:
    """The connected pieces of a mask, largest first (diagonal neighbours belong together).

    Args:
        mask: (rows, cols) 0/1.
        margin: (rows, cols), above 0 where the mask is 1.
        frame: its frame.
        limits: of the size states; None for a mask that is no model's, which has none.
    """
    x0, y0, width, height = _box(mask, margin)
    if width == 0:
        return ()
    piece = np.ascontiguousarray(mask[y0 : y0 + height, x0 : x0 + width])
    edge = Edge(frame.pixels, margin.crop if isinstance(margin, Margin) else _all(mask))
    top = probe_face_row(frame)
    found = []
    for left, upper, one in _pieces(piece):
        corner = (x0 + left, y0 + upper)
        outlines, area_px = _outlines(one, margin, corner), cv2.countNonZero(one)
        found.append(_region(area_px, outlines, edge.touched(one, corner), frame.spacing, top, limits))
    return tuple(sorted(found, key=lambda region: -region.area_px))


def _box(inside: Mask, margin: Plane, level: float = 0.0) -> tuple[int, int, int, int]:
    """Bounding box (x, y, width, height) of what is inside; searched only where the margin allows it to be."""
    rows, cols = margin.near(level) if isinstance(margin, Margin) else _all(inside)
    left, top, width, height = cv2.boundingRect(np.ascontiguousarray(inside[rows, cols]))
    return cols.start + left, rows.start + top, width, height


def _all(plane: NDArray[np.generic]) -> Part:
    return slice(0, plane.shape[0]), slice(0, plane.shape[1])


def _pieces(mask: Mask) -> Iterator[tuple[int, int, Mask]]:
    """Each 8-connected piece from the top down: x and y of its bounding box, and its 0/1 mask in that box.

    OpenCV's connectedComponentsWithStats takes ten times as long as labels and outlines together.

    Args:
        mask: 0/1, cropped to the bounding box of the ones.
    """
    traced, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outer = [outline for outline, (_, _, _, parent) in zip(traced, tree[0], strict=True) if parent < 0]
    if len(outer) == 1:
        yield 0, 0, mask
        return
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    for outline in reversed(outer):
        left, upper, wide, high = cv2.boundingRect(outline)
        col, row = outline[0, 0]
        yield left, upper, (labels[upper : upper + high, left : left + wide] == labels[row, col]).view(np.uint8)


def probe_face_row(frame: Frame) -> int | None:
    """The first row of the sector, from which depth is measured; None for slices, which have no probe face."""
    if frame.origin.view is not View.NATIVE:
        return None
    return first_lit(frame.pixels) if frame.face_row is None else frame.face_row


def _region(
    area_px: int,
    outlines: tuple[NDArray[np.float32], ...],
    touches: bool,
    spacing: PixelSpacing | None,
    top: int | None,
    limits: Reliability | None,
) -> Region:
    if spacing is None:
        return Region(area_px, None, outlines, None, None, touches, None)
    area_mm2 = area_px * spacing.pixel_mm2
    # All of them: where two parts meet in a corner alone, each has an outline of its own. Holes lie within.
    outline = np.concatenate(outlines)
    depth = None if top is None else _depth(outline, top, spacing)
    size = None if limits is None else size_state(area_mm2, limits)
    return Region(area_px, area_mm2, outlines, diameters_of(outline, spacing), depth, touches, size)


def measured(region: Region, frame: Frame, limits: Reliability | None) -> Region:
    """The same region with its lengths, area and size state by the frame's own scale; without any if it has none.

    Args:
        region: as segmented, whatever it was measured by.
        frame: its frame.
        limits: of the size states; None leaves the state unknown.
    """
    top = probe_face_row(frame)
    return _region(region.area_px, region.contours, region.touches_edge, frame.spacing, top, limits)


def _depth(outline: NDArray[np.float32], top: int, spacing: PixelSpacing) -> tuple[float, float]:
    # Depth starts at the row's upper edge; outline coordinates are relative to pixel centres.
    rows = outline[:, 1] + 0.5 - top
    return max(0.0, float(rows.min()) * spacing.row_mm), float(rows.max()) * spacing.row_mm


def _outlines(one: Mask, margin: Plane, corner: tuple[int, int]) -> tuple[NDArray[np.float32], ...]:
    """Outlines of one region where the interpolated margin crosses zero; those of a speck follow its pixels."""
    if cv2.countNonZero(one) < SPECK_PX:
        return _pixel_outlines(one, corner)
    lines, tree = _crossings(margin, one, corner, cv2.RETR_CCOMP)
    if max(map(len, lines), default=0) < SMOOTHING:
        return _pixel_outlines(one, corner)
    # Outer outlines (no parent) before holes, the longest first.
    order = sorted(range(len(lines)), key=lambda k: (tree[0][k][3] >= 0, -len(lines[k])))
    return tuple(_smooth(lines[k]) for k in order)


def _crossings(
    margin: Plane, inside: Mask, corner: tuple[int, int], mode: int, level: float = 0.0
) -> tuple[list[NDArray[np.float32]], NDArray[np.int32]]:
    """Lines (n, 2) of (x, y) where the interpolated margin crosses a level around `inside`, and OpenCV's tree of them.

    Everything that is not inside counts as outside: neighbouring regions, and whatever lies beyond the picture, which
    ends at the outer edge of its last pixels.

    Args:
        margin: (rows, cols) of the frame.
        inside: 0/1 in a box of the frame.
        corner: (x, y) of that box.
        mode: OpenCV's retrieval mode, RETR_...
        level: the margin to cross.
    """
    values = _around(margin, corner, (inside.shape[0], inside.shape[1]), level)
    other = (values > 0).view(np.uint8) != cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    if other.any():
        np.negative(values, out=values, where=other)
    fine = np.asarray(cv2.resize(values, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_LINEAR), np.float32)
    traced, tree = cv2.findContours((fine > 0).view(np.uint8), mode, cv2.CHAIN_APPROX_NONE)
    if not traced:
        return [], np.zeros((1, 0, 4), np.int32)
    # One array for all lines, since noise has thousands of them.
    points = np.concatenate([np.asarray(line[:, 0], np.int32) for line in traced])
    offset = np.array([corner[0] - 1, corner[1] - 1]) - 0.5
    moved = ((_onto_zero(points, fine) + 0.5) / FINE + offset).astype(np.float32)
    return np.split(moved, np.cumsum([len(line) for line in traced[:-1]])), np.asarray(tree, np.int32)


def _around(margin: Plane, corner: tuple[int, int], shape: tuple[int, int], level: float) -> NDArray[np.float32]:
    """The margin minus a level in a box and one pixel around it; the picture's last pixels are repeated beyond it."""
    (x0, y0), (height, width), (rows, cols) = corner, shape, margin.shape
    top, left = max(0, y0 - 1), max(0, x0 - 1)
    bottom, right = min(rows, y0 + height + 1), min(cols, x0 + width + 1)
    missing = (top - y0 + 1, y0 + height + 1 - bottom, left - x0 + 1, x0 + width + 1 - right)
    part = slice(top, bottom), slice(left, right)
    values = margin.along_border(part) if isinstance(margin, Margin) and not level else margin[part] - np.float32(level)
    return np.asarray(cv2.copyMakeBorder(values, *missing, borderType=cv2.BORDER_REPLICATE), np.float32)


def _onto_zero(points: NDArray[np.int32], plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move points (n, 2) of (x, y) just inside a region down the slope to where the plane is 0; one pixel at most."""
    wide = plane.shape[1]
    at, flat = points[:, 1] * wide + points[:, 0], plane.ravel()
    slope = np.stack([flat[at + 1] - flat[at - 1], flat[at + wide] - flat[at - wide]], axis=1) / 2
    steep = np.maximum(np.hypot(slope[:, 0], slope[:, 1]), np.finfo(np.float32).tiny)
    moved: NDArray[np.float32] = points - slope * (np.minimum(flat[at] / steep, 1) / steep)[:, None]
    return moved


def band_of(margin: Plane, threshold: float, temperature: float = 1.0) -> Band:
    """The iso-contours of the tumour probability at `BAND`.

    Args:
        margin: (rows, cols) tumour logit minus background logit, less the threshold's.
        threshold: the probability at which the margin is 0.
        temperature: the contract's; 1 takes the network's own probability, which nobody calibrated.
    """
    low, high = (iso_outlines(margin, temperature * _logit(share) - _logit(threshold)) for share in BAND)
    return Band(low, high)


def iso_outlines(margin: Plane, level: float) -> tuple[NDArray[np.float32], ...]:
    """Outlines (n, 2) of (x, y) where the interpolated margin crosses a level, without specks."""
    part = margin.near(level) if isinstance(margin, Margin) else _all(margin)
    inside = (margin[part] > level).view(np.uint8)
    left, top, width, height = cv2.boundingRect(inside)
    if width == 0:
        return ()
    box = inside[top : top + height, left : left + width]
    lines, _ = _crossings(margin, box, (part[1].start + left, part[0].start + top), cv2.RETR_LIST, level)
    return tuple(_smooth(line) for line in lines if len(line) >= 4 * SMOOTHING)


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _pixel_outlines(one: NDArray[np.uint8], corner: tuple[int, int]) -> tuple[NDArray[np.float32], ...]:
    """The outer outline of a speck, through the centres of its pixels; holes are not drawn."""
    traced, _ = cv2.findContours(one, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return (np.asarray(traced[0][:, 0] + np.array(corner), np.float32),)


def _smooth(outline: NDArray[np.floating]) -> NDArray[np.float32]:
    """Average each vertex of a closed outline with its neighbours along the line."""
    points: NDArray[np.float32] = np.asarray(outline, np.float32)
    count = len(points)
    if count < 4 * SMOOTHING:
        return points
    reach = SMOOTHING // 2
    closed = np.concatenate((points[-reach:], points, points[:reach]))
    total = sum((closed[start : start + count] for start in range(2 * reach, -1, -1)), np.zeros_like(points))
    smooth: NDArray[np.float32] = total / np.float32(SMOOTHING)
    return smooth


def diameters_of(outline: NDArray[np.float32], spacing: PixelSpacing) -> Diameters:
    """The longest diameter of an outline and its full width perpendicular to that.

    Args:
        outline: (n, 2) of (x, y) pixels.
        spacing: mm per pixel of each axis.
    """
    hull = cv2.convexHull(outline + np.float32(0))[:, 0]  # -0 becomes 0: of one point with both signs OpenCV makes none
    points = hull * np.array([spacing.col_mm, spacing.row_mm])
    first, second = _furthest(points)
    longest = math.dist(points[first], points[second])
    ends = (_point(hull[first]), _point(hull[second]))
    if longest == 0.0:
        return Diameters(0.0, 0.0, ends)
    along = (points[second] - points[first]) / longest
    across = points @ np.array([-along[1], along[0]])
    return Diameters(longest, float(across.max() - across.min()), ends)


def _furthest(corners: NDArray[np.float64]) -> tuple[int, int]:
    """Indices of the two corners (n, 2) of a convex polygon that are furthest from each other.

    Source: Shamos, rotating calipers. For each edge, the corner furthest from its line is found by the directions of
    the edges; its neighbours are tried too, since rounding bends flat corners.
    """
    count = len(corners)
    if count < 3:
        return 0, count - 1
    x, y = corners.T
    directions = np.arctan2(np.roll(y, -1) - y, np.roll(x, -1) - x)
    order = np.argsort(directions)
    turned = directions + np.where(directions > 0, -np.pi, np.pi)
    places = np.searchsorted(directions, turned, sorter=order)
    second = (order[places % count][:, None] + np.arange(-1, 3)) % count
    apart = np.square(x[:, None] - x[second]) + np.square(y[:, None] - y[second])
    row, col = np.unravel_index(int(apart.argmax()), apart.shape)
    one, other = int(row), int(second[row, col])
    return min(one, other), max(one, other)


def _point(xy: NDArray[np.floating]) -> tuple[float, float]:
    return float(xy[0]), float(xy[1])
