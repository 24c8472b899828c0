"""A head that predicts boxes beside nnU-Net's decoder, from features that the decoder makes anyway.

One cell of its grid says how likely it stands for a tumour's box, where that box's centre lies and how large it is.
The head reads the decoder and writes nothing into it: with the same weights, masks are the same to the bit with and
without it. What it learns changes the network through its gradient alone.
"""

from typing import Any

import torch
from torch import nn

from inference.errors import NotFoundError
from training.nnunet.boxes.targets import Targets, centres, targets_of
from training.nnunet.importable import make_importable

STRIDE = 4
"""The coarsest stage of the decoder is taken whose cells are at most so many pixels wide (CenterNet's stride)."""
CHANNELS = 64
RARE = 0.01
"""The probability that the head starts with in every cell, so that empty cells do not drown the few others (Lin et al.,
Focal loss for dense object detection, 2017)."""
SIDE = 4.0
"""What a box's sides are counted in, in cells. They are a softplus and no exponential: one step too far made boxes that
shared nothing with any tumour, from which no gradient led back."""


class BoxHead(nn.Module):
    """Two convolutions on one stage of nnU-Net's decoder.

    Attributes:
        maps: (n, 5, rows, cols) of the last forward pass of the network it is attached to: the logit of each cell, the
            offset of its box's centre (rows, columns) in cells, and its sides (rows, columns) before the softplus.
    """

    maps: torch.Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(features, CHANNELS, 3, padding=1)
        self.out = nn.Conv2d(CHANNELS, 5, 1)
        nn.init.normal_(self.out.weight, std=0.01)
        start = torch.zeros(5)
        start[0] = torch.logit(torch.tensor(RARE))
        self.out.bias = nn.Parameter(start)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The maps (n, 5, rows, cols) of a stage's features, in float32."""
        maps: torch.Tensor = self.out(nn.functional.relu(self.hidden(features)))
        return maps.float()

    def attach(self, stage: nn.Module) -> Any:  # noqa: ANN401 - torch's handle, which removes it
        """See whatever a stage of a decoder puts out from now on."""
        return stage.register_forward_hook(self._see)

    def _see(self, _stage: nn.Module, _given: object, features: torch.Tensor) -> None:
        self.maps = self(features)

    def boxes(self, maps: torch.Tensor, picture: tuple[int, int]) -> torch.Tensor:
        """The box of every cell in pixels: (n, rows, cols, 4), first row, first column, last row, last column.

        Args:
            maps: of the head.
            picture: (rows, cols) that the network saw.
        """
        grid = (maps.shape[2], maps.shape[3])
        stride = (picture[0] / grid[0], picture[1] / grid[1])
        middle = torch.from_numpy(centres(grid, stride)).to(maps.device)
        cell = torch.tensor(stride, device=maps.device)
        placed = maps.permute(0, 2, 3, 1)
        centre = middle + placed[..., 1:3] * cell
        half = nn.functional.softplus(placed[..., 3:5]) * SIDE * cell / 2
        return torch.cat([centre - half, centre + half], dim=-1)

    def loss(self, maps: torch.Tensor, wanted: Targets, picture: tuple[int, int]) -> torch.Tensor:
        """Focal loss of all cells, and generalised IoU of the boxes of those that stand for one, both per such cell.

        Both are torchvision's; the sum is FCOS's without its centre-ness.
        """
        make_importable()
        from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

        stands = wanted.found.bool() & wanted.known
        count = stands.sum().clamp(min=1)
        told = sigmoid_focal_loss(maps[:, 0][wanted.known], wanted.found[wanted.known], reduction="sum")
        fits = generalized_box_iou_loss(self.boxes(maps, picture)[stands], wanted.boxes[stands], reduction="sum")
        total: torch.Tensor = (told + fits) / count
        return total


class WithBoxes(nn.Module):
    """A loss of delineation with that of a head's boxes beside it, while there are gradients.

    Without gradients, in validation, it is the loss of delineation alone, so that patience and curves mean what they
    mean without a head.

    Attributes:
        delineation: nnU-Net's loss.
        head: attached to the network.
        weight: of the boxes.
        ignored: the label of pixels of which nothing is known.
        seen: the boxes' losses since they were last read.
    """

    def __init__(self, delineation: nn.Module, head: BoxHead, weight: float, ignored: int | None) -> None:
        super().__init__()
        self.delineation, self.head = delineation, head
        self.weight, self.ignored = weight, ignored
        self.seen: list[float] = []

    def forward(self, output: Any, truth: Any) -> torch.Tensor:  # noqa: ANN401 - with deep supervision, lists
        """The loss of nnU-Net's outputs for its targets."""
        loss: torch.Tensor = self.delineation(output, truth)
        if not torch.is_grad_enabled():
            return loss
        labels = truth[0] if isinstance(truth, list) else truth
        rows, cols = self.head.maps.shape[2:]
        wanted = targets_of(labels, (rows, cols), self.ignored)
        boxes = self.head.loss(self.head.maps, wanted, (labels.shape[2], labels.shape[3]))
        self.seen.append(float(boxes.detach()))
        return loss + self.weight * boxes

    def read(self) -> float:
        """The mean loss of the boxes since the last reading."""
        mean = sum(self.seen) / max(1, len(self.seen))
        self.seen.clear()
        return mean


def stage_of(network: Any) -> tuple[nn.Module, int]:  # noqa: ANN401 - nnU-Net's untyped network
    """The stage of a U-Net's decoder that a head reads, and its number of features.

    Raises:
        NotFoundError: if the network is no U-Net of nnU-Net's.
    """
    decoder, encoder = getattr(network, "decoder", None), getattr(network, "encoder", None)
    if decoder is None or encoder is None or not hasattr(decoder, "stages"):
        raise NotFoundError("Boxes are predicted beside nnU-Net's U-Nets only: choose another plan, or no box weight.")
    widths = _widths(encoder.strides)
    at = max(index for index, width in enumerate(widths[:-1]) if width <= max(STRIDE, widths[0]))
    return decoder.stages[-1 - at], encoder.output_channels[at]


def _widths(strides: Any) -> list[int]:  # noqa: ANN401 - nnU-Net's list of int or of (rows, cols)
    """How many pixels wide a cell of every stage of the encoder is."""
    widths, now = [], 1
    for stride in strides:
        now *= max(stride) if isinstance(stride, list | tuple) else stride
        widths.append(now)
    return widths


def head_for(network: Any) -> BoxHead:  # noqa: ANN401 - nnU-Net's untyped network
    """A new head for a network; it takes no number from the generators, so that all slices are drawn as without it."""
    _, features = stage_of(network)
    with torch.random.fork_rng(devices=[]):
        return BoxHead(features)
