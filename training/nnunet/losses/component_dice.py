"""nnU-Net's loss with the Dice of every tumour region beside the whole one: a small region counts as a large one."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from training.nnunet.losses.overlap import tumour
from training.nnunet.losses.slice_dice import SMOOTH_PIXELS

SHARE = 0.5
"""How much the regions count beside nnU-Net's own Dice; at 0 the loss is nnU-Net's."""


def changed(loss: Any, share: float = SHARE) -> Any:  # noqa: ANN401 - nnU-Net's untyped modules
    """Put the Dice of regions beside nnU-Net's.

    Args:
        loss: `DC_and_CE_loss`, with or without deep supervision around it.
        share: of the regions' Dice in both, from 0 to 1.
    """
    inner = getattr(loss, "loss", loss)
    inner.dc = ComponentDice(getattr(inner.dc, "_orig_mod", inner.dc), share)  # on a GPU it is compiled
    return loss


class ComponentDice(nn.Module):
    """Minus the mean of nnU-Net's Dice and of the mean Dice over all regions of a batch.

    A region is scored within its territory, the pixels that are nearer to it than to another (Jaus et al., Every
    component counts: rethinking the measure of success for medical semantic segmentation in multi-instance segmentation
    tasks, 2024; as a loss after Kofler et al., blob loss: instance imbalance aware loss functions for semantic
    segmentation, 2022). A slice without a tumour is one territory, in which a false contour costs as in `slice_dice`.

    Attributes:
        dice: nnU-Net's Dice.
        share: of the regions.
    """

    def __init__(self, dice: Any, share: float) -> None:  # noqa: ANN401 - nnU-Net's untyped module
        super().__init__()
        self.dice, self.share = dice, share

    def forward(self, logits: torch.Tensor, truth: torch.Tensor, loss_mask: torch.Tensor | None = None) -> torch.Tensor:
        """The loss; arguments as of `overlaps`."""
        whole: torch.Tensor = self.dice(logits, truth, loss_mask=loss_mask)
        found, true = tumour(self.dice, logits, truth)
        ids = torch.from_numpy(batch_territories(true.bool().cpu().numpy())).to(found.device)
        if loss_mask is not None:
            found, true = found * loss_mask[:, 0], true * loss_mask[:, 0]
        count = int(ids.max()) + 1
        both, predicted, wanted = (
            torch.zeros(count, device=found.device).index_add(0, ids.flatten(), one.flatten())
            for one in (found * true, found, true)
        )
        smooth = torch.where(wanted > 0, self.dice.smooth, SMOOTH_PIXELS)
        regions = ((2 * both + smooth) / (predicted + wanted + smooth)).mean()
        return (1 - self.share) * whole - self.share * regions


def batch_territories(masks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number every pixel by the region that it is nearest to, counted through the batch; (slices, rows, cols) both."""
    numbered, first = [], 0
    for mask in masks:
        numbered.append(territories(mask) + first)
        first = int(numbered[-1].max()) + 1
    return np.stack(numbered)


def territories(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number every pixel by the region of a mask (rows, cols) that it is nearest to, from 0; all 0 if there is none."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if count < 2:
        return np.zeros(mask.shape, np.int64)
    nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    return np.asarray(labels[tuple(nearest)] - 1, np.int64)
