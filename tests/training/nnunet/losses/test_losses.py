"""Every named loss has its file and turns nnU-Net's loss into one that still has gradients."""

import pytest
import torch
from plain_loss import batch, nnunet_loss

from training.nnunet.losses import LOSSES, changed


@pytest.mark.parametrize("name", LOSSES)
def test_it_has_a_gradient_that_points_to_the_truth(name: str):
    loss = changed(name, nnunet_loss())
    truth = torch.zeros(2, 1, 32, 32)
    truth[:, :, 8:20, 8:20] = 1
    logits = torch.zeros(2, 2, 32, 32, requires_grad=True)
    before = loss(logits, truth)
    before.backward()
    assert logits.grad is not None
    with torch.no_grad():
        assert float(loss(logits - 10 * logits.grad / logits.grad.abs().max(), truth)) < float(before)


@pytest.mark.parametrize("name", LOSSES)
def test_a_pixel_of_which_nothing_is_known_has_no_gradient(name: str):
    logits, truth = batch(ignore=2)
    logits.requires_grad_()
    changed(name, nnunet_loss(ignore=2))(logits, truth).backward()
    unknown = (truth == 2).expand_as(logits)
    assert float(logits.grad[unknown].abs().max()) == 0
    assert float(logits.grad[~unknown].abs().max()) > 0
