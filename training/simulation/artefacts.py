"""What a scanner and a tracked sweep add to a picture: gain, bands, dropout, and the marks of compounding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.simulation.noise import Field, smooth_noise


@dataclass(frozen=True, slots=True)
class Artefacts:
    """Drawn for each patient of a hard cohort. Lengths in mm, levels in dB."""

    gain_db: float
    """Standard deviation of a time gain curve that is set badly."""
    band: float
    """Amplitude of the bright band at the probe's face, against 0.5 of a plain one."""
    echoes: int
    """How often the band comes again, weaker."""
    echo_mm: float
    """Distance between the echoes, and their half width times two."""
    gaps: tuple[tuple[float, float, float], ...]
    """Dropout along lines: position (-1 to 1), half width (share of the sector), loss."""
    curve: tuple[float, ...]
    """Factor on each of the six percentiles of the grey map: gain and log compression as people set them."""
    zigzag_mm: float
    """How far the edges of neighbouring groups of planes lie apart."""
    step: float
    """Factor on the grey of the second of two sweeps put together; 1 for a single sweep."""
    smooth: float
    """Sigma of the blur by which a volume is put together, in voxels."""


def draw_artefacts(rng: np.random.Generator) -> Artefacts:
    """Draw what disturbs the pictures of one patient."""
    gaps = tuple(
        (float(rng.uniform(-1.0, 1.0)), float(rng.uniform(0.01, 0.09)), float(rng.uniform(5.0, 22.0)))
        for _ in range(int(rng.poisson(0.9)))
    )
    tilt, bend = rng.normal(0.0, 0.14), rng.normal(0.0, 0.08)
    place = np.linspace(-1.0, 1.0, 6)
    return Artefacts(
        gain_db=float(rng.uniform(0.0, 4.0)),
        band=float(np.exp(rng.uniform(np.log(0.3), np.log(12.0)))),
        echoes=int(rng.integers(0, 4)),
        echo_mm=float(rng.uniform(0.8, 2.4)),
        gaps=gaps,
        curve=tuple(float(f) for f in np.exp(tilt * place + bend * (2.0 * place**2 - 1.0))),
        zigzag_mm=float(rng.uniform(0.0, 4.0) * (rng.random() < 0.6)),
        step=float(np.exp(rng.uniform(-0.3, 0.3))) if rng.random() < 0.35 else 1.0,
        smooth=float(rng.uniform(0.0, 0.5)),
    )


def gain_curve(rng: np.random.Generator, ranges: Field, artefacts: Artefacts) -> Field:
    """Amplitude by which each sample (mm in `ranges`) is wrongly amplified."""
    wrong = artefacts.gain_db * smooth_noise(rng, (ranges,), 18.0)
    return np.asarray(10.0 ** (wrong / 20.0), dtype=np.float32)


def contact_loss(lines: int, artefacts: Artefacts) -> Field:
    """Amplitude left on each line under what keeps the probe from the brain."""
    place = np.linspace(-1.0, 1.0, lines)
    loss = sum(db * np.exp(-(np.abs((place - at) / (2.0 * half)) ** 4)) for at, half, db in artefacts.gaps)
    return np.asarray(10.0 ** (-np.asarray(loss + 0.0 * place) / 20.0), dtype=np.float32)


def face_bands(rng: np.random.Generator, ranges: Field, lines: int, artefacts: Artefacts) -> Field:
    """The bright band of the probe's face and its echoes, (samples, lines)."""
    uneven = 1.0 + 0.5 * ndimage.gaussian_filter1d(rng.standard_normal(lines), 5.0)
    depth = sum(
        0.35**n * np.exp(-(((ranges - n * artefacts.echo_mm) / (0.5 * artefacts.echo_mm)) ** 2))
        for n in range(artefacts.echoes + 1)
    )
    return np.asarray(0.5 * artefacts.band * np.asarray(depth)[:, None] * uneven[None, :], dtype=np.float32)


def planes_apart(rng: np.random.Generator, planes: int, artefacts: Artefacts) -> tuple[Field, Field, Field]:
    """How far (mm) each plane of a sweep is cut on its left and its right, and the factor on its grey."""
    groups = np.cumsum(rng.random(planes) < 0.18)
    left, right = (np.abs(rng.normal(0.0, artefacts.zigzag_mm, groups[-1] + 1))[groups] for _ in range(2))
    grey = np.ones(planes)
    if artefacts.step != 1.0:
        grey[int(rng.uniform(0.25, 0.75) * planes) :] = artefacts.step
    grey = grey * (1.0 + 0.015 * rng.standard_normal(planes))
    return left.astype(np.float32), right.astype(np.float32), grey.astype(np.float32)


def bent(target: NDArray[np.float64], artefacts: Artefacts) -> NDArray[np.float64]:
    """Grey percentiles under another gain and log compression, still rising."""
    return np.asarray(
        np.maximum.accumulate(np.clip(target * np.array(artefacts.curve), 3.0, 170.0)) + np.arange(6) * 0.2
    )
