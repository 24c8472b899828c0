"""Every named loss has its file and turns nnU-Net's loss into one that still has gradients."""

import pytest
import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss

from training.nnunet.losses import LOSSES, changed


@pytest.mark.parametrize("name", LOSSES)
def test_it_has_a_gradient_that_points_to_the_truth(name: str):
    settings = {"batch_dice": True, "smooth": 1e-5, "do_bg": False, "ddp": False}
    built = DC_and_CE_loss(settings, {}, weight_ce=1, weight_dice=1, dice_class=MemoryEfficientSoftDiceLoss)
    loss = changed(name, built)
    truth = torch.zeros(2, 1, 32, 32)
    truth[:, :, 8:20, 8:20] = 1
    logits = torch.zeros(2, 2, 32, 32, requires_grad=True)
    before = loss(logits, truth)
    before.backward()
    assert logits.grad is not None
    with torch.no_grad():
        assert float(loss(logits - 10 * logits.grad / logits.grad.abs().max(), truth)) < float(before)
