"""A simulated patient's brain in the box that a probe on the cortex can see.

Box frame, mm: x lateral, y elevation, z depth below the middle of the probe's face. Arrays are indexed (y, z, x).
Recipe and values after domain facts D.2: warped MNI152, sulci as thin bright sheets, falx, ventricles, choroid plexus.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.simulation.cavity import Cavity, add_cavity
from training.simulation.look import PLAIN, Look, add_bodies, add_curves, glints
from training.simulation.noise import Field, smooth_noise
from training.simulation.parameters import Tumour
from training.simulation.templates import templates
from training.simulation.tissue import Box, Maps, Tissue
from training.simulation.tumour import add_tumour

# Backscatter power of each tissue, relative.
_WHITE, _GREY, _FLUID, _VENTRICLE = 0.012, 0.016, 0.0012, 0.0005
_SULCUS, _FALX, _CHOROID = 1.6, 2.5, 0.9


@dataclass(frozen=True, slots=True)
class Site:
    """Where the tumour is and from where it is seen: RAS mm, unit direction inward."""

    centre: NDArray[np.float64]
    entry: NDArray[np.float64]
    inward: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One patient: the box, its tissue, and the tumour's centre in the box frame (mm)."""

    box: Box
    tissue: Tissue
    centre: NDArray[np.float64]
    site: Site
    fit: "Fit"
    sulci: Field
    """0 to 1, on the box grid."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How the template brain becomes this patient's: pressed onto the probe's face, then warped."""

    press: Field
    """How far (mm) each line of the box moves the cortex towards the probe, (y, 1, x)."""
    deeper_mm: np.float32
    warp: tuple[Field, Field, Field]
    """Displacement along x, y and z, mm, on the box grid."""


def build_anatomy(
    rng: np.random.Generator,
    tumour: Tumour,
    face_radius_mm: float,
    step_mm: float = 0.5,
    look: Look = PLAIN,
    cavity: Cavity | None = None,
) -> Anatomy:
    """Draw a patient whose tumour is `tumour`, seen by a probe whose curved face presses onto the cortex."""
    site = _draw_site(rng, tumour)
    box = _place_box(rng, site, step_mm)
    fit = _draw_fit(rng, box, face_radius_mm)
    y, z, x = np.meshgrid(box.y, box.z, box.x, indexing="ij", sparse=True)
    maps = sample_maps(box, (x, y, z), fit.press, fit.deeper_mm, fit.warp)
    tissue, sulci = _brain(rng, box, maps, look)
    shift = (np.linalg.inv(box.to_ras) @ np.append(site.centre, 1.0))[:3]
    free = add_curves(rng, tissue, box, look, shift, tumour.radius_mm) if look.curves else None
    add_tumour(rng, tissue, box, maps, tumour, shift, free)
    if look.plexuses or look.patches:
        add_bodies(rng, tissue, box, maps, look)
    if cavity is not None:
        add_cavity(rng, tissue, box, cavity, shift)
    return Anatomy(box, tissue, shift, site, fit, sulci)


def _draw_site(rng: np.random.Generator, tumour: Tumour) -> Site:
    """A supratentorial tumour centre under the convexity, and the nearest place on the hull a few degrees off."""
    brain = templates()
    depth = tumour.radius_mm * 0.9 + tumour.cover_mm
    near = np.argwhere((np.abs(brain.hull_depth - depth) < 1.0) & (brain.white + brain.grey > 0.6))
    points = near @ brain.affine[:3, :3].T + brain.affine[:3, 3]
    reachable = (points[:, 2] > 4) & (np.abs(points[:, 0]) > 9) & (points[:, 1] > -80) & (points[:, 1] < 52)
    centre = points[reachable][rng.integers(int(reachable.sum()))]
    outward = _hull_normal(centre) + rng.normal(0.0, 0.12, 3)
    outward = outward / np.linalg.norm(outward)
    steps = centre[:, None] + outward[:, None] * np.arange(0.0, 60.0, 0.5)
    depths = ndimage.map_coordinates(brain.hull_depth, brain.voxel(steps), order=1, mode="nearest")
    entry = steps[:, int(np.argmax(depths <= 0.0))] if (depths <= 0.0).any() else steps[:, -1]
    return Site(centre, entry, -outward)


def _hull_normal(point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vector from a point inside the brain to the hull, from the smoothed gradient of the depth; upward bias."""
    around = point[:, None] + np.concatenate([np.eye(3), -np.eye(3)], axis=1) * 6.0
    brain = templates()
    depth = ndimage.map_coordinates(brain.hull_depth, brain.voxel(around), order=1, mode="nearest")
    normal = depth[3:] - depth[:3] + np.array([0.0, 0.0, 1.5])
    return np.asarray(normal / np.linalg.norm(normal), dtype=np.float64)


def _place_box(rng: np.random.Generator, site: Site, step_mm: float) -> Box:
    """The probe stands over the tumour, turned by any angle, its middle a few millimetres aside."""
    helper = np.array([1.0, 0.0, 0.0]) if abs(site.inward[0]) < 0.8 else np.array([0.0, 1.0, 0.0])
    first = np.cross(site.inward, helper)
    first /= np.linalg.norm(first)
    turn = rng.uniform(0.0, 2.0 * np.pi)
    lateral = np.cos(turn) * first + np.sin(turn) * np.cross(site.inward, first)
    to_ras = np.eye(4)
    to_ras[:3, 0], to_ras[:3, 1], to_ras[:3, 2] = lateral, np.cross(site.inward, lateral), site.inward
    to_ras[:3, 3] = site.entry + lateral * rng.uniform(-9.0, 9.0)
    x, y, z = (_axis(*span, step_mm) for span in ((-46.0, 46.0), (-34.0, 34.0), (-6.0, 78.0)))
    return Box(x, y, z, to_ras)


def _axis(low: float, high: float, step: float) -> Field:
    return np.arange(low, high + step / 2, step, dtype=np.float32)


def _draw_fit(rng: np.random.Generator, box: Box, face_radius_mm: float) -> Fit:
    """A smooth random warp (sd 2.5 mm) and the brain's fit to the probe's face."""
    x = box.x[None, None, :]
    sag = face_radius_mm - np.sqrt(np.maximum(face_radius_mm**2 - np.minimum(x**2, 0.9 * face_radius_mm**2), 0.0))
    deeper = np.float32(rng.uniform(2.0, 4.0))
    first, second, third = (2.5 * smooth_noise(rng, (box.y, box.z, box.x), 28.0) for _ in range(3))
    return Fit((_surface(box) + sag).astype(np.float32), deeper, (first, second, third))


def sample_maps(
    box: Box,
    points: tuple[Field, Field, Field],
    press: Field,
    deeper_mm: np.float32,
    warp: tuple[Field, Field, Field],
) -> Maps:
    """Template maps at points x, y, z (mm, box frame; they broadcast), given the patient's `Fit` at them."""
    brain = templates()
    x, y, z = points
    pressed = z + press * np.exp(-np.maximum(z, 0.0) / 25.0) + deeper_mm
    to_voxel = np.linalg.inv(brain.affine) @ box.to_ras
    local = (x + warp[0], y + warp[1], pressed + warp[2])
    voxel = np.stack([sum(to_voxel[i, k] * local[k] for k in range(3)) + to_voxel[i, 3] for i in range(3)])
    ras = [sum(box.to_ras[i, k] * local[k] for k in range(3)) + box.to_ras[i, 3] for i in range(3)]
    white, grey, depth = (_sample(field, voxel) for field in (brain.white, brain.grey, brain.hull_depth))
    fluid = np.clip(1.0 - white - grey, 0.0, 1.0)
    deep = _step((depth - 14.0) / 1.5)
    ventricle = _step((fluid - 0.5) * 10.0) * deep * _step((32.0 - np.abs(ras[0])) / 1.0) * _step((ras[2] + 8.0) / 1.0)
    ventricle = ventricle * _step((32.0 - ras[2]) / 1.0) * _step((np.abs(ras[0]) - 1.5) / 0.5)
    falx = np.exp(-((ras[0] / 0.7) ** 2)) * _step((fluid - 0.35) * 10.0) * _step(ras[2] / 3.0) * _step(depth / 0.5)
    away = ((np.abs(ras[0]) - 22.0) / 6.0) ** 2 + ((ras[1] + 34.0) / 9.0) ** 2 + ((ras[2] - 12.0) / 4.0) ** 2
    choroid = _step((1.0 - away) * 4.0) * ventricle
    return Maps(white, grey, fluid, depth, ras[0].astype(np.float32), ventricle, falx, choroid)


def _surface(box: Box) -> Field:
    """Depth (mm, at most 14) at which each line of the box meets the hull, smoothed; shape (y, 1, x)."""
    brain = templates()
    y, z, x = np.meshgrid(box.y[::4], np.arange(-6.0, 20.0, 0.5), box.x[::4], indexing="ij")
    to_voxel = np.linalg.inv(brain.affine) @ box.to_ras
    points = np.stack([x.ravel(), y.ravel(), z.ravel(), np.ones(x.size)])
    depth = ndimage.map_coordinates(brain.hull_depth, (to_voxel @ points)[:3], order=1, mode="nearest").reshape(x.shape)
    first = np.where((depth > 0).any(axis=1), np.argmax(depth > 0, axis=1) * 0.5 - 6.0, 14.0)
    smooth = ndimage.gaussian_filter(np.minimum(first, 14.0), 3.0, mode="nearest")
    ratio = (len(box.y) / smooth.shape[0], len(box.x) / smooth.shape[1])
    return ndimage.zoom(smooth, ratio, order=1, grid_mode=True, mode="nearest")[:, None, :].astype(np.float32)


def _sample(field: Field, voxel: NDArray[np.float64]) -> Field:
    return ndimage.map_coordinates(field, voxel, order=1, mode="nearest", output=np.float32)


def _step(value: Field) -> Field:
    """Smooth step from 0 to 1 around 0."""
    return (0.5 + 0.5 * np.tanh(value)).astype(np.float32)


def _brain(rng: np.random.Generator, box: Box, maps: Maps, look: Look) -> tuple[Tissue, Field]:
    """Tissue of the brain without a tumour, and its sulci."""
    axes = (box.y, box.z, box.x)
    matter = _WHITE * maps.white + _GREY * maps.grey + _FLUID * maps.fluid
    # Regional brightness and the streaks of white matter reach the level of many a tumour.
    regional = look.regional_db * smooth_noise(rng, axes, 13.0)
    rough = _step(1.2 * smooth_noise(rng, axes, 15.0)) * maps.white
    streaks = np.clip(smooth_noise(rng, axes, (1.5, 0.8, 1.5)), -1.2, None) * (1.0 + 1.2 * maps.white + 3.0 * rough)
    power = matter * 10.0 ** ((regional + look.streaks * streaks) / 10.0)
    if look.glint > 0:
        power = power + glints(rng, axes, maps, look)
    sulci = _sulci(rng, box, maps, look)
    inside = _step(maps.depth / 0.5)
    pia = np.exp(-(((maps.depth - 0.6) / 0.6) ** 2)) * 10.0 ** (0.35 * smooth_noise(rng, axes, 4.0))
    power = power * (1.0 - sulci) + _SULCUS * sulci * 10.0 ** (0.25 * smooth_noise(rng, axes, 1.8))
    power = power * (1.0 - maps.falx) + _FALX * maps.falx
    power = power * (1.0 - maps.ventricle) + _VENTRICLE * maps.ventricle + _CHOROID * maps.choroid + 0.3 * pia
    power = power * inside + _VENTRICLE * (1.0 - inside)
    fluid = np.maximum(maps.ventricle, 1.0 - inside)
    tissue = Tissue(
        power=power.astype(np.float32),
        attenuation=1.0 - 0.98 * fluid + 1.0 * sulci + 3.0 * maps.falx,
        impedance=-0.05 * fluid + 0.02 * sulci + 0.06 * maps.falx,
        tumour=np.zeros_like(power, dtype=np.float32),
    )
    return tissue, sulci


def _sulci(rng: np.random.Generator, box: Box, maps: Maps, look: Look) -> Field:
    """Sulci, 0 to 1: thin sheets that run inward from the hull and fade with depth, in the places that have folds.

    The zero set of a smooth field is a family of closed sheets; dividing by the gradient gives them one thickness.
    Template fluid alone is too thick and blurred here (an average of 152 brains).
    """
    axes = (box.y, box.z, box.x)
    sheets = np.zeros((len(box.y), len(box.z), len(box.x)), np.float32)
    for knots, reach in (((10.0, 26.0, 10.0), 27.0), ((7.5, 13.0, 7.5), 20.0)):
        field = smooth_noise(rng, axes, knots) + 0.10 * smooth_noise(rng, axes, 3.0)
        slope = np.sqrt(sum(np.square(g) for g in np.gradient(field, box.step_mm)))
        distance = np.abs(field) / np.maximum(slope, 0.07)
        present = _step((smooth_noise(rng, axes, 9.0) + 0.35) * 3.0) * _step(
            (reach * look.sulcus_reach - maps.depth) / 3.0
        )
        sheets = np.maximum(sheets, np.exp(-((distance / look.sulcus_mm) ** 2)) * present)
    folds = _step((maps.fluid - 0.35) * 8.0) * _step((maps.depth - 2.0) / 1.0) * (1.0 - maps.ventricle)
    grey_around = _step((maps.grey - 0.15) * 6.0)
    return np.clip(sheets * (0.4 + 0.6 * np.maximum(folds, grey_around)), 0.0, 1.0) * (1.0 - maps.ventricle)
