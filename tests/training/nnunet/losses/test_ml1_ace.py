"""The average calibration error is what counting by hand gives, and learning from it makes probabilities true."""

import itertools

import numpy as np
import pytest
import torch
from plain_loss import batch, nnunet_loss

from training.nnunet.losses.ml1_ace import BINS, calibration_errors, changed


@pytest.mark.parametrize("ignore", [None, 2])
def test_it_is_nnunets_loss_without_weight(ignore: int | None):
    logits, truth = batch(ignore=ignore)
    theirs, ours = nnunet_loss(ignore=ignore), changed(nnunet_loss(ignore=ignore), weight=0.0)
    assert float(ours(logits, truth)) == pytest.approx(float(theirs(logits, truth)), abs=1e-6)


def by_hand(probability: np.ndarray, true: np.ndarray) -> float:
    """Mean over the bins that hold a pixel of |mean probability - share of true pixels|."""
    edges = np.linspace(0, 1, BINS + 1)
    gaps = []
    for low, high in itertools.pairwise(edges):
        within = (probability >= low) & ((probability < high) | (high == 1))
        if within.any():
            gaps.append(abs(probability[within].mean() - true[within].mean()))
    return float(np.mean(gaps))


def test_each_slice_has_the_error_that_counting_by_hand_gives():
    random = np.random.default_rng(3)
    probability = random.random((3, 40, 40)).astype(np.float32) ** np.array([1, 3, 9], np.float32)[:, None, None]
    true, known = random.random(probability.shape) < probability / 2, random.random(probability.shape) < 0.8
    found = calibration_errors(*(torch.from_numpy(one) for one in (probability, true, known)))
    expected = [by_hand(probability[index][known[index]], true[index][known[index]]) for index in range(3)]
    assert found.numpy() == pytest.approx(expected, abs=1e-5)


def test_a_slice_of_which_nothing_is_known_has_no_error_and_one_for_certain_has_none():
    sure = torch.ones(2, 8, 8)
    known = torch.stack([torch.ones(8, 8, dtype=torch.bool), torch.zeros(8, 8, dtype=torch.bool)])
    assert calibration_errors(sure, sure == 1, known).tolist() == [0, 0]
    assert calibration_errors(sure, sure == 0, known).tolist() == [1, 0]


@pytest.mark.parametrize(("sure_of", "too_sure"), [(0.99, True), (0.52, False)])
def test_a_probability_is_drawn_to_the_share_that_is_true(sure_of: float, too_sure: bool):
    """All pixels alike, three quarters of them tumour."""
    true = torch.arange(64 * 64).reshape(1, 64, 64) % 4 > 0
    probability = torch.full((1, 64, 64), sure_of, requires_grad=True)
    calibration_errors(probability, true, torch.ones_like(true)).sum().backward()
    assert ((probability.grad > 0) == too_sure).all(), "what lowers the error goes against the gradient"
