"""The Tversky index is nnU-Net's Dice where both mistakes cost alike, and else presses on what is missed."""

import pytest
import torch
from plain_loss import batch, nnunet_loss

from training.nnunet.losses.tversky import changed


@pytest.mark.parametrize("ignore", [None, 2])
@pytest.mark.parametrize("batch_dice", [True, False])
def test_it_is_nnunets_dice_where_missed_and_false_pixels_cost_alike(batch_dice: bool, ignore: int | None):
    logits, truth = batch(ignore=ignore)
    theirs = nnunet_loss(batch_dice=batch_dice, ignore=ignore)
    ours = changed(nnunet_loss(batch_dice=batch_dice, ignore=ignore), missed=0.5)
    assert float(ours(logits, truth)) == pytest.approx(float(theirs(logits, truth)), abs=1e-6)


def test_a_missed_pixel_costs_more_than_a_false_one():
    _, truth = batch()
    sure = 40 * truth[:, 0] - 20
    missed, false = sure.clone(), sure.clone()
    missed[0, 5:9, 5:9] = -20
    false[0, 22:26, 5:9] = 20
    ours, theirs = changed(nnunet_loss()).dc, nnunet_loss().dc

    def cost(loss, tumour: torch.Tensor) -> float:
        return float(loss(torch.stack([torch.zeros_like(tumour), tumour], 1), truth))

    assert cost(ours, missed) > cost(ours, false)
    assert cost(theirs, missed) < cost(ours, missed)
    assert cost(ours, sure) == pytest.approx(-1, abs=1e-5)
