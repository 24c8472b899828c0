"""The golden cases: small frames with masks by nnU-Net's own predictor, which the user's device has to reproduce."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelError
from inference.frame import Pixels
from inference.model.golden import GoldenCase
from inference.model.logits import CAVITY, TUMOUR
from training.export.parity import Reference
from training.export.samples import Sample

TUMOURS = 3
"""Golden cases with tumour. With one alone, changed weights that move large and small contours differently may pass."""
_LARGEST_PX = 256 * 256
"""The largest golden frame: each costs some 50 kB and one pass when the model is loaded."""
_SQUEEZE = 0.8
"""By how much the columns of tumour cases are squeezed, so that pixels and picture are not square."""


def golden_cases(
    reference: Reference, samples: Sequence[Sample], masks: Sequence[NDArray[np.uint8]]
) -> tuple[GoldenCase, ...]:
    """Cases with tumour, from the largest to a small one (anisotropic, not square, off centre), and one without.

    If nnU-Net sees cavities, the case with the largest comes between them.

    Args:
        reference: makes the expected masks.
        samples: slices to choose from.
        masks: nnU-Net's labels of each slice.
    """
    order = sorted(range(len(samples)), key=lambda index: int((masks[index] == TUMOUR).sum()))
    falling = [samples[index] for index in reversed(order) if (masks[index] == TUMOUR).any()] or [samples[order[-1]]]
    tumours = _tumours(reference, [_askew(one) for one in falling])
    hole = max(range(len(samples)), key=lambda index: int((masks[index] == CAVITY).sum()))
    cavities = [_case(reference, _askew(samples[hole]))] if (masks[hole] == CAVITY).any() else []
    plain = np.full((120, 160), 50, np.uint8)
    least = [samples[index] for index in order if not masks[index].any()] or [samples[order[0]]]
    none = _first(reference, (_smaller(one) for one in [*least, Sample("grey", plain, (0.5, 0.5))]), empty=True)
    return *tumours, *cavities, none


def insist(cases: Sequence[GoldenCase], *, cavity: bool = False) -> None:
    """Refuse golden cases that cannot tell a working network from a broken one.

    Args:
        cases: of `golden_cases`.
        cavity: whether the network knows cavities.

    Raises:
        ModelError: if fewer than `TUMOURS` cases have a contour, none has a cavity, or the last one has anything.
    """
    *shown, none = cases
    found = sum(bool((case.mask == TUMOUR).any()) for case in shown)
    if not found:
        raise ModelError(
            "nnU-Net segments nothing on any slice, which proves nothing: give tumour slices with --verify."
        )
    if found < TUMOURS:
        raise ModelError(
            f"nnU-Net segments something on {found} of the slices only, and the self-test needs {TUMOURS}: give more "
            "tumour slices with --verify."
        )
    if cavity and not any((case.mask == CAVITY).any() for case in shown):
        raise ModelError("nnU-Net sees a cavity on none of the slices: give some that show one with --verify.")
    if none.mask.any():
        raise ModelError("nnU-Net segments something on every slice: give tumour-free ones too with --verify.")


def _tumours(reference: Reference, falling: Sequence[Sample]) -> list[GoldenCase]:
    """Up to `TUMOURS` slices with a contour, evenly from the first to the last third of them, each only once."""
    wanted = [number * len(falling) // TUMOURS for number in range(TUMOURS)]
    ends = [*wanted[1:], len(falling)]
    parts = [falling[start:end] for start, end in zip(wanted, ends, strict=True) if start < end]
    return [_first(reference, part, empty=False) for part in parts]


def _first(reference: Reference, samples: Iterable[Sample], *, empty: bool) -> GoldenCase:
    """The first slice whose mask is empty, or is not, as asked; if there is none, the last slice."""
    for sample in samples:
        case = _case(reference, sample)
        if (case.mask if empty else case.mask == TUMOUR).any() != empty:
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
