"""Preoperative T1 and FLAIR of a simulated patient, without skull, on a 1 mm grid along RAS. Levels after D.2.

White matter, grey matter, fluid: FLAIR .42, .58, .06 with the tumour at .95 and oedema at +.4; on T1 the tumour loses
35 %. No vessels, no contrast enhancement, no skull or skin.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.registration.transforms import apply
from training.simulation.anatomy import Anatomy, sample_maps
from training.simulation.displacement import Displacement
from training.simulation.noise import Field, smooth_noise
from training.simulation.parameters import Tumour
from training.simulation.tissue import Maps

VOXEL_MM = 1.0
_MARGIN_MM = 4.0
_WHITEST = 400.0
_NOISE, _BIAS = 0.015, 0.06
_PARTIAL_MM = 0.5  # half a voxel of the MRI: what is thinner fades
_CYST_POWER = 8e-4
_ROWS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Mri:
    """T1 and FLAIR (int16, 0 outside the brain) and the tumour as drawn on them; `affine` to MRI world, RAS mm."""

    t1: NDArray[np.int16]
    flair: NDArray[np.int16]
    label: NDArray[np.uint8]
    affine: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Sources:
    """What the MRI shows, on the box grid."""

    sulci: Field
    tumour: Field
    cyst: Field
    drawn: Field


def render_mri(
    rng: np.random.Generator, anatomy: Anatomy, tumour: Tumour, displacement: Displacement, drawn: Field
) -> Mri:
    """The MRI of a patient.

    Args:
        rng: of the patient's MRI.
        anatomy: as it lies during surgery.
        tumour: its parameters.
        displacement: from the MRI's world to surgery.
        drawn: what the annotator takes for the tumour, above 0, on the box grid.
    """
    affine, shape = _grid(displacement)
    axes = tuple(np.arange(n, dtype=np.float32) * np.float32(VOXEL_MM) for n in shape)
    bias = [1.0 + _BIAS * smooth_noise(rng, axes, 60.0) for _ in range(2)]
    noise = [_NOISE * rng.standard_normal(shape, dtype=np.float32) for _ in range(2)]
    reach = 7.0 * (1.0 + 0.5 * smooth_noise(rng, axes, 11.0))
    sources = _sources(anatomy, drawn)
    t1, flair, label = np.zeros(shape, np.int16), np.zeros(shape, np.int16), np.zeros(shape, np.uint8)
    for start in range(0, shape[0], _ROWS_AT_ONCE):
        rows = slice(start, min(start + _ROWS_AT_ONCE, shape[0]))
        index = np.indices(t1[rows].shape).reshape(3, -1).T + np.array([start, 0, 0])
        at = displacement.in_box(apply(affine, index)).T.astype(np.float32).reshape(3, *t1[rows].shape)
        maps, (sulci, body, cyst, border) = _maps_at(anatomy, at), _at(anatomy, sources, at)
        brain = maps.depth > 0
        images = _levels(maps, sulci, body, cyst, tumour, reach[rows])
        for out, image, field, grain in zip((t1, flair), images, bias, noise, strict=True):
            grey = np.clip(_WHITEST * (image * field[rows] + grain[rows]), 1, 2000)
            out[rows] = np.where(brain, np.round(grey), 0)
        label[rows] = (border > 0) & brain
    return Mri(t1, flair, label, affine)


def _grid(displacement: Displacement) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """The smallest grid along RAS that holds the box."""
    box = displacement.box
    ends = np.meshgrid(box.x[[0, -1]], box.y[[0, -1]], box.z[[0, -1]])
    corners = displacement.to_mri(np.stack([end.ravel() for end in ends], axis=1).astype(np.float64))
    low, high = np.floor(corners.min(axis=0) - _MARGIN_MM), np.ceil(corners.max(axis=0) + _MARGIN_MM)
    affine = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
    affine[:3, 3] = low
    i, j, k = (int(n) + 1 for n in (high - low) / VOXEL_MM)
    return affine, (i, j, k)


def _sources(anatomy: Anatomy, drawn: Field) -> _Sources:
    """Thin structures as thick as a voxel of the MRI shows them."""
    tissue, partial = anatomy.tissue, _PARTIAL_MM / anatomy.box.step_mm
    cyst = ((tissue.power < _CYST_POWER) & (tissue.tumour > 0)).astype(np.float32)
    sulci = np.clip(1.6 * ndimage.gaussian_filter(anatomy.sulci, partial), 0.0, 1.0)
    return _Sources(sulci, tissue.tumour, ndimage.gaussian_filter(cyst, partial), drawn)


def _maps_at(anatomy: Anatomy, at: Field) -> Maps:
    """Template maps at points (3, ...) of the box's frame; beyond the box its warp goes on as at its border."""
    fit, (x, y, z) = anatomy.fit, at
    index = anatomy.box.index(x, y, z)
    first, second, third = (_sample(part, index, "nearest") for part in fit.warp)
    press = _sample(np.ascontiguousarray(fit.press[:, 0]).astype(np.float32), index[[0, 2]], "nearest")
    return sample_maps(anatomy.box, (x, y, z), press, fit.deeper_mm, (first, second, third))


def _at(anatomy: Anatomy, sources: _Sources, at: Field) -> tuple[Field, Field, Field, Field]:
    """Sulci, tumour, cyst and the drawn tumour at points of the box's frame."""
    index = anatomy.box.index(*at)
    return (
        _sample(sources.sulci, index, "constant"),
        _sample(sources.tumour, index, "nearest"),
        _sample(sources.cyst, index, "constant"),
        _sample(sources.drawn, index, "nearest"),
    )


def _sample(field: Field, index: Field, mode: Literal["nearest", "constant"]) -> Field:
    return np.asarray(ndimage.map_coordinates(field, index, order=1, mode=mode, output=np.float32))


def _levels(maps: Maps, sulci: Field, body: Field, cyst: Field, tumour: Tumour, reach: Field) -> tuple[Field, Field]:
    """T1 and FLAIR, white matter of T1 at 1."""
    fluid = np.clip(np.maximum(np.maximum(maps.fluid, maps.ventricle), sulci), 0.0, 1.0)
    white, grey = maps.white * (1.0 - sulci), maps.grey * (1.0 - sulci)
    share = 0.5 + 0.5 * np.tanh(body / tumour.border_mm / 1.4)
    shell = (0.5 + 0.5 * np.tanh((body + reach) / 2.0)) * white * (1.0 - share)
    t1 = 1.0 * white + 0.72 * grey + 0.3 * fluid - 0.12 * shell
    t1 = t1 * (1.0 - 0.35 * share)
    flair = 0.42 * white + 0.58 * grey + 0.06 * fluid + 0.4 * shell
    # Folds go on in an infiltrated gyrus.
    flair = flair * (1.0 - share) + 0.95 * share * (1.0 - 0.5 * sulci)
    t1, flair = (image * (1.0 - cyst) + low * cyst for image, low in ((t1, 0.3), (flair, 0.12)))
    falx = np.maximum(maps.falx, maps.choroid)
    t1, flair = (image * (1.0 - falx) + 0.35 * falx for image in (t1, flair))
    return t1, flair
