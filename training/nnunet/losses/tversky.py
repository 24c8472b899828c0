"""nnU-Net's cross-entropy with the Tversky index, which a missed pixel costs more than a false one."""

from typing import Any

import torch
from torch import nn

from training.nnunet.losses.overlap import overlaps

MISSED = 0.7
"""What a missed pixel costs, where missed and false ones cost 1 together; at 0.5 the index is Dice. Salehi et al.,
Tversky loss function for image segmentation using 3D fully convolutional deep networks, 2017, found 0.7 best."""


def changed(loss: Any, missed: float = MISSED) -> Any:  # noqa: ANN401 - nnU-Net's untyped modules
    """Put the Tversky index in the place of nnU-Net's Dice.

    Args:
        loss: `DC_and_CE_loss`, with or without deep supervision around it.
        missed: what a missed pixel costs, between 0 and 1.
    """
    inner = getattr(loss, "loss", loss)
    inner.dc = Tversky(getattr(inner.dc, "_orig_mod", inner.dc), missed)  # on a GPU it is compiled
    return loss


class Tversky(nn.Module):
    """Minus the Tversky index of the tumour, both + smooth over both + (1 - missed) false + missed missed + smooth.

    Attributes:
        dice: nnU-Net's Dice, whose sums and smoothing are used.
        missed: what a missed pixel costs.
    """

    def __init__(self, dice: Any, missed: float) -> None:  # noqa: ANN401 - nnU-Net's untyped module
        super().__init__()
        self.dice, self.missed = dice, missed

    def forward(self, logits: torch.Tensor, truth: torch.Tensor, loss_mask: torch.Tensor | None = None) -> torch.Tensor:
        """The loss; arguments as of `overlaps`."""
        both, found, true = overlaps(self.dice, logits, truth, loss_mask)
        smooth = self.dice.smooth / 2
        cost = (1 - self.missed) * (found - both) + self.missed * (true - both)
        index: torch.Tensor = ((both + smooth) / (both + cost + smooth).clamp_min(1e-8)).mean()
        return -index
