"""A loss of masks that change where only the noise did: the same tissue, a moment later, has the same tumour."""

from typing import Any

import torch
from torch import nn

Batch = dict[str, Any]

STRONGEST = 0.3
"""Most noise of a picture, in standard deviations of its grey levels; four simulated still probes have 0.04 to 0.24."""
_LEAST = 1e-5
"""Keeps the loss at 0 where neither mask has anything."""


def in_pairs(batch: Batch) -> Batch:
    """The pictures of a batch, and after them the same with noise that is drawn anew; each with its label.

    Args:
        batch: nnU-Net's, with `data` (slices, channels, rows, cols) and `target`, a list with deep supervision.
    """
    data, target = batch["data"], batch["target"]
    twice = [torch.cat([one, one]) for one in (target if isinstance(target, list) else [target])]
    paired = {"data": torch.cat([data, noisy(data)]), "target": twice if isinstance(target, list) else twice[0]}
    return batch | paired


def noisy(pictures: torch.Tensor) -> torch.Tensor:
    """Pictures with white noise of a strength that is drawn for each; what is darkest stays, as outside the sector."""
    each = (len(pictures), *(1,) * (pictures.ndim - 1))
    noise = torch.randn_like(pictures) * (STRONGEST * torch.rand(each, device=pictures.device))
    seen = pictures > pictures.amin(tuple(range(1, pictures.ndim)), keepdim=True)
    return pictures + noise * pictures.flatten(1).std(1).reshape(each) * seen


class WithConsistency(nn.Module):
    """nnU-Net's loss of both halves of a batch, plus weight times what their tumours lack of being one.

    The lack is 1 less the soft Dice of both halves, over the batch. A validation's batch is not in pairs, and has
    nnU-Net's loss alone.

    Attributes:
        delineation: nnU-Net's loss, or what stands in its place.
        weight: of the lack.
    """

    def __init__(self, delineation: nn.Module, weight: float) -> None:
        super().__init__()
        self.delineation, self.weight = delineation, weight

    def forward(self, output: Any, truth: Any) -> torch.Tensor:  # noqa: ANN401 - with deep supervision, lists
        """The loss of nnU-Net's outputs for its targets."""
        loss: torch.Tensor = self.delineation(output, truth)
        if not torch.is_grad_enabled():
            return loss
        return loss + self.weight * lack(output[0] if isinstance(output, list) else output)


def lack(logits: torch.Tensor) -> torch.Tensor:
    """1 less the soft Dice of the tumours in the two halves of a batch.

    Args:
        logits: (2 × slices, labels, rows, cols); slice i and slice i + slices show the same tissue.
    """
    one, other = (1 - torch.softmax(logits.float(), 1)[:, 0]).chunk(2)
    both = one.square().sum() + other.square().sum()
    return (one - other).square().sum() / (both + _LEAST)
