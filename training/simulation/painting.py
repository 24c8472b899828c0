"""Tumours painted into real volumes: body, border and edge from the simulator, speckle from the volume itself.

A real volume without a mask teaches how real brain looks, as long as nothing is said where its own tumour may be:
that region has the label `IGNORED`. The speckle of a painted body is the volume's own around its local mean, so that
sulci, which the mean follows, are lost inside as they are in a tumour.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.simulation.noise import Field, smooth_noise

IGNORED = 2
"""nnU-Net's ignore label."""
_FINE_MM, _COARSE_MM = 1.5, 7.0
_RING_MM = 6.0
_NEAR_MM = 9.0
_TRIES = 60

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Painted:
    """A volume with a painted tumour: grey and labels (0, 1, `IGNORED`), (k, j, i)."""

    image: Field
    label: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Brush:
    """One tumour as drawn: mm and factors."""

    radius_mm: float
    stretch: NDArray[np.float64]
    finger: float
    border_mm: float
    contrast: float
    grain: float
    edged: float
    cyst: float


def paint(
    rng: np.random.Generator, volume: Field, spacing_mm: float, ignored: Mask, *, known: bool = True
) -> Painted | None:
    """Paint one tumour away from what is ignored, and change gain and compression of the whole.

    Args:
        rng: of this painting.
        volume: (k, j, i), 0 outside the sector.
        spacing_mm: of its cubes.
        ignored: where its own tumour may be.
        known: False ignores everything but the painted tumour and what lies within 9 mm around it.

    Returns:
        The painting; None where no place was found.
    """
    inside = volume > 0
    brush = _draw(rng)
    own = ndimage.distance_transform_edt(~ignored) if ignored.any() else np.inf
    edge = np.asarray(ndimage.distance_transform_edt(inside) * spacing_mm, np.float32)
    allowed = np.where(
        inside, np.minimum(edge, np.float32(0.6) * np.asarray(own * spacing_mm, np.float32)), np.float32(0)
    )
    allowed = np.where(ignored, np.float32(0), allowed)
    axes = tuple(np.arange(n, dtype=np.float32) * np.float32(spacing_mm) for n in volume.shape)
    body = _body(rng, axes, brush, allowed)
    if body is None:
        return None
    grey = _grey(rng, volume, axes, body, brush, spacing_mm)
    label = np.where(ignored & inside, IGNORED, 0).astype(np.uint8)
    if not known:
        label[inside & (body < -_NEAR_MM)] = IGNORED
    label[(body > 0) & inside] = 1
    return Painted(np.where(inside, np.maximum(_regained(rng, grey, axes), 1.0), 0.0).astype(np.float32), label)


def _draw(rng: np.random.Generator) -> _Brush:
    """Half of the bodies are as bright as what lies around them."""
    kind = rng.random()
    blended = kind < 0.5
    contrast = rng.uniform(0.9, 1.12) if blended else rng.uniform(1.2, 2.0) if kind < 0.9 else rng.uniform(0.45, 0.8)
    stretch = np.exp(rng.normal(0.0, 0.25, 3))
    radius = float(np.exp(rng.uniform(np.log(6.0), np.log(20.0))))
    return _Brush(
        radius_mm=radius,
        stretch=stretch / np.cbrt(stretch.prod()),
        finger=float(rng.uniform(0.06, 0.3)),
        border_mm=float(rng.uniform(0.3, 2.0) * min(1.0, radius / 8.0)),
        contrast=float(contrast),
        grain=float(rng.uniform(0.5, 1.1)),
        edged=float(rng.uniform(0.3, 0.95) if blended else rng.uniform(0.0, 0.8) * (rng.random() < 0.6)),
        cyst=float(rng.uniform(0.25, 0.5) if rng.random() < 0.12 else 0.0),
    )


def _body(
    rng: np.random.Generator, axes: tuple[Field, ...], brush: _Brush, allowed: NDArray[np.float32]
) -> Field | None:
    """Signed field, mm, positive inside: an ellipsoid with fingers, cut by the sector and by what is ignored."""
    candidates = np.flatnonzero(allowed > 0.45 * brush.radius_mm)
    if candidates.size == 0:
        return None
    at = np.unravel_index(int(rng.choice(candidates)), allowed.shape)
    grid = np.meshgrid(*axes, indexing="ij", sparse=True)
    parts = zip(grid, at, axes, brush.stretch, strict=True)
    distance = np.sqrt(sum(np.square((g - axis[n]) / s) for g, n, axis, s in parts))
    wide = smooth_noise(rng, axes, float(np.clip(brush.radius_mm * 0.8, 4.0, 10.0)))
    fingers = brush.finger * (wide + 0.3 * smooth_noise(rng, axes, 3.0))
    whole = brush.radius_mm * (1.0 + fingers) - distance
    body = np.where(allowed > 0, whole, np.minimum(whole, -0.5))
    pieces, count = ndimage.label(body > 0)
    if count == 0:
        return None
    largest = 1 + int(np.argmax(np.bincount(np.asarray(pieces).ravel())[1:]))
    return np.where((body > 0) & (np.asarray(pieces) != largest), -0.5, body).astype(np.float32)


def _grey(
    rng: np.random.Generator, volume: Field, axes: tuple[Field, ...], body: Field, brush: _Brush, spacing_mm: float
) -> Field:
    """The volume with the body in it."""
    inside = volume > 0
    fine = _mean(volume, inside, _FINE_MM / spacing_mm)
    speckle = np.clip(volume / np.maximum(fine, 1.0), 0.4, 1.9)
    around = inside & (body < 0) & (body > -_RING_MM)
    level = _mean(
        np.minimum(volume, np.percentile(volume[around], 92.0)) if around.any() else volume,
        inside,
        _COARSE_MM / spacing_mm,
    )
    if around.any():  # as bright as the ring asks, however the middle was
        level = level * np.float32(volume[around].mean() / max(float(level[around].mean()), 1.0))
    texture = 1.0 + rng.uniform(0.0, 0.12) * smooth_noise(rng, axes, 3.0)
    tumour = brush.contrast * level * texture * (1.0 + brush.grain * (speckle - 1.0))
    if brush.cyst > 0:
        tumour = tumour * (1.0 - 0.8 * _step((body - (1.0 - brush.cyst) * float(body.max())) / 0.4))
    share = _step(body / brush.border_mm / 1.4)
    grey = volume * (1.0 - share) + tumour * share
    if brush.edged > 0:
        along = smooth_noise(rng, axes, 9.0)
        present = along > np.quantile(along[around], 1.0 - brush.edged) if around.any() else around
        slope = np.sqrt(sum(np.square(g) for g in np.gradient(body, spacing_mm)))
        line = np.exp(-(((body + 0.8) / np.maximum(slope, 0.3) / rng.uniform(0.4, 0.8)) ** 2)) * present
        bright = np.percentile(volume[inside], rng.uniform(93.0, 98.5)) * speckle
        grey = grey * (1.0 - line) + np.maximum(grey, bright) * line
    return np.asarray(grey, np.float32)


def _regained(rng: np.random.Generator, grey: Field, axes: tuple[Field, ...]) -> Field:
    """Another gain over the picture and another log compression."""
    gain = np.exp(rng.uniform(0.0, 0.25) * smooth_noise(rng, axes, 30.0))
    return np.asarray(60.0 * (np.maximum(grey * gain, 0.0) / 60.0) ** np.exp(rng.normal(0.0, 0.15)), np.float32)


def _mean(volume: Field, inside: Mask, sigma: float) -> Field:
    """Gaussian mean over what lies in the sector."""
    weight = ndimage.gaussian_filter(inside.astype(np.float32), sigma)
    return np.asarray(
        ndimage.gaussian_filter(np.where(inside, volume, 0.0), sigma) / np.maximum(weight, 1e-3), np.float32
    )


def _step(value: Field) -> Field:
    return np.asarray(0.5 + 0.5 * np.tanh(value), np.float32)
