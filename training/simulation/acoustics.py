"""Stochastic B-mode in the polar domain: tissue in, log-compressed echo (dB) out. Steps 3-8 of domain facts D.2.

Scatterers are complex Gaussian numbers on a lattice fixed to the tissue, so speckle moves with it. The slice
thickness (elevation beam) is a blur of lattice and tissue along elevation, done once a patient, not once a plane.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.simulation.artefacts import contact_loss, face_bands, gain_curve
from training.simulation.geometry import Pose, Raster, Sector
from training.simulation.noise import Field
from training.simulation.parameters import Scanner
from training.simulation.tissue import Box, Tissue

# Lattice cells (y, z, x) and their size: periodic every 26 x 38 x 38 mm. Powers of two make the wrap a bit mask.
_CELLS = (64, 256, 256)
_CELL_MM = (0.4, 0.15, 0.15)
_ELEVATION_MM = 0.6  # sigma of the slice thickness
_SPEED_MM_US = 1.54
_SECTION_MM = 0.5
_SPECULAR = 9.0
_BEAM_WIDTHS = 4


@dataclass(frozen=True, slots=True)
class Scene:
    """A patient in front of a scanner, ready to render planes."""

    box: Box
    scanner: Scanner
    sector: Sector
    section: Raster
    fields: tuple[Field, Field, Field]
    """Echo amplitude, attenuation and impedance, blurred by the slice thickness."""
    lattice: NDArray[np.complex64]
    to_polar: tuple[Field, Field]
    gain: Field
    """Time gain compensation for each sample (amplitude)."""
    contact: Field
    """Share of the amplitude that each line gets through the probe's contact with the brain."""
    seed: int


def build_scene(
    rng: np.random.Generator, box: Box, tissue: Tissue, scanner: Scanner, samples: int, lines: int
) -> Scene:
    """Precompute all that does not change from plane to plane."""
    half_angle = float(np.radians(scanner.half_angle_deg))
    sector = Sector(scanner.face_radius_mm, scanner.depth_mm, half_angle, samples, lines)
    section = Raster(float(box.x[0]), float(box.z[0]), _SECTION_MM, 169, 185)
    lateral, depth = sector.cartesian()
    blur = _ELEVATION_MM / box.step_mm
    amplitude = ndimage.gaussian_filter1d(np.sqrt(tissue.power), blur, axis=0)
    attenuation = ndimage.gaussian_filter1d(tissue.attenuation, blur, axis=0)
    impedance = ndimage.gaussian_filter1d(tissue.impedance, blur, axis=0)
    lattice = rng.standard_normal((*_CELLS, 2), dtype=np.float32).view(np.complex64)[..., 0]
    lattice = _blur_lattice(lattice)
    contact, artefacts = _contact(rng, lines), scanner.artefacts
    set_wrong: Field | float = 1.0
    if artefacts is not None:
        set_wrong, contact = (
            gain_curve(rng, sector.ranges, artefacts),
            contact * contact_loss(lines, artefacts)[None, :],
        )
    two_way_db = 2.0 * scanner.attenuation * scanner.frequency_mhz * sector.ranges / 10.0
    return Scene(
        box=box,
        scanner=scanner,
        sector=sector,
        section=section,
        fields=(amplitude, attenuation, impedance),
        lattice=lattice,
        to_polar=((lateral - section.left_mm) / _SECTION_MM, (depth - section.top_mm) / _SECTION_MM),
        gain=(10.0 ** (scanner.tgc * two_way_db / 20.0) * set_wrong).astype(np.float32)[:, None],
        contact=contact,
        seed=int(rng.integers(2**31)),
    )


def _contact(rng: np.random.Generator, lines: int) -> Field:
    """Uneven contact (sd 1 dB), and in one patient of three a side that hardly touches."""
    position = np.linspace(-1.0, 1.0, lines)
    loss_db = 3.0 * ndimage.gaussian_filter1d(rng.standard_normal(lines), 8.0, mode="reflect") * 1.8
    side, lifted = rng.choice([-1.0, 1.0]), rng.random() < 0.33
    edge = rng.uniform(0.65, 0.9)
    if lifted:
        loss_db = loss_db + 9.0 * (0.5 + 0.5 * np.tanh((side * position - edge) / 0.07))
    return np.asarray(10.0 ** (-loss_db / 20.0), dtype=np.float32)[None, :]


def _blur_lattice(lattice: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Correlate scatterers over the slice thickness; unit variance again afterwards."""
    sigma = _ELEVATION_MM / _CELL_MM[0]
    real, imaginary = (
        ndimage.gaussian_filter1d(part, sigma, axis=0, mode="wrap") for part in (lattice.real, lattice.imag)
    )
    blurred = (real + 1j * imaginary).astype(np.complex64)
    return np.asarray(blurred / np.sqrt(np.mean(np.abs(blurred) ** 2)), dtype=np.complex64)


def render_plane(scene: Scene, pose: Pose, number: int) -> Field:
    """Echo level in dB on the polar grid (samples, lines) of one plane; `number` seeds its receiver noise."""
    amplitude, attenuation, impedance = (_to_polar(scene, cut(scene, field, pose)) for field in scene.fields)
    loss = _transmission(scene, attenuation) * scene.contact
    edge = cv2.GaussianBlur(np.abs(np.gradient(impedance, scene.sector.sample_mm, axis=0)), (0, 0), 1.2)
    rng = np.random.default_rng((scene.seed, number))
    index = _lattice_index(scene, pose)
    total = np.zeros_like(amplitude)
    for look in range(scene.scanner.looks):
        scatter = scene.lattice.ravel()[index ^ (look * 0x155555 & (scene.lattice.size - 1))]
        echo = scatter * amplitude + _SPECULAR * edge * (0.6 + 0.4 * scatter)
        signal = _point_spread(scene, np.ascontiguousarray(echo * loss))
        signal += _receiver_noise(rng, signal.shape, scene.scanner.noise)
        total += np.abs(signal)
    envelope = total / scene.scanner.looks * scene.gain + _near_field(scene, rng)
    return np.asarray(20.0 * np.log10(envelope + 1e-6), dtype=np.float32)


def cut(scene: Scene, field: Field, pose: Pose) -> Field:
    """A field on the section raster of a plane, by trilinear interpolation."""
    lateral, depth = scene.section.points()
    points = pose.points(np.broadcast_to(lateral, (scene.section.rows, scene.section.cols)), depth)
    index = scene.box.index(*points)
    return ndimage.map_coordinates(field, index, order=1, mode="nearest", output=np.float32)


def _to_polar(scene: Scene, section: Field) -> Field:
    return np.asarray(cv2.remap(section, *scene.to_polar, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _transmission(scene: Scene, attenuation: Field) -> Field:
    """Two-way amplitude left at each sample: what lies above shadows or enhances what lies below."""
    scanner = scene.scanner
    per_sample_db = 2.0 * scanner.attenuation * scanner.frequency_mhz * scene.sector.sample_mm / 10.0
    smooth = cv2.GaussianBlur(attenuation, (0, 0), sigmaX=1.5, sigmaY=0.8)
    return np.asarray(10.0 ** (-per_sample_db * np.cumsum(smooth, axis=0) / 20.0), dtype=np.float32)


def _lattice_index(scene: Scene, pose: Pose) -> NDArray[np.int64]:
    """Flat index of the lattice cell at each polar sample of a plane."""
    lateral, depth = scene.sector.cartesian()
    x, y, z = pose.points(lateral, depth)
    cells = [
        np.floor(p / size + 4096.0).astype(np.int32) & (count - 1)
        for p, size, count in zip((y, z, x), _CELL_MM, _CELLS, strict=True)
    ]
    return np.asarray((cells[0] * _CELLS[1] + cells[1]) * _CELLS[2] + cells[2], dtype=np.int64)


def _point_spread(scene: Scene, echo: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Blur along the line by the pulse, across lines by the beam, which is narrowest at the focus.

    The lateral blur is interpolated between a few widths, so that it may change with depth.
    """
    scanner, sector = scene.scanner, scene.sector
    axial = 0.6 * _SPEED_MM_US / scanner.frequency_mhz / sector.sample_mm
    away = (sector.ranges - scanner.focus_mm) / 26.0
    width_mm = scanner.beam_mm * 7.0 / scanner.frequency_mhz * np.sqrt(1.0 + away**2)
    line_mm = (scanner.face_radius_mm + sector.ranges) * 2.0 * sector.half_angle_rad / (sector.lines - 1)
    wanted = width_mm / line_mm
    levels = np.geomspace(wanted.min(), wanted.max() + 1e-6, _BEAM_WIDTHS)
    channels = echo.view(np.float32).reshape(*echo.shape, 2)
    pulse = _kernel(axial)
    result = np.zeros_like(channels)
    for level in levels:
        weight = np.clip(1.0 - np.abs(np.log(wanted / level)) / np.log(levels[1] / levels[0]), 0.0, 1.0)
        used = np.flatnonzero(weight)
        low, high = max(0, used[0] - len(pulse)), used[-1] + 1 + len(pulse)
        blurred = cv2.sepFilter2D(channels[low:high], -1, _kernel(float(level)), pulse, borderType=cv2.BORDER_REFLECT)
        result[low:high] += blurred * weight[low:high, None, None].astype(np.float32)
    return np.ascontiguousarray(result).view(np.complex64)[..., 0]


def _kernel(sigma: float) -> Field:
    """Gaussian of unit energy, so that speckle keeps its power whatever the width."""
    reach = max(1, int(np.ceil(2.6 * sigma)))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(taps / np.sqrt(np.sum(taps**2)), dtype=np.float32)


def _receiver_noise(rng: np.random.Generator, shape: tuple[int, ...], level: float) -> NDArray[np.complex64]:
    noise = rng.standard_normal((*shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    return np.asarray(noise * np.float32(level), dtype=np.complex64)


def _near_field(scene: Scene, rng: np.random.Generator) -> Field:
    """Haze near the probe and the bright band of its face, uneven across lines."""
    ranges = scene.sector.ranges[:, None]
    uneven = ndimage.gaussian_filter1d(rng.standard_normal(scene.sector.lines), 6.0) * 4.0
    band = 0.5 * np.exp(-((ranges / 1.0) ** 2)) * (1.0 + 0.15 * uneven[None, :])
    if scene.scanner.artefacts is not None:
        band = face_bands(rng, scene.sector.ranges, scene.sector.lines, scene.scanner.artefacts)
    return np.asarray(scene.scanner.haze * np.exp(-ranges / 18.0) + np.abs(band), dtype=np.float32)
