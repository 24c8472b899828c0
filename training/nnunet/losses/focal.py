"""nnU-Net's Dice with the focal cross-entropy, in which pixels that are right already hardly count."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

GAMMA = 2.0
"""How fast a pixel loses weight as it comes right; at 0 it is the cross-entropy. Lin et al., Focal loss for dense
object detection, 2017, found 2 best."""


def changed(loss: Any, gamma: float = GAMMA) -> Any:  # noqa: ANN401 - nnU-Net's untyped modules
    """Put the focal cross-entropy in the place of nnU-Net's.

    Args:
        loss: `DC_and_CE_loss`, with or without deep supervision around it.
        gamma: the exponent.
    """
    inner = getattr(loss, "loss", loss)
    inner.ce = Focal(inner.ce.ignore_index, gamma)
    return loss


class Focal(nn.Module):
    """The mean of (1 - p)^gamma times the cross-entropy, where p is the probability of the true label.

    Attributes:
        ignored: the label of the pixels of which nothing is known.
        gamma: the exponent.
    """

    def __init__(self, ignored: int, gamma: float) -> None:
        super().__init__()
        self.ignored, self.gamma = ignored, gamma

    def forward(self, logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """The loss of logits (slices, labels, rows, cols) for labels (slices, rows, cols)."""
        labels = truth.long()
        each = cross_entropy(logits, labels, reduction="none", ignore_index=self.ignored)
        weight = (1 - torch.exp(-each)) ** self.gamma
        return (weight * each)[labels != self.ignored].mean()
