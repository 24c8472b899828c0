"""The model file as a PyTorch module."""

from collections.abc import Sequence

import onnxruntime
import torch
from torch import nn


class OnnxNetwork(nn.Module):
    """Runs an .onnx with ONNX Runtime; it cannot be trained.

    Args:
        path: the file.
        device: where MONAI computes; the network runs there too if ONNX Runtime can.
    """

    def __init__(self, path: str, device: str | torch.device = "cpu") -> None:
        super().__init__()
        self._session = onnxruntime.InferenceSession(
            path, providers=providers(device, onnxruntime.get_available_providers())
        )
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(1, 1, rows, cols) -> logits (folds, labels, rows, cols), float32."""
        (logits,) = self._session.run([self._output], {self._input: image.cpu().numpy()})
        return torch.from_numpy(logits).to(image.device)


def providers(device: str | torch.device, able: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """What ONNX Runtime is to run on, the preferred one first, each with its options.

    It computes in TF32 unless told otherwise, which keeps ten bits of each product and moves contours.

    Args:
        device: where MONAI computes.
        able: the providers that ONNX Runtime was built with.
    """
    wanted: list[tuple[str, dict[str, str]]] = [("CPUExecutionProvider", {})]
    if torch.device(device).type == "cuda" and "CUDAExecutionProvider" in able:
        wanted.insert(0, ("CUDAExecutionProvider", {"use_tf32": "0"}))
    return wanted
