"""Every region of a slice counts alike, whatever its size; with no share of theirs the loss is nnU-Net's."""

import numpy as np
import pytest
import torch
from plain_loss import batch, nnunet_loss

from training.nnunet.losses.component_dice import changed, territories


@pytest.mark.parametrize("ignore", [None, 2])
def test_it_is_nnunets_loss_with_no_share_of_the_regions(ignore: int | None):
    logits, truth = batch(ignore=ignore)
    theirs, ours = nnunet_loss(ignore=ignore), changed(nnunet_loss(ignore=ignore), share=0.0)
    assert float(ours(logits, truth)) == pytest.approx(float(theirs(logits, truth)), abs=1e-6)


def test_missing_a_small_region_costs_as_much_as_missing_a_large_one():
    _, truth = batch()
    regions = {"large": (slice(2, 20), slice(2, 20)), "small": (slice(26, 29), slice(26, 29))}

    def cost(loss, without: str) -> float:
        tumour = 40 * truth[:, 0] - 20
        tumour[(0, *regions[without])] = -20
        return float(loss(torch.stack([torch.zeros_like(tumour), tumour], 1), truth))

    ours, theirs = changed(nnunet_loss(), share=1.0).dc, nnunet_loss().dc
    assert cost(ours, "small") == pytest.approx(cost(ours, "large"), abs=1e-4)
    assert cost(theirs, "small") < cost(theirs, "large") - 0.5


def test_a_false_contour_on_a_slice_without_tumour_is_pressed_down():
    _, truth = batch()
    logits = torch.stack([torch.zeros_like(truth[:, 0]), 10 * truth[:, 0] - 5], 1)
    logits[2, 1, 8:20, 8:20] = 1
    logits.requires_grad_()
    changed(nnunet_loss()).dc(logits, truth).backward()
    assert float(logits.grad[2, 1, 8:20, 8:20].min()) > 0, "less tumour, less loss"


def test_a_territory_is_what_is_nearest_to_a_region():
    mask = np.zeros((5, 12), bool)
    mask[1:4, 1:3] = mask[2, 10] = True
    mask[0, 9] = True
    found = territories(mask)
    assert found[2, 1] == found[4, 0] != found[2, 10]
    assert len(np.unique(found)) == 3
    assert not territories(np.zeros((5, 12), bool)).any()
