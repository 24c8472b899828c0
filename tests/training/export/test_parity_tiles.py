"""Tiles blended as nnU-Net blends them, to the bit: corners, where float16 has few bits, and logits near 0."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from numpy.typing import NDArray

from inference.model import tiles

PATCH = (32, 48)


class Played:
    """Answers the tiles in the order in which they are asked for."""

    def __init__(self, answers: list[NDArray[np.float32]]) -> None:
        self._answers = iter(answers)

    def __call__(self, _: torch.Tensor) -> torch.Tensor:
        """(1, labels, rows, cols) of the next tile."""
        return torch.from_numpy(next(self._answers).copy())[None]


def nnunet(answers: list[NDArray[np.float32]], shape: tuple[int, int], step: float) -> NDArray[np.float32]:
    """The logits of nnU-Net's own predictor for a network that answers so."""
    predictor = nnUNetPredictor(tile_step_size=step, use_mirroring=False, device=torch.device("cpu"))
    predictor.network = Played(answers)
    predictor.configuration_manager = SimpleNamespace(patch_size=PATCH)
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=len(answers[0]))
    data = torch.zeros((1, 1, *shape))
    slicers = predictor._internal_get_sliding_window_slicers(data.shape[1:])
    found = predictor._internal_predict_sliding_window_return_logits(data, slicers, do_on_device=False)
    return found[:, 0].float().numpy()


@pytest.mark.parametrize("scale", [1e-4, 0.03, 1.0, 60.0])
@pytest.mark.parametrize(("shape", "step"), [(PATCH, 0.5), ((32, 49), 0.5), ((70, 48), 1.0), ((75, 131), 0.5)])
def test_blended_logits_are_nnunet_s_to_the_bit(shape, step, scale):
    places = tiles.corners(shape, PATCH, step)
    rng = np.random.default_rng(int(scale * 10) + shape[0])
    answers = [rng.normal(0, scale, (3, *PATCH)).astype(np.float32) for _ in places]
    np.testing.assert_array_equal(tiles.blend(answers, places, shape), nnunet(answers, shape, step))
