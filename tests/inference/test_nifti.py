"""Masks on a grid whose header states no length are named so, quietly."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from inference.model.providers import first_line
from inference.nifti import write_mask_nifti


@pytest.mark.parametrize("length", [0.0, float("nan"), float("inf")])
def test_a_length_that_is_none_is_named_unknown(
    tmp_path: Path, length: float, capfd: pytest.CaptureFixture[str]
) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape((2, 3, 4))
    header.set_sform(np.diag([0.5, 0.5, 0.5, 1]), code=2)
    header["pixdim"][1:4] = (length, 0.5, 0.5)
    mask = np.arange(24).reshape(2, 3, 4) % 2
    write_mask_nifti(mask.astype(np.uint8), header, str(tmp_path / "mask.nii.gz"))
    assert capfd.readouterr().err == ""
    written = nib.load(tmp_path / "mask.nii.gz")
    assert bytes(written.header["descrip"]).startswith(b"scale unknown")
    np.testing.assert_array_equal(written.get_fdata(), mask)
    np.testing.assert_array_equal(written.affine, np.diag([0.5, 0.5, 0.5, 1]))


def test_onnx_runtime_is_quoted_without_its_codes_and_signatures() -> None:
    said = (
        "[ONNXRuntimeError] : 1 : FAIL : Load model from a b.onnx failed:/onnxruntime_src/core/model.cc:256 "
        "onnxruntime::Model::Model(onnx::ModelProto&&, const Path&) Unsupported model IR version: 14.\nmore"
    )
    assert first_line(RuntimeError(said)) == "Unsupported model IR version: 14"
    assert first_line(RuntimeError("")) == "RuntimeError"
