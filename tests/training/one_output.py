"""A network with one output, as somebody adds it to nnU-Net's."""

import torch
from torch import nn


class OneOutput(nn.Conv2d):
    """One convolution, built with what nnU-Net gives every network."""

    def __init__(self, input_channels: int, num_classes: int, *, deep_supervision: bool, **_: object) -> None:
        super().__init__(input_channels, num_classes, 3, padding=1)
        self.deep_supervision = deep_supervision


CLASS = f"{OneOutput.__module__}.{OneOutput.__qualname__}"


def batch(rows: int, cols: int) -> dict[str, torch.Tensor]:
    """Noise with a brighter rectangle, and its label."""
    label = torch.zeros(2, 1, rows, cols)
    label[:, :, 20:40, 24:52] = 1
    return {"data": torch.randn(label.shape, generator=torch.Generator().manual_seed(0)) + 2 * label, "target": label}
