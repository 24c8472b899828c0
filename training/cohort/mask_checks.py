"""Signs that a mask does not belong to its picture: swapped, inverted or empty."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from numpy.typing import NDArray

from inference.errors import FormatError

MAX_CLASSES = 16
"""A file with more distinct values than this is a picture or a probability map, not a mask."""
MAX_OUTSIDE = 0.5
"""If more than this share of a mask lies outside the sector, the mask belongs to another picture."""
MAX_COVERED = 0.8
"""No tumour covers this share of the sector; the largest in RESECT, 99 cm³, covers about half."""
_LOOKED_AT = 200_000
_DIGITS = 3


def check_mask(picture: NDArray[np.float32], values: NDArray[np.generic], label: Path) -> None:
    """Refuse a file that cannot be the tumour mask of a picture.

    Args:
        picture: any shape, exactly 0 outside the sector.
        values: the mask's file, the same shape.
        label: its path, for the sentence.

    Raises:
        FormatError: if it is a picture, is empty, holds several labels, covers the sector or lies outside it.
    """
    mask = values > 0  # type: ignore[operator]
    count = int(np.count_nonzero(mask))
    if count == 0:
        raise FormatError(f"{label} is empty: nothing in it is above 0.")
    check_classes(values[mask], label)
    sector = picture != 0
    inside = int(np.count_nonzero(mask & sector))
    if inside < (1 - MAX_OUTSIDE) * count:
        raise FormatError(f"{label} lies mostly outside the ultrasound: is it inverted, or another picture's mask?")
    if inside > MAX_COVERED * np.count_nonzero(sector):
        raise FormatError(f"{label} covers nearly all of the ultrasound: is it inverted?")


def check_classes(positive: NDArray[np.generic], label: Path, what: str = "the tumour's") -> None:
    """Refuse grey values, probabilities or several labels where a mask of one thing is expected.

    A mask that divides a tumour (necrosis, oedema, what takes up contrast) has several: oedema is no tumour.

    Args:
        positive: what is above 0 in the mask's file.
        label: its path, for the sentence.
        what: whose label is to be kept, for the sentence.

    Raises:
        FormatError: if there is more than one value.
    """
    labels = _distinct(positive)
    if len(labels) > MAX_CLASSES:
        raise FormatError(f"{label} is a picture, not a mask: were the two swapped?")
    if len(labels) > 1:
        said = ", ".join(f"{value:g}" for value in labels)
        raise FormatError(f"{label} holds the labels {said}: keep {what} alone, as nobody says which one it is.")


def _distinct(positive: NDArray[np.generic]) -> NDArray[np.float64]:
    """The different values, except for rounding, of a sample that is spread over all, and the least and greatest."""
    sample = positive[:: max(1, len(positive) // _LOOKED_AT)].astype(np.float64)
    ends = [float(np.min(positive)), float(np.max(positive))] if len(positive) else []
    return np.unique(np.append(sample, ends).round(_DIGITS))


def check_mri_mask(mri: sitk.Image, mask: sitk.Image, label: Path) -> None:
    """Refuse a file that cannot be the tumour mask of an MRI; the two may lie on different grids.

    Raises:
        FormatError: if it is a picture, is empty, holds several labels, lies outside the MRI or covers most of it.
    """
    values = sitk.GetArrayViewFromImage(mask)
    positive = values[values > 0]
    if len(positive) == 0:
        raise FormatError(f"{label} is empty: nothing in it is above 0.")
    check_classes(positive, label)
    shown = np.count_nonzero(sitk.GetArrayViewFromImage(mri)) * np.prod(mri.GetSpacing())
    if len(positive) * np.prod(mask.GetSpacing()) > MAX_OUTSIDE * shown:
        raise FormatError(f"{label} covers most of the MRI: is it inverted?")
    middle = np.argwhere(values > 0).mean(axis=0)[::-1]
    index = mri.TransformPhysicalPointToContinuousIndex(mask.TransformContinuousIndexToPhysicalPoint(middle.tolist()))
    if not all(-0.5 <= at <= n - 0.5 for at, n in zip(index, mri.GetSize(), strict=True)):
        raise FormatError(f"{label} does not lie in the MRI: it belongs to another image.")
