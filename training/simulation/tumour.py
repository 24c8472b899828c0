"""Grow a tumour into a brain: finger-like body, faded border, rim, oedema, cysts with posterior enhancement, chalk."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.simulation.noise import Field, smooth_noise
from training.simulation.parameters import Tumour
from training.simulation.tissue import Box, Maps, Tissue

_WHITE_DB = 10.0 * np.log10(0.012)
_CYST, _CHALK = 0.0005, 8.0
_RING_MM = 6.0
_EDGE = 1.6


def add_tumour(
    rng: np.random.Generator,
    tissue: Tissue,
    box: Box,
    maps: Maps,
    tumour: Tumour,
    centre: NDArray[np.float64],
    free: Field | None = None,
) -> None:
    """Change `tissue` in place so that it holds `tumour` around `centre` (box frame, mm).

    Args:
        rng: of the patient.
        tissue: the brain's.
        box: its grid.
        maps: of the template.
        tumour: what is grown.
        centre: where.
        free: distance from a sheet that the tumour does not cross, mm, positive on its side.
    """
    axes = (box.y, box.z, box.x)
    body = _body(rng, box, maps, tumour, centre, free)
    share = 0.5 + 0.5 * np.tanh(body / tumour.border_mm / 1.4)
    _add_oedema(rng, tissue, axes, maps, tumour, body, share)
    texture = tumour.texture_db * (smooth_noise(rng, axes, 3.0) + 0.5 * smooth_noise(rng, axes, 0.9))
    rim = tumour.rim_db * np.exp(-(((body - 0.4) / 0.8) ** 2)) * _patchy(rng, axes)
    level_db = (
        _WHITE_DB + tumour.level_db if tumour.contrast_db is None else _ring_db(tissue, body) + tumour.contrast_db
    )
    inside_db = level_db + texture + rim
    before_db = 10.0 * np.log10(tissue.power)
    # Folds survive, fainter, in an infiltrated gyrus.
    inside_db = np.where(before_db > -9.0, (1.0 - tumour.folds) * inside_db + tumour.folds * before_db, inside_db)
    tissue.power = (10.0 ** ((before_db * (1.0 - share) + inside_db * share) / 10.0)).astype(np.float32)
    tissue.attenuation += (0.25 * share).astype(np.float32)
    tissue.impedance += ((0.006 if tumour.rim_db > 4.0 else 0.002) * share).astype(np.float32)
    tissue.tumour = body
    if tumour.edged > 0:
        _add_edge(rng, tissue, axes, maps, tumour, body)
    if tumour.cyst_fraction > 0:
        _add_cyst(rng, tissue, box, tumour, centre)
    if tumour.calcified:
        _add_chalk(rng, tissue, box, tumour, centre)


def _ring_db(tissue: Tissue, body: Field) -> float:
    """Level of what lies within 6 mm around a body: mean of the dB, as the grey map shows it."""
    ring = (body < 0) & (body > -_RING_MM)
    return float(np.mean(10.0 * np.log10(tissue.power[ring]))) if ring.any() else _WHITE_DB


def _add_edge(
    rng: np.random.Generator, tissue: Tissue, axes: tuple[Field, ...], maps: Maps, tumour: Tumour, body: Field
) -> None:
    """Sulci that a swollen gyrus has pushed around itself: thin, bright, along a part of its border, in the brain."""
    slope = np.sqrt(sum(np.square(g) for g in np.gradient(body, float(axes[0][1] - axes[0][0]))))
    distance = (body + 0.8) / np.maximum(slope, 0.3)
    along = smooth_noise(rng, axes, 9.0)
    near = (body > -4.0) & (body < 1.0)
    present = along > np.quantile(along[near], 1.0 - tumour.edged) if near.any() else near
    share = np.exp(-((distance / rng.uniform(0.3, 0.55)) ** 2)) * present * (maps.depth > 1.0) * (1.0 - maps.ventricle)
    tissue.power += (_EDGE * share * 10.0 ** (0.3 * smooth_noise(rng, axes, 2.0))).astype(np.float32)
    tissue.attenuation += share.astype(np.float32)
    tissue.impedance += (0.02 * share).astype(np.float32)


def _body(
    rng: np.random.Generator,
    box: Box,
    maps: Maps,
    tumour: Tumour,
    centre: NDArray[np.float64],
    free: Field | None,
) -> Field:
    """Signed field, mm: an ellipsoid with fingers that seeks white matter and stops at hull, ventricle and midline."""
    y, z, x = np.meshgrid(box.y, box.z, box.x, indexing="ij", sparse=True)
    offsets = (x - centre[0], y - centre[1], z - centre[2])
    distance = np.sqrt(sum((o / s) ** 2 for o, s in zip(offsets, tumour.stretch, strict=True)))
    axes = (box.y, box.z, box.x)
    fingers = tumour.finger * smooth_noise(rng, axes, float(np.clip(tumour.radius_mm * 0.8, 4.0, 10.0)))
    fingers = fingers + 0.3 * tumour.finger * smooth_noise(rng, axes, 3.0)
    body = tumour.radius_mm * (1.0 + fingers) - distance + 2.5 * (maps.white - 0.5)
    middle = tuple(int(np.argmin(np.abs(a - c))) for a, c in zip(axes, centre[[1, 2, 0]], strict=True))
    side = 1.0 if maps.midline[middle] >= 0 else -1.0
    body = np.minimum(body, maps.depth - 0.8)
    body = np.minimum(body, side * maps.midline - 1.2)
    if free is not None:
        body = np.minimum(body, free - 0.5)
    body = np.minimum(body, 6.0 * (0.5 - maps.ventricle)).astype(np.float32)
    return _one_piece(body)


def _one_piece(body: Field) -> Field:
    """Without the islands that the fingers' noise leaves around the largest piece."""
    labelled, count = ndimage.label(body > 0)
    if count < 2:
        return body
    pieces = np.asarray(labelled)
    largest = 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return np.where((pieces > 0) & (pieces != largest), np.float32(-0.5), body)


def _patchy(rng: np.random.Generator, axes: tuple[Field, ...]) -> Field:
    """Strength of a rim, 0 to 1.2, so that a rim is not a drawn line."""
    return np.asarray(np.clip(0.8 + 0.35 * smooth_noise(rng, axes, 6.0), 0.0, 1.2), dtype=np.float32)


def _add_oedema(
    rng: np.random.Generator,
    tissue: Tissue,
    axes: tuple[Field, ...],
    maps: Maps,
    tumour: Tumour,
    body: Field,
    share: Field,
) -> None:
    reach = 7.0 * (1.0 + 0.5 * smooth_noise(rng, axes, 11.0))
    shell = (0.5 + 0.5 * np.tanh((body + reach) / 2.0)) * maps.white * (1.0 - share)
    tissue.power *= (10.0 ** (tumour.oedema_db * shell / 10.0)).astype(np.float32)


def _add_cyst(rng: np.random.Generator, tissue: Tissue, box: Box, tumour: Tumour, centre: NDArray[np.float64]) -> None:
    """A fluid core: no echo, hardly any attenuation (enhancement behind), a bright wall where the beam meets it."""
    radius = tumour.cyst_fraction * tumour.radius_mm
    away = rng.normal(size=3)
    place = centre + away / np.linalg.norm(away) * (tumour.radius_mm - radius) * rng.uniform(0.0, 0.6)
    y, z, x = np.meshgrid(box.y, box.z, box.x, indexing="ij", sparse=True)
    wobble = 1.0 + 0.15 * smooth_noise(rng, (box.y, box.z, box.x), max(4.0, radius))
    cyst = radius * wobble - np.sqrt((x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2)
    cyst = np.minimum(cyst, tissue.tumour - 1.0)
    share = (0.5 + 0.5 * np.tanh(cyst / 0.35)).astype(np.float32)
    tissue.power = np.exp(np.log(tissue.power) * (1.0 - share) + np.log(_CYST) * share).astype(np.float32)
    tissue.attenuation *= 1.0 - 0.97 * share
    tissue.impedance -= 0.04 * share


def _add_chalk(rng: np.random.Generator, tissue: Tissue, box: Box, tumour: Tumour, centre: NDArray[np.float64]) -> None:
    """One to three calcifications inside the tumour: very bright, with a shadow behind."""
    y, z, x = np.meshgrid(box.y, box.z, box.x, indexing="ij", sparse=True)
    for _ in range(int(rng.integers(1, 4))):
        place = centre + rng.normal(0.0, 0.3 * tumour.radius_mm, 3)
        radius = rng.uniform(0.7, 1.4)
        distance = np.sqrt((x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2)
        share = np.where(tissue.tumour > 0, 0.5 + 0.5 * np.tanh((radius - distance) / 0.4), 0.0).astype(np.float32)
        tissue.power += _CHALK * share
        tissue.attenuation += 14.0 * share
        tissue.impedance += 0.2 * share
