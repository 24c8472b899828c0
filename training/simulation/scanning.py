"""Move the simulated probe: a sweep of native frames, and a tracked sweep compounded into an oblique volume."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from training.simulation.acoustics import Scene, cut, render_plane
from training.simulation.anatomy import Anatomy
from training.simulation.artefacts import planes_apart
from training.simulation.geometry import Pose, square_raster
from training.simulation.greymap import GreyMap, fit_grey_map
from training.simulation.noise import Field

Mask = NDArray[np.uint8]

_CLEAR_MM = 5.0  # tumour-free planes before and after the tumour
_REACH_MM = 33.0  # elevation that the box holds
_SWEEP_PIVOT_MM = 150.0
_ROWS_AT_ONCE = 12


@dataclass(frozen=True, slots=True)
class Volume:
    """A compounded volume: float32 grey, 0 outside the sector; truth on the same grid; `affine` to RAS mm."""

    image: Field
    truth: Mask
    affine: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sweep:
    """Native frames (frames, rows, cols) uint8 with their truth, square pixels of `pixel_mm`, `step_mm` apart."""

    frames: Mask
    truth: Mask
    pixel_mm: float
    step_mm: float


def volume_poses(rng: np.random.Generator, anatomy: Anatomy, plane_mm: float) -> list[Pose]:
    """Planes fanned in elevation, evenly, so that the tumour is covered; at most `plane_mm` apart at full depth."""
    pivot = float(np.exp(rng.uniform(np.log(60.0), np.log(400.0))))
    low, high = _tumour_elevation(anatomy)
    aim = anatomy.centre[2] + pivot
    deepest = float(anatomy.box.z[-1]) + pivot
    first = float(np.arcsin(max((low - rng.uniform(5.0, 11.0)) / aim, -_REACH_MM / deepest)))
    last = float(np.arcsin(min((high + rng.uniform(5.0, 11.0)) / aim, _REACH_MM / deepest)))
    count = int(np.ceil((last - first) * deepest / plane_mm)) + 1
    return [Pose(float(tilt), pivot) for tilt in np.linspace(first, last, count)]


def sweep_poses(rng: np.random.Generator, anatomy: Anatomy, frames: int) -> list[Pose]:
    """A smooth freehand sweep: from tumour-free planes through the tumour and out again, with a steady hand's drift."""
    low, high = _tumour_elevation(anatomy)
    aim = anatomy.centre[2] + _SWEEP_PIVOT_MM
    reach = _REACH_MM / (float(anatomy.box.z[-1]) + _SWEEP_PIVOT_MM)
    first, last = np.arcsin(max((low - _CLEAR_MM) / aim, -reach)), np.arcsin(min((high + _CLEAR_MM) / aim, reach))
    if rng.random() < 0.5:
        first, last = last, first
    time = np.linspace(0.0, 1.0, frames)
    tilt = first + (last - first) * (time - 0.05 * np.sin(2.0 * np.pi * time))
    phase = rng.uniform(0.0, 2.0 * np.pi, 2)
    shift = rng.uniform(1.0, 2.5) * np.sin(2.0 * np.pi * 0.9 * time + phase[0])
    turn = np.radians(rng.uniform(1.0, 3.0)) * np.sin(2.0 * np.pi * 0.7 * time + phase[1])
    moves = zip(tilt, shift, turn, strict=True)
    return [Pose(float(a), _SWEEP_PIVOT_MM, float(s), float(t)) for a, s, t in moves]


def _tumour_elevation(anatomy: Anatomy) -> tuple[float, float]:
    """First and last elevation (mm) that the tumour reaches."""
    planes = np.flatnonzero((anatomy.tissue.tumour > 0).any(axis=(1, 2)))
    return float(anatomy.box.y[planes[0]]), float(anatomy.box.y[planes[-1]])


def render_fan(scene: Scene, poses: list[Pose]) -> Field:
    """Echo levels in dB, (planes, samples, lines)."""
    levels = np.empty((len(poses), scene.sector.samples, scene.sector.lines), np.float32)
    for number, pose in enumerate(poses):
        levels[number] = render_plane(scene, pose, number)
    return levels


def set_grey_map(scene: Scene, levels: Field) -> GreyMap:
    """Set gain and curve on a tenth of the planes, every sample weighted by the area it covers."""
    sector = scene.sector
    weight = sector.face_radius_mm + sector.ranges
    rows = np.searchsorted(np.cumsum(weight), np.linspace(0.0, 0.999, 300) * weight.sum())
    some = levels[:: max(1, len(levels) // 10)][:, rows]
    return fit_grey_map(some, scene.scanner.brightness, scene.scanner.artefacts)


def compound(
    rng: np.random.Generator,
    scene: Scene,
    anatomy: Anatomy,
    poses: list[Pose],
    planes: Mask,
    voxel_mm: float,
) -> Volume:
    """Interpolate grey planes (planes, samples, lines) onto an oblique isotropic grid, 30-50 degrees from RAS."""
    blur = 0.4 * voxel_mm / scene.sector.sample_mm
    stack = np.stack([cv2.GaussianBlur(plane, (0, 0), sigmaX=0.01, sigmaY=blur) for plane in planes])
    if scene.scanner.artefacts is not None:
        stack = _put_together(rng, scene, stack)
    turn = Rotation.from_rotvec(_direction(rng) * np.radians(rng.uniform(30.0, 50.0))).as_matrix()
    affine, shape = _grid(scene, anatomy, poses, turn, voxel_mm)
    image, truth = np.zeros(shape, np.float32), np.zeros(shape, np.uint8)
    for start in range(0, shape[0], _ROWS_AT_ONCE):
        rows = slice(start, min(start + _ROWS_AT_ONCE, shape[0]))
        _fill(image[rows], truth[rows], start, scene, anatomy, poses, stack, affine)
    return Volume(image, truth, affine)


def _put_together(rng: np.random.Generator, scene: Scene, stack: Mask) -> Mask:
    """Planes as a tracked sweep leaves them: edges that jump, planes of unequal gain, blurred across; 0 is cut off."""
    artefacts, sector = scene.scanner.artefacts, scene.sector
    if artefacts is None:
        return stack
    left, right, grey = planes_apart(rng, len(stack), artefacts)
    width = (sector.face_radius_mm + 0.5 * sector.depth_mm) * 2.0 * sector.half_angle_rad / (sector.lines - 1)
    planes = np.clip(stack * grey[:, None, None], 1.0, 255.0).astype(np.float32)
    if artefacts.smooth > 0:
        planes = ndimage.gaussian_filter1d(planes, artefacts.smooth, axis=0)
    place = np.arange(sector.lines)[None, :] * width
    kept = (place >= left[:, None]) & (place <= (sector.lines - 1) * width - right[:, None])
    return np.where(kept[:, None, :], planes.astype(np.uint8), np.uint8(0))


def _direction(rng: np.random.Generator) -> NDArray[np.float64]:
    direction = rng.normal(size=3)
    return np.asarray(direction / np.linalg.norm(direction))


def _grid(
    scene: Scene, anatomy: Anatomy, poses: list[Pose], turn: NDArray[np.float64], voxel_mm: float
) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """Affine and shape of the smallest grid with axes `turn` that holds every plane."""
    lateral, depth = scene.sector.cartesian()
    rim = (slice(None, None, 8), slice(None, None, 8))
    corners = [np.stack([c.ravel() for c in pose.points(lateral[rim], depth[rim])]) for pose in (poses[0], poses[-1])]
    points = np.concatenate(corners, axis=1)
    ras = anatomy.box.to_ras[:3, :3] @ points + anatomy.box.to_ras[:3, 3:]
    along = turn.T @ ras
    low, high = along.min(axis=1) - 2 * voxel_mm, along.max(axis=1) + 2 * voxel_mm
    shape = np.ceil((high - low) / voxel_mm).astype(int) + 1
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * voxel_mm, turn @ low
    return affine, (int(shape[0]), int(shape[1]), int(shape[2]))


def _fill(
    image: Field,
    truth: Mask,
    start: int,
    scene: Scene,
    anatomy: Anatomy,
    poses: list[Pose],
    stack: Mask,
    affine: NDArray[np.float64],
) -> None:
    """Fill a slab of the volume, whose first voxel index is `start`, in place."""
    to_box = (np.linalg.inv(anatomy.box.to_ras) @ affine).astype(np.float32)
    i, j, k = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in image.shape), indexing="ij", sparse=True)
    i = i + np.float32(start)
    x, y, z = (to_box[r, 0] * i + to_box[r, 1] * j + to_box[r, 2] * k + to_box[r, 3] for r in range(3))
    pivot = poses[0].pivot_mm
    spread = (poses[-1].tilt_rad - poses[0].tilt_rad) / (len(poses) - 1)
    plane = (np.arctan2(y, z + pivot) - poses[0].tilt_rad) / spread
    line, sample, inside = scene.sector.polar_index(x, np.hypot(y, z + pivot) - pivot)
    inside &= (plane >= 0) & (plane <= len(poses) - 1)
    where = np.stack([plane[inside], sample[inside], line[inside]])
    if scene.scanner.artefacts is not None:
        there = stack[tuple(np.round(where).astype(np.int32))] > 0
        where, inside[inside] = where[:, there], there
    grey = ndimage.map_coordinates(stack, where, order=1, output=np.float32)
    image[inside] = np.maximum(np.round(grey * 8.0) / 8.0, 1.0)
    body = ndimage.map_coordinates(
        anatomy.tissue.tumour, anatomy.box.index(x[inside], y[inside], z[inside]), order=1, output=np.float32
    )
    truth[inside] = body > 0


def on_grid(field: Field, anatomy: Anatomy, volume: Volume) -> Field:
    """A field of the box grid on a volume's grid; -1 outside its sector."""
    to_box = np.linalg.inv(anatomy.box.to_ras) @ volume.affine
    out = np.full(volume.image.shape, -1.0, np.float32)
    for start in range(0, len(out), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        inside = np.argwhere(volume.image[rows] > 0)
        x, y, z = (to_box[:3, :3] @ (inside + np.array([start, 0, 0])).T + to_box[:3, 3:]).astype(np.float32)
        sampled = ndimage.map_coordinates(field, anatomy.box.index(x, y, z), order=1, output=np.float32)
        out[rows][tuple(inside.T)] = sampled
    return out


def record(scene: Scene, anatomy: Anatomy, poses: list[Pose], grey: GreyMap, size: int) -> Sweep:
    """Native `size` x `size` frames of a sweep, with the truth in each."""
    raster = square_raster(scene.sector, size)
    lateral, depth = (np.broadcast_to(axis, (size, size)) for axis in raster.points())
    line, sample, inside = scene.sector.polar_index(lateral, depth)
    section = scene.section
    to_section = ((lateral - section.left_mm) / section.pitch_mm, (depth - section.top_mm) / section.pitch_mm)
    frames, truth = np.zeros((2, len(poses), size, size), np.uint8)
    for number, pose in enumerate(poses):
        polar = grey.apply(render_plane(scene, pose, 100_000 + number))
        picture = cv2.remap(polar, line, sample, cv2.INTER_LINEAR)
        frames[number] = np.where(inside, np.maximum(picture, 1), 0)
        body = cv2.remap(cut(scene, anatomy.tissue.tumour, pose), *to_section, cv2.INTER_LINEAR)
        truth[number] = (body > 0) & inside
    return Sweep(frames, truth, raster.pitch_mm, _step_mm(poses, float(anatomy.centre[2])))


def _step_mm(poses: list[Pose], depth_mm: float) -> float:
    """Mean distance between frames at a depth."""
    return abs(poses[-1].tilt_rad - poses[0].tilt_rad) * (_SWEEP_PIVOT_MM + depth_mm) / max(1, len(poses) - 1)
