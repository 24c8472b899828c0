"""nnU-Net's own loss, and a batch to try a loss on."""

import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss


def nnunet_loss(*, batch_dice: bool = True, ignore: int | None = None) -> DC_and_CE_loss:
    settings = {"batch_dice": batch_dice, "smooth": 1e-5, "do_bg": False, "ddp": False}
    how = {"weight_ce": 1, "weight_dice": 1, "ignore_label": ignore, "dice_class": MemoryEfficientSoftDiceLoss}
    return DC_and_CE_loss(settings, {}, **how)


def batch(seed: int = 0, *, ignore: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Random logits (3, 2, 32, 32), and truth with a large region, a small one beside it, and an empty slice."""
    draw = torch.Generator().manual_seed(seed)
    truth = torch.zeros(3, 1, 32, 32)
    truth[0, 0, 2:20, 2:20] = 1
    truth[0, 0, 26:29, 26:29] = 1
    truth[1, 0, 10:14, 12:18] = 1
    if ignore is not None:
        truth[0, 0, :, 15:20] = ignore
    return torch.randn(3, 2, 32, 32, generator=draw), truth
