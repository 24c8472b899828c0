"""The Dice per slice gives a small tumour and a false contour more weight than nnU-Net's Dice over the batch."""

import pytest
import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss

from training.nnunet.losses import changed


def nnunet_loss() -> DC_and_CE_loss:
    settings = {"batch_dice": True, "smooth": 1e-5, "do_bg": False, "ddp": False}
    return DC_and_CE_loss(settings, {}, weight_ce=1, weight_dice=1, dice_class=MemoryEfficientSoftDiceLoss)


def slope(loss, logits: torch.Tensor, truth: torch.Tensor, index: int) -> float:
    """The gradient of the loss's Dice on one slice of a batch."""
    given = logits.clone().requires_grad_()
    loss.dc(given, truth).backward()
    return float(given.grad[index].abs().sum())


def test_a_small_tumour_and_a_false_contour_weigh_more_beside_a_large_tumour():
    truth = torch.zeros(3, 1, 64, 64)
    truth[0, :, 8:56, 8:56] = 1
    truth[1, :, 30:36, 30:36] = 1
    logits = torch.zeros(3, 2, 64, 64)
    logits[:, 1] = -4 + 6 * truth[:, 0]
    logits[1, 1, 30:36, 30:36] = 0  # half of it is found
    logits[2, 1, 20:30, 20:30] = 1  # a false contour
    theirs, ours = nnunet_loss(), changed("slice-dice", nnunet_loss())
    for index, factor in ((1, 3), (2, 2)):
        before, after = slope(theirs, logits, truth, index), slope(ours, logits, truth, index)
        assert after > factor * before, index
    perfect = torch.zeros(3, 2, 64, 64)
    perfect[:, 1] = 40 * truth[:, 0] - 20
    assert float(ours.dc(perfect, truth)) == pytest.approx(-1, abs=1e-4), "no false contour costs nothing"
