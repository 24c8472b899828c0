"""Whether a NIfTI file states how large its pixels are. nibabel, ITK and so MONAI make 1 mm of what states nothing."""

import nibabel as nib
import numpy as np
from nibabel.openers import ImageOpener

from inference.spacing import PIXEL_MM

_BYTES = 348
"""Of a NIfTI-1 header, which says so in its first field."""
_IN_MM = (0, 2)
"""xyzt_units, spatial part: unknown (mm by custom) and mm."""
_APART = 0.01
"""Share by which pixdim and sform may differ."""


def unknown_scale(path: str) -> str:
    """Why a file does not state how large its pixels are, in one sentence; empty if it does.

    Its header is read as it stands, without repairs.

    Args:
        path: a .nii or .nii.gz.
    """
    with ImageOpener(path) as file:
        blob = file.read(_BYTES)
    if len(blob) < _BYTES or _BYTES not in (int.from_bytes(blob[:4], "little"), int.from_bytes(blob[:4], "big")):
        return f"{path} is not a NIfTI-1 file: write the slice as one."
    header = nib.Nifti1Header(blob, check=False)
    sides = np.asarray(header["pixdim"][1:3], np.float64)
    stated = f"{path} states pixels of {sides[1]:g} × {sides[0]:g}"
    if header["qform_code"] <= 0 and header["sform_code"] <= 0:
        return f"{stated} with neither qform nor sform code, so that nobody vouches for it: set one."
    if int(header["xyzt_units"]) & 7 not in _IN_MM:
        return f"{stated}, but not in mm: write the file in mm."
    if not ((sides >= PIXEL_MM[0]) & (sides <= PIXEL_MM[1])).all():
        return f"{stated} mm, which no ultrasound picture has: write the right ones."
    lengths = np.linalg.norm(header.get_sform()[:3, :2], axis=0)
    if header["sform_code"] > 0 and not (np.abs(lengths - sides) <= _APART * sides).all():
        return f"{stated} mm, but its sform {lengths[1]:g} × {lengths[0]:g} mm: write the right ones."
    return ""
