"""The model file as a PyTorch module."""

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
        wanted = ["CPUExecutionProvider"]
        if torch.device(device).type == "cuda":
            wanted.insert(0, "CUDAExecutionProvider")
        able = onnxruntime.get_available_providers()
        self._session = onnxruntime.InferenceSession(path, providers=[one for one in wanted if one in able])
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(1, 1, rows, cols) -> logits (folds, labels, rows, cols), float32."""
        (logits,) = self._session.run([self._output], {self._input: image.cpu().numpy()})
        return torch.from_numpy(logits).to(image.device)
