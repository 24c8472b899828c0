"""What predicted and true tumour share, summed as nnU-Net's Dice sums it: over slices, the batch, and all GPUs."""

from typing import Any

import torch


def tumour(dice: Any, logits: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401 - nnU-Net's
    """The tumour's probability and its truth, both (slices, rows, cols) float32.

    Args:
        dice: nnU-Net's Dice, for what turns logits into probabilities.
        logits: (slices, labels, rows, cols); label 1 is the tumour.
        truth: (slices, 1, rows, cols), a label each.
    """
    return dice.apply_nonlin(logits)[:, 1].float(), (truth[:, 0] == 1).float()


def overlaps(
    dice: Any,  # noqa: ANN401 - nnU-Net's untyped module
    logits: torch.Tensor,
    truth: torch.Tensor,
    loss_mask: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pixels that are tumour in both, that were predicted, and that are true; one sum a slice, or one for the batch.

    Args:
        dice: nnU-Net's Dice, for its `batch_dice` and `ddp`.
        logits: (slices, labels, rows, cols).
        truth: (slices, 1, rows, cols).
        loss_mask: (slices, 1, rows, cols), False where nothing is known; None if all is.
    """
    found, true = tumour(dice, logits, truth)
    if loss_mask is not None:
        found, true = found * loss_mask[:, 0], true * loss_mask[:, 0]
    sums = [one.sum((1, 2)) for one in (found * true, found, true)]
    if dice.batch_dice:
        sums = [_over_gpus(one, ddp=dice.ddp).sum(0, keepdim=True) for one in sums]
    return sums[0], sums[1], sums[2]


def _over_gpus(sums: torch.Tensor, *, ddp: bool) -> torch.Tensor:
    """The sums of all processes that share a training."""
    if not ddp:
        return sums
    from nnunetv2.utilities.ddp_allgather import AllGatherGrad

    gathered: torch.Tensor = AllGatherGrad.apply(sums).sum(0)
    return gathered
