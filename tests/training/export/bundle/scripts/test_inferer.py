"""A bundle computes in the bits that its model was proved in, as the viewer does."""

import warnings
from pathlib import Path

import torch
from tiny import threshold_model

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # warnings of MONAI's imports
    from monai.data import MetaTensor

    from training.export.bundle.scripts.inferer import SliceInferer
    from training.export.bundle.scripts.network import OnnxNetwork, providers
    from training.export.bundle.scripts.reader import UNKNOWN


def test_no_convolution_is_in_tf32(tmp_path: Path) -> None:
    """Ten bits of each product move contours, by less than the golden masks would tell."""
    path, seen = str(tmp_path / "m.onnx"), []
    threshold_model(Path(path), patch=(48, 56))

    class Watched(OnnxNetwork):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            seen.append(torch.backends.cudnn.allow_tf32)
            return super().forward(image)

    before = torch.backends.cudnn.allow_tf32
    picture = MetaTensor(torch.rand(1, 1, 30, 20), meta={UNKNOWN: ""})
    assert SliceInferer(path)(picture, Watched(path)).shape == picture.shape
    assert set(seen) == {False}
    assert torch.backends.cudnn.allow_tf32 is before


def test_onnx_runtime_is_told_so_too() -> None:
    able = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert providers("cuda:0", able)[0] == ("CUDAExecutionProvider", {"use_tf32": "0"})
    for device, listed in (("cpu", able), ("cuda:0", able[1:])):
        assert [name for name, _ in providers(device, listed)] == ["CPUExecutionProvider"]
