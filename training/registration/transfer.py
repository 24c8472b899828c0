"""Tumour masks of MRI on the ultrasound's grid."""

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from scipy import ndimage

from inference.errors import FormatError
from training.registration.mapping import Mapping, itk_of

SMOOTHING = 0.8
"""Standard deviation of the Gaussian that smooths a mask's voxel steps, in the mask's own voxels."""


def transfer(label: sitk.Image, us: sitk.Image, mapping: Mapping) -> tuple[sitk.Image, float]:
    """Resample an MRI's mask on the ultrasound's grid, within the field of view.

    Args:
        label: the mask, on any grid in the MRI's world; every value above 0 belongs to it.
        us: the ultrasound volume.
        mapping: matrix MRI to ultrasound, RAS mm, or a deformation.

    Returns:
        The mask (0 and 1, 8 bits) and the share of the label's volume that the ultrasound shows, percent.

    Raises:
        FormatError: if the label is empty.
    """
    total = _volume_mm3(label > 0)
    if total == 0:
        raise FormatError("The tumour mask is empty: nothing in it is above 0.")
    moved = sitk.Resample(surface(label > 0), us, itk_of(mapping), sitk.sitkLinear, 0.0, sitk.sitkFloat32)
    mask = sitk.And(moved >= 0.5, field_of_view(us))
    return mask, min(100.0, 100.0 * _volume_mm3(mask) / total)


def surface(mask: sitk.Image) -> sitk.Image:
    """A field whose 0.5 level set is the mask's surface without its voxel steps.

    A Gaussian smooths the steps, which linear interpolation would carry over. Where smoothing would flip a voxel, the
    voxel keeps its value, so that on its own grid the mask comes back unchanged.
    """
    binary = sitk.GetArrayViewFromImage(mask) > 0
    field = ndimage.gaussian_filter(binary.astype(np.float32), SMOOTHING)
    image = sitk.GetImageFromArray(np.where(binary, np.maximum(field, 0.501), np.minimum(field, 0.499)))
    image.CopyInformation(mask)
    return image


def field_of_view(us: sitk.Image) -> sitk.Image:
    """The sector: what is above 0, with the holes that cysts and shadows leave in it filled."""
    return sitk.BinaryFillhole(us > 0)


def _volume_mm3(mask: sitk.Image) -> float:
    """Volume of a mask of 0 and 1."""
    return float(np.count_nonzero(sitk.GetArrayViewFromImage(mask)) * np.prod(mask.GetSpacing()))
