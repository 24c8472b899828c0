"""A slice that MONAI would take for 1 mm a pixel is known as one that states no scale."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from inference.nifti import picture_header
from inference.spacing import PixelSpacing, Provenance
from training.export.bundle.scripts.scale import unknown_scale


def written(path: Path, **fields: object) -> str:
    """A slice with some raw fields of its header changed, which nibabel would repair."""
    header = picture_header(PixelSpacing(0.3, 0.2, Provenance.HEADER))
    nib.Nifti1Image(np.ones((8, 9), np.uint8), None, header).to_filename(path)
    data = path.read_bytes()
    raw = nib.Nifti1Header(data[:348], check=False)
    for name, value in fields.items():
        raw[name] = value
    path.write_bytes(raw.binaryblock + data[348:])
    return str(path)


def test_what_states_its_scale_is_known(tmp_path: Path):
    assert unknown_scale(written(tmp_path / "good.nii")) == ""


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"pixdim": [1, 0, 0.3, 1, 0, 0, 0, 0]}, "no ultrasound picture has"),
        ({"pixdim": [1, np.nan, 0.3, 1, 0, 0, 0, 0]}, "no ultrasound picture has"),
        ({"pixdim": [1, 0.25, 0.3, 1, 0, 0, 0, 0]}, "but its sform"),
        ({"xyzt_units": 1}, "not in mm"),
        ({"qform_code": 0, "sform_code": 0}, "nobody vouches"),
    ],
)
def test_what_does_not_is_said_in_a_sentence(tmp_path: Path, fields: dict[str, object], words: str):
    assert words in unknown_scale(written(tmp_path / "bad.nii", **fields))


def test_what_is_no_nifti_states_nothing(tmp_path: Path):
    (tmp_path / "no.nii").write_bytes(b"no picture" * 100)
    assert "not a NIfTI-1 file" in unknown_scale(str(tmp_path / "no.nii"))
