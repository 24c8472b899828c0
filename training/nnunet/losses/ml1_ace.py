"""nnU-Net's loss with the average calibration error, so that a probability of 0.7 is right seven times in ten."""

from typing import Any

import torch
from torch import nn

BINS = 20
"""Equal steps of the probability; as published."""
WEIGHT = 1.0
"""Of the error beside Dice and cross-entropy; as published."""


def changed(loss: Any, weight: float = WEIGHT) -> Any:  # noqa: ANN401 - nnU-Net's untyped modules
    """Put the average calibration error beside nnU-Net's cross-entropy.

    Args:
        loss: `DC_and_CE_loss`, with or without deep supervision around it.
        weight: of the error; at 0 the loss is nnU-Net's.
    """
    inner = getattr(loss, "loss", loss)
    inner.ce = Calibrated(inner.ce, weight)
    return loss


class Calibrated(nn.Module):
    """Cross-entropy plus weight times mL1-ACE, with hard bins.

    Barfoot et al., Average calibration losses for reliable uncertainty in medical image segmentation, 2025: over the
    bins of the predicted probability that hold a pixel of a slice, the mean difference of mean probability and share
    of true pixels. Of two labels both have the same error, so the tumour's is their mean; of a cavity none is taken.

    Attributes:
        ce: nnU-Net's cross-entropy, for its ignored label.
        weight: of the error.
    """

    def __init__(self, ce: Any, weight: float) -> None:  # noqa: ANN401 - nnU-Net's untyped module
        super().__init__()
        self.ce, self.weight = ce, weight

    def forward(self, logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """The loss of logits (slices, labels, rows, cols) for labels (slices, rows, cols)."""
        likelihood: torch.Tensor = self.ce(logits, truth)
        tumour = torch.softmax(logits.float(), 1)[:, 1]
        known = truth != self.ce.ignore_index
        return likelihood + self.weight * calibration_errors(tumour, truth == 1, known).mean()


def calibration_errors(probability: torch.Tensor, true: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """The average calibration error of each slice, 0 of one of which nothing is known.

    Args:
        probability: of tumour (slices, rows, cols).
        true: whether it is tumour.
        known: whether that is known; what isn't counts nowhere.
    """
    slices = len(probability)
    bins = (probability.detach() * BINS).long().clamp(0, BINS - 1)
    place = (bins + BINS * torch.arange(slices, device=bins.device)[:, None, None])[known]
    gaps = torch.zeros(slices * BINS, device=bins.device).index_add(0, place, (probability - true.float())[known])
    counts = torch.bincount(place, minlength=slices * BINS)
    errors = (gaps.abs() / counts.clamp_min(1)).reshape(slices, BINS).sum(1)
    return errors / (counts > 0).reshape(slices, BINS).sum(1).clamp_min(1)
