"""Pseudo-labels: what exported models agree on in real volumes, as labels to train on (self-training).

A slice alone tells a bright sulcus from a tumour badly; a volume does better. So a volume is segmented in its three
directions, the probabilities are averaged, and one connected body is taken for the tumour: what lies far from it is
taken for none, and what is doubtful is ignored (nnU-Net's ignore label). No person drew any of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from inference.contract import Mode
from inference.model.engine import Engine
from training.cohort.cases import Case, with_volumes
from training.io.files import alone_in
from training.io.progress import Bar
from training.registration.volume import read_image
from training.slicing.fingerprint import fingerprint
from training.slicing.half_known import IGNORED, Volume, cut_all_ways
from training.slicing.leaks import look_path, write_look
from training.slicing.slices import PSEUDO, SliceRow, write_slices
from training.slicing.volumes import as_cubes

SMOOTH_MM = 1.0
SURE, DOUBTFUL = 0.6, 0.3
"""Probability from which a voxel of the body is tumour, and below which a voxel is none."""
NEAR_MM = 8.0
"""Doubtful voxels this near to the body are ignored; further ones are taken for no tumour."""
LEAST_CM3 = 0.5
LEAST_MEAN = 2 / 3
"""A smaller body, or one of a lower mean probability, is not believed: its place is ignored."""

Probability = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cut:
    """How a volume is cut: mm between slices with tumour, tumour-free slices a volume, mirrored or single passes."""

    step_mm: float
    negatives: int
    mode: Mode = Mode.FAST


def pseudo_label(models: Sequence[Path], cases: Iterable[Case], store: Path, cut: Cut) -> list[SliceRow]:
    """Label and cut the ultrasound volume of every case; one without a body that is believed gives no tumour.

    Args:
        models: exported models, whose probabilities are averaged.
        cases: whose volumes; masks of theirs are not looked at, and excluded cases are left out.
        store: gets images, labels (0, 1, 2 to ignore) and `slices.csv`.
        cut: how.

    Raises:
        NotFoundError: if no volume is left, or one is missing.
        FormatError: if a volume cannot be read, or a case has no patient.
        OutputError: if the store cannot be made.
        ModelError: if a model does not run here or does not reproduce its own masks.
        AnalysisError: if a slice cannot be analysed.
    """
    used = with_volumes(cases)
    with alone_in(store):
        engines = [Engine.load(model, trial=True) for model in models]
        (store / "slices.csv").unlink(missing_ok=True)  # of other slices than those that are there from now on
        rows = [
            row
            for case, volume in Bar(used, desc="pseudolabel", unit="volume")
            for row in _label_volume(engines, case, volume, store, cut)
        ]
        write_slices(rows, store / "slices.csv")
    return rows


def probability_of(
    engines: Sequence[Engine], pixels: NDArray[np.float32], spacing_mm: float, mode: Mode
) -> Probability:
    """The mean probability of tumour over models and the three directions, (k, j, i); 0 where nothing was scanned."""
    total = np.zeros(pixels.shape, np.float32)
    for engine in engines:
        for axis in range(3):
            planes, sums = np.moveaxis(pixels, axis, 0), np.moveaxis(total, axis, 0)
            for index, plane in enumerate(planes):
                if plane.any():
                    odds = engine.segment(np.ascontiguousarray(plane), (spacing_mm, spacing_mm), mode).margin.odds
                    sums[index] += expit(odds.whole())
    return total / np.float32(3 * len(engines))


def labels_of(probability: Probability, spacing_mm: float) -> NDArray[np.uint8]:
    """0 no tumour, 1 the body of most probability, 2 to ignore.

    Args:
        probability: of tumour, (k, j, i).
        spacing_mm: between voxels, alike in every direction.
    """
    smooth = ndimage.gaussian_filter(probability, SMOOTH_MM / spacing_mm)
    doubtful = smooth >= DOUBTFUL
    body = _body(smooth, spacing_mm)
    if not body.any():
        return np.where(doubtful, IGNORED, 0).astype(np.uint8)
    near = ndimage.distance_transform_edt(~body) * spacing_mm <= NEAR_MM
    labels = np.where(doubtful & near, IGNORED, 0)
    labels[body & (smooth >= SURE)] = 1
    return labels.astype(np.uint8)


def _body(smooth: Probability, spacing_mm: float) -> NDArray[np.bool_]:
    """The connected part over one half that holds the most probability; empty where it is not to be believed."""
    parts, count = ndimage.label(smooth > 0.5)
    if count == 0:
        return np.zeros(smooth.shape, np.bool_)
    weights = ndimage.sum_labels(smooth, parts, range(1, count + 1))
    body: NDArray[np.bool_] = parts == 1 + int(np.argmax(weights))
    voxels = np.count_nonzero(body)
    believed = voxels * spacing_mm**3 >= LEAST_CM3 * 1000.0 and weights.max() >= LEAST_MEAN * voxels
    return body if believed else np.zeros(smooth.shape, np.bool_)


def _label_volume(engines: Sequence[Engine], case: Case, path: Path, store: Path, cut: Cut) -> list[SliceRow]:
    read = read_image(path)
    write_look(fingerprint(read), look_path(store, case.case))
    image = as_cubes(sitk.Cast(read, sitk.sitkFloat32), sitk.sitkLinear)
    pixels, spacing = sitk.GetArrayFromImage(image), float(image.GetSpacing()[0])
    label = labels_of(probability_of(engines, pixels, spacing, cut.mode), spacing)
    volume = Volume(f"{case.case}pseudo", case.case, case.patient, pixels, label, spacing, PSEUDO)
    return cut_all_ways(volume, store, cut.step_mm, cut.negatives)
