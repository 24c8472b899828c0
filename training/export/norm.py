"""Instance normalisation spelled out, since ONNX Runtime's own operator is not accurate enough for equal masks.

ONNX Runtime's logits are an order of magnitude further from the float64 result than PyTorch's, since its operator sums
a whole plane in one go (tests/benchmarks/bench_norm.py measures both, and the time). After nnU-Net's rounding of logits
to float16 that turned a border pixel in one slice out of twenty. Means of row means are as close as PyTorch.
"""

import torch
from torch import nn


class SpelledOutInstanceNorm(nn.Module):
    """The same function as `nn.InstanceNorm2d` at inference, in operators whose sums stay short.

    Args:
        norm: the layer to replace; affine, without running statistics, as nnU-Net builds them.
    """

    def __init__(self, norm: nn.InstanceNorm2d) -> None:
        super().__init__()
        self.scale = nn.Parameter(norm.weight.detach().reshape(1, -1, 1, 1))
        self.shift = nn.Parameter(norm.bias.detach().reshape(1, -1, 1, 1))
        self.eps = norm.eps

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """(1, channels, rows, cols) -> the same, each plane of zero mean and unit SD, then scaled and shifted."""
        centred = planes - _plane_mean(planes)
        variance = _plane_mean(centred * centred)
        return centred * (self.scale / torch.sqrt(variance + self.eps)) + self.shift


def spell_out_norms(network: nn.Module) -> int:
    """Replace every affine InstanceNorm2d in a network, in place.

    Returns:
        How many there were.
    """
    found = [
        (parent, name, child)
        for parent in network.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.InstanceNorm2d) and child.affine and not child.track_running_stats
    ]
    # nnU-Net's blocks hold a layer by name and in a Sequential: the same layer becomes the same replacement.
    replacements = {id(child): SpelledOutInstanceNorm(child) for _, _, child in found}
    for parent, name, child in found:
        setattr(parent, name, replacements[id(child)])
    return len(replacements)


def _plane_mean(planes: torch.Tensor) -> torch.Tensor:
    """Mean of each plane as the mean of its rows' means: (1, channels, 1, 1)."""
    return planes.mean(dim=3, keepdim=True).mean(dim=2, keepdim=True)
