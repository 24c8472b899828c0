"""The volumes, mask and start of one pair, read and checked."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from training.cohort.mask_checks import check_mri_mask
from training.registration.mapping import Mapping, read_start
from training.registration.pairs import Pair
from training.registration.volume import Volume, as_volume, read_placed


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What a registration starts from.

    Attributes:
        image: the ultrasound as ITK has it, on whose grid masks are carried over.
        us: the same as an array.
        mris: one MRI or several in one world.
        label: tumour mask in the MRI's world; None where there is none.
        start: MRI to ultrasound, RAS mm, or a deformation, which is the result then.
    """

    image: sitk.Image
    us: Volume
    mris: list[Volume]
    label: sitk.Image | None
    start: Mapping


def read_inputs(pair: Pair) -> Inputs:
    """Read a pair's files.

    Raises:
        NotFoundError: if one is missing.
        FormatError: if one cannot be read or does not say where it lies, or the mask cannot be the MRI's.
    """
    assert pair.us is not None  # noqa: S101 - `register` refuses such a pair by name
    image, mris = read_placed(pair.us), [read_placed(path) for path in pair.mris]
    label = None if pair.label is None else read_placed(pair.label)
    if label is not None and pair.label is not None:
        check_mri_mask(mris[0], label, pair.label)
    us = as_volume(image)
    start = np.eye(4) if pair.start is None else read_start(pair.start, us)
    return Inputs(image, us, [as_volume(mri) for mri in mris], label, start)
