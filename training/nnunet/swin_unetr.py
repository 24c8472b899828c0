"""Swin UNETR, a transformer, as nnU-Net builds, trains and predicts with it: MONAI's network under nnU-Net's names.

Source: Hatamizadeh et al., Swin UNETR, BrainLes 2021 (arXiv 2201.01266).
"""

from collections.abc import Sequence

import torch
from torch import nn

from training.nnunet.transformer import check_monai, halvings


class SwinUNETR2D(nn.Module):
    """MONAI's SwinUNETR on (1, 1, rows, cols), both a multiple of 32.

    Args:
        input_channels: of the picture.
        num_classes: labels.
        strides: the halvings of `STAGES`, which nnU-Net reads from the plans; others are refused.
        feature_size: channels of the first stage; a multiple of 12, at most 96, so that no plan asks for all memory.
        deep_supervision: nnU-Net's; MONAI's network has one output, so only False or None.

    Raises:
        NotFoundError: if MONAI is not installed.
    """

    key_to_encoder = "network.swinViT"
    """The pre-trainable part, as `dynamic_network_architectures` marks it in nnU-Net's own networks."""

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        *,
        strides: Sequence[Sequence[int]],
        feature_size: int,
        deep_supervision: bool | None = None,
    ) -> None:
        super().__init__()
        if deep_supervision or [list(one) for one in strides] != halvings():
            raise ValueError("Swin UNETR halves its input five times and has one output")
        if feature_size not in range(12, 97, 12):
            raise ValueError(f"Swin UNETR has 12 to 96 features in steps of 12, not {feature_size}")
        check_monai()
        from monai.networks.nets.swin_unetr import SwinUNETR

        self.network = SwinUNETR(
            input_channels,
            num_classes,
            feature_size=feature_size,
            spatial_dims=2,
            # Affine, as in nnU-Net's networks, so that the exporter spells it out like theirs.
            norm_name=("instance", {"affine": True}),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(batch, channels, rows, cols) -> logits (batch, labels, rows, cols)."""
        logits: torch.Tensor = self.network(image)
        return logits
