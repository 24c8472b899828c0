"""The focal cross-entropy is nnU-Net's at an exponent of 0, and else forgets what is right already."""

import pytest
import torch
from plain_loss import batch, nnunet_loss

from training.nnunet.losses.focal import changed


@pytest.mark.parametrize("ignore", [None, 2])
def test_it_is_nnunets_cross_entropy_at_an_exponent_of_0(ignore: int | None):
    logits, truth = batch(ignore=ignore)
    theirs, ours = nnunet_loss(ignore=ignore), changed(nnunet_loss(ignore=ignore), gamma=0.0)
    assert float(ours(logits, truth)) == pytest.approx(float(theirs(logits, truth)), abs=1e-6)


def test_what_is_right_already_weighs_less_beside_what_is_wrong():
    truth = torch.zeros(1, 4, 4)
    truth[0, 0, 0] = 1
    logits = torch.zeros(1, 2, 4, 4)
    logits[:, 0] = 3.0  # background everywhere: right on 15 pixels, wrong on one

    def share(loss) -> float:
        """How much of the gradient falls on the pixel that is wrong."""
        given = logits.clone().requires_grad_()
        loss.ce(given, truth).backward()
        each = given.grad.abs().sum(1)[0]
        return float(each[0, 0] / each.sum())

    assert share(nnunet_loss()) < 0.6
    assert share(changed(nnunet_loss())) > 0.99
