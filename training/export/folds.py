"""Several folds as one network. MONAI Bundles carry this file too."""

from collections.abc import Sequence

import torch
from torch import nn


class Folds(nn.Module):
    """Several networks on one picture. Their mean is the engine's: nnU-Net rounds every fold's blended tiles first."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(1, 1, rows, cols) -> logits (folds, labels, rows, cols)."""
        return torch.cat([network(image) for network in self.networks])
