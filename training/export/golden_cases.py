"""The golden cases: small frames with masks by nnU-Net's own predictor, which the user's device has to reproduce."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelError
from inference.frame import Pixels
from inference.model.golden import GoldenCase
from training.export.parity import Reference
from training.export.samples import Sample

_LARGEST_PX = 256 * 256
"""The largest golden frame: two of them cost some 100 kB and one pass each."""
_SQUEEZE = 0.8
"""By how much the columns of the tumour case are squeezed, so that pixels and picture are not square."""


def golden_cases(
    reference: Reference, samples: Sequence[Sample], masks: Sequence[NDArray[np.uint8]]
) -> tuple[GoldenCase, GoldenCase]:
    """A case with tumour (anisotropic, not square, off centre) and one without.

    Args:
        reference: makes the expected masks.
        samples: slices to choose from.
        masks: nnU-Net's mask of each slice.
    """
    order = sorted(range(len(samples)), key=lambda index: int(masks[index].sum()))
    tumour = _first(reference, (_askew(samples[index]) for index in reversed(order)), empty=False)
    plain = np.full((120, 160), 50, np.uint8)
    least = [samples[index] for index in order if not masks[index].any()] or [samples[order[0]]]
    none = _first(reference, (_smaller(one) for one in [*least, Sample("grey", plain, (0.5, 0.5))]), empty=True)
    return tumour, none


def insist(cases: tuple[GoldenCase, GoldenCase]) -> None:
    """Refuse golden cases that cannot tell a working network from a broken one.

    Raises:
        ModelError: if the tumour case has no contour, or the other one has.
    """
    tumour, none = cases
    if not tumour.mask.any():
        raise ModelError(
            "nnU-Net segments nothing on any slice, which proves nothing: give tumour slices with --verify."
        )
    if none.mask.any():
        raise ModelError("nnU-Net segments something on every slice: give tumour-free ones too with --verify.")


def _first(reference: Reference, samples: Iterable[Sample], *, empty: bool) -> GoldenCase:
    """The first slice whose mask is empty, or is not, as asked; if there is none, the last slice."""
    for sample in samples:
        case = _case(reference, sample)
        if case.mask.any() != empty:
            break
    return case


def _case(reference: Reference, sample: Sample) -> GoldenCase:
    """A slice with nnU-Net's mask as a golden case."""
    return GoldenCase(sample.pixels, sample.spacing_mm, reference.predict(sample.pixels, sample.spacing_mm))


def _askew(sample: Sample) -> Sample:
    """The slice with narrower columns and without its lowest eighth."""
    small = _smaller(sample)
    rows, cols = small.pixels.shape
    narrow = max(1, round(cols * _SQUEEZE))
    pixels = _resized(small.pixels, rows, narrow)[: rows - rows // 8].copy()
    return Sample(small.name, pixels, (small.spacing_mm[0], small.spacing_mm[1] * cols / narrow))


def _smaller(sample: Sample) -> Sample:
    """The slice with no more than `_LARGEST_PX` pixels."""
    rows, cols = sample.pixels.shape
    share = min(1.0, (_LARGEST_PX / (rows * cols)) ** 0.5)
    height, width = max(1, int(rows * share)), max(1, int(cols * share))
    row_mm, col_mm = sample.spacing_mm
    return Sample(sample.name, _resized(sample.pixels, height, width), (row_mm * rows / height, col_mm * cols / width))


def _resized(pixels: Pixels, rows: int, cols: int) -> Pixels:
    """The picture at another size, 0 outside the sector as before, as uint8 where its values allow it."""
    resized = np.asarray(cv2.resize(pixels, (cols, rows), interpolation=cv2.INTER_AREA), np.float32)
    inside = cv2.resize((pixels != 0).view(np.uint8), (cols, rows), interpolation=cv2.INTER_NEAREST)
    resized[inside == 0] = 0
    whole = np.rint(resized)
    return whole.astype(np.uint8) if whole.min() >= 0 and whole.max() <= np.iinfo(np.uint8).max else resized
