"""Consistency: pairs of one tissue with other noise, what their masks lack of being one, and a training with it."""

from typing import Any

import pytest
import torch
from plain_loss import batch, nnunet_loss

from training.nnunet.consistency import STRONGEST, WithConsistency, in_pairs, lack, noisy


def pictures(slices: int = 64) -> torch.Tensor:
    """Pictures with a dark margin around a sector of grey levels with a deviation of about one."""
    drawn = torch.randn(slices, 1, 48, 48, generator=torch.Generator().manual_seed(0)).clamp_min(-3)
    drawn[:, :, :8] = drawn[:, :, :, :8] = -4
    return drawn


def test_the_noise_differs_between_pictures_and_leaves_what_is_outside_the_sector():
    plain = pictures()
    added = noisy(plain) - plain
    assert float(added[:, :, :8].abs().max()) == float(added[:, :, :, :8].abs().max()) == 0
    strengths = added[:, 0, 8:, 8:].flatten(1).std(1) / plain.flatten(1).std(1)
    assert float(strengths.max()) < 1.1 * STRONGEST
    assert 0.3 * STRONGEST < float(strengths.mean()) < 0.7 * STRONGEST
    assert float(strengths.min()) < 0.2 * STRONGEST
    assert not torch.equal(noisy(plain), noisy(plain)), "drawn anew"


@pytest.mark.parametrize("deep", [False, True])
def test_each_half_of_a_batch_in_pairs_has_the_same_labels(deep: bool):
    data = pictures(3)
    labels = [torch.rand(3, 1, 48 // 2**depth, 48 // 2**depth) for depth in range(2)]
    paired = in_pairs({"data": data, "target": labels if deep else labels[0], "keys": ["a"]})
    assert torch.equal(paired["data"][:3], data)
    assert not torch.equal(paired["data"][3:], data)
    assert paired["keys"] == ["a"]
    targets = paired["target"] if deep else [paired["target"]]
    assert len(targets) == (2 if deep else 1)
    for target, label in zip(targets, labels, strict=False):
        assert torch.equal(target[:3], label)
        assert torch.equal(target[3:], label)


def certain(tumour: torch.Tensor) -> torch.Tensor:
    return torch.stack([-50 * tumour, 50 * tumour], 1)


def test_the_lack_is_one_less_the_dice_of_both_masks():
    mask = torch.full((1, 32, 32), -1.0)
    mask[:, 4:20, 4:20] = 1
    moved = torch.roll(mask, 4, 1)
    assert float(lack(certain(torch.cat([mask, mask])))) == 0
    assert float(lack(certain(torch.cat([mask, moved])))) == pytest.approx(1 - 12 / 16, abs=1e-4)
    assert float(lack(certain(torch.cat([mask, torch.full_like(mask, -1.0)])))) == pytest.approx(1, abs=1e-4)
    assert float(lack(certain(torch.full((2, 32, 32), -1.0)))) == 0, "nothing in either"


def test_a_validation_has_nnunets_loss_alone_and_a_training_the_lack_beside_it():
    logits, truth = batch()
    logits, truth = torch.cat([logits, logits.flip(2)]), torch.cat([truth, truth])
    plain, weighed = nnunet_loss(), WithConsistency(nnunet_loss(), 0.5)
    with torch.no_grad():
        assert float(weighed(logits, truth)) == float(plain(logits, truth))
    assert float(weighed(logits, truth)) == pytest.approx(float(plain(logits, truth)) + 0.5 * float(lack(logits)))


def step(trainer: Any) -> dict[str, torch.Tensor]:
    """The weights after one step on a picture with a bright rectangle."""
    draw = torch.Generator().manual_seed(1)
    rows, cols = trainer.configuration_manager.patch_size
    label = torch.zeros(2, 1, rows, cols)
    label[:, :, 20:40, 24:52] = 1
    trainer.train_step(
        {"data": torch.randn(label.shape, generator=draw) + 2 * label, "target": [label, label[:, :, ::2, ::2]]}
    )
    return dict(trainer.network.state_dict())


def test_a_weight_changes_what_a_step_teaches(begun):
    none, some, more = (step(begun(str(weight), consistency=weight)) for weight in (0.0, 0.5, 5.0))
    name = next(iter(none))
    assert not torch.equal(none[name], some[name])
    assert not torch.equal(some[name], more[name])


def test_after_steps_with_it_noise_changes_a_mask_less(begun):
    """Of two trainings on the same noise-like pictures, that with the loss ends with the steadier probabilities."""
    lacks = []
    for weight in (1e-30, 20.0):
        trainer = begun(f"of {weight}", consistency=weight)
        for _ in range(12):
            torch.manual_seed(3)
            step(trainer)
        torch.manual_seed(4)
        paired = in_pairs({"data": torch.randn(4, 1, *trainer.configuration_manager.patch_size), "target": []})
        with torch.no_grad():
            output = trainer.network(paired["data"])
        lacks.append(float(lack(output[0] if isinstance(output, list) else output)))
    assert lacks[1] < lacks[0]


def test_a_box_head_learns_from_both_halves(begun):
    """It has boxes of as many pictures as the network sees."""
    trainer = begun("boxes", consistency=1.0, box_weight=1.0)
    step(trainer)
    assert 0 < trainer.loss.read() < float("inf")
