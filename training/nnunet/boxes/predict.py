"""Boxes in a picture: those of a trained head, and those around the regions of a mask with the network's probability.

The whole picture goes through the network at once, padded as nnU-Net pads it; where it is larger than a patch, that is
not how masks are made, which nnU-Net joins from tiles: a tumour cut by a tile's edge would have two boxes. Maps are
averaged over folds and mirrors as masks are.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from inference.errors import FormatError
from training.nnunet.boxes.head import BoxHead, head_for, stage_of
from training.nnunet.boxes.table import HEAD, MASK, Found
from training.nnunet.boxes.targets import TUMOUR
from training.slicing.boxes import boxes_of, regions_of

if TYPE_CHECKING:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    from training.nnunet.results.checkpoint import Weights

LEAST_SCORE = 0.02
"""Boxes of a lower score are not written."""
MOST = 10
"""The most boxes of a slice."""
SAME = 0.3
"""Of boxes that share more than this (intersection over union), the one of the highest score is kept: tumours do not
overlap."""


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """A network with the heads of its folds.

    Attributes:
        predictor: nnU-Net's, with the weights of the folds.
        head: on the predictor's network.
        weights: the head's, one for each fold.
    """

    predictor: "nnUNetPredictor"
    head: BoxHead
    weights: Sequence[dict[str, torch.Tensor]]

    def find(self, pixels: NDArray[np.float32], spacing: Sequence[float]) -> Found:
        """The boxes in one picture.

        Args:
            pixels: (1, 1, rows, cols) as nnU-Net's reader gives them.
            spacing: (slice, row, col) mm.
        """
        properties: dict[str, Any] = {"spacing": list(spacing)}
        one = self.predictor
        data, *_ = one.configuration_manager.preprocessor_class(verbose=False).run_case_npy(
            pixels, None, properties, one.plans_manager, one.configuration_manager, one.dataset_json
        )
        padded, corner = _padded(torch.from_numpy(np.asarray(data, np.float32))[:, 0], self._side(), self._divisor())
        seen = (padded.shape[1], padded.shape[2])
        scores, boxes = self._cells(padded[None], seen)
        found = kept(boxes - np.tile(corner, 2), scores)
        placed = in_picture(found.boxes, properties, list(data.shape[2:]), one.plans_manager.transpose_backward)
        return _inside(Found(placed, found.scores), (pixels.shape[2], pixels.shape[3]))

    @torch.inference_mode()
    def _cells(self, picture: torch.Tensor, seen: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The mean score (n,) and box (n, 4) of every cell, over folds and mirrors."""
        each = []
        network, device = self.predictor.network, self.predictor.device
        for weights, head in zip(self.predictor.list_of_parameters, self.weights, strict=True):
            network.load_state_dict(weights)
            self.head.load_state_dict(head)
            each += [self._mirrored(picture.to(device), axes, seen) for axes in self._mirrors()]
        mean = torch.stack(each).mean(dim=0).double().cpu().numpy().reshape(-1, 5)
        return mean[:, 0], mean[:, 1:]

    def _mirrored(self, picture: torch.Tensor, axes: tuple[int, ...], seen: tuple[int, int]) -> torch.Tensor:
        """Score and box (rows, cols, 5) of every cell, seen in a mirror and turned back."""
        self.predictor.network(torch.flip(picture, axes))
        maps = self.head.maps
        scores, boxes = torch.sigmoid(maps[:, 0]), self.head.boxes(maps, seen)
        for axis in axes:
            first, last = axis - 2, axis
            boxes = boxes.clone()
            boxes[..., first], boxes[..., last] = seen[first] - boxes[..., last], seen[first] - boxes[..., first]
        turned = [torch.flip(one, [axis - 1 for axis in axes]) for one in (scores[..., None], boxes)]
        return torch.cat(turned, dim=-1)[0]

    def _mirrors(self) -> list[tuple[int, ...]]:
        """The axes of a batch along which the picture is mirrored, one entry for each pass."""
        allowed = [axis + 2 for axis in self.predictor.allowed_mirroring_axes or ()]
        if not self.predictor.use_mirroring:
            return [()]
        return [axes for count in range(len(allowed) + 1) for axes in itertools.combinations(allowed, count)]

    def _side(self) -> tuple[int, int]:
        rows, cols = self.predictor.configuration_manager.patch_size
        return rows, cols

    def _divisor(self) -> tuple[int, int]:
        """What the sides of a network's input are multiples of."""
        strides = np.array([np.broadcast_to(one, 2) for one in self.predictor.network.encoder.strides])
        rows, cols = strides.prod(axis=0).tolist()
        return rows, cols


def detector(predictor: "nnUNetPredictor", heads: "Sequence[Weights | None]") -> Detector | None:
    """The heads of some folds on their network; None if they were trained without.

    Args:
        predictor: nnU-Net's, with the weights of the folds.
        heads: the weights of each fold's head, None where it has none.

    Raises:
        FormatError: if some have a head and some have none.
    """
    weights = [one for one in heads if one is not None]
    if not weights:
        return None
    if len(weights) < len(heads):
        raise FormatError("Some of the folds have a box head and some have none: train all with one --box-weight.")
    head = head_for(predictor.network).to(predictor.device).eval()
    head.attach(stage_of(predictor.network)[0])
    return Detector(predictor, head, weights)


def found_in(
    heads: Detector | None,
    pixels: NDArray[np.float32],
    spacing: Sequence[float],
    mask: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
) -> dict[str, Found]:
    """The boxes of a picture by their source.

    Args:
        heads: of the model; None if it has none, so that only masks have boxes.
        pixels: (1, 1, rows, cols) as nnU-Net's reader gives them.
        spacing: (slice, row, col) mm.
        mask: (rows, cols), as it is written.
        probabilities: (labels, 1, rows, cols), nnU-Net's.
    """
    found = {MASK: mask_boxes(mask == TUMOUR, probabilities[TUMOUR, 0])}
    return found if heads is None else {HEAD: heads.find(pixels, spacing)} | found


def mask_boxes(mask: NDArray[np.bool_], probability: NDArray[np.float32]) -> Found:
    """The boxes around a mask's regions, each with the mean probability of its region as its score.

    Args:
        mask: (rows, cols), predicted.
        probability: (rows, cols) of tumour.
    """
    from scipy import ndimage

    boxes, _ = boxes_of(mask)
    regions, count = regions_of(mask)
    scores = ndimage.mean(probability, regions, np.arange(1, count + 1))
    return Found(boxes.astype(np.float64), np.asarray(scores, np.float64).reshape(-1))


def kept(boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> Found:
    """The boxes (n, 4) with scores (n,) that stay: not too unlikely, and none that is nearly another one's."""
    corners = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    chosen = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), LEAST_SCORE, SAME)
    best = np.asarray(chosen, np.int64).reshape(-1)[:MOST]
    return Found(boxes[best], scores[best])


def in_picture(
    boxes: NDArray[np.float64], properties: dict[str, Any], resampled: Sequence[int], backward: Sequence[int]
) -> NDArray[np.float64]:
    """Boxes (n, 4) of nnU-Net's resampled crop in pixels of the picture.

    Args:
        boxes: in pixels of the crop after resampling.
        properties: nnU-Net's, of the crop.
        resampled: (rows, cols) of the crop after resampling.
        backward: nnU-Net's order of axes on the way back, the slice first.
    """
    cropped = np.array(properties["shape_after_cropping_and_before_resampling"][1:])
    first = np.array([low for low, _ in properties["bbox_used_for_cropping"][1:]])
    corners = boxes.reshape(-1, 2, 2) * (cropped / np.array(resampled)) + first
    return np.asarray(corners[..., [axis - 1 for axis in backward[1:]]].reshape(-1, 4))


def _inside(found: Found, picture: tuple[int, int]) -> Found:
    """The parts of boxes that lie in a picture (rows, cols)."""
    boxes = found.boxes.clip(0, np.tile(picture, 2))
    real = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Found(boxes[real], found.scores[real])


def _padded(
    data: torch.Tensor, side: tuple[int, int], divisor: tuple[int, int]
) -> tuple[torch.Tensor, NDArray[np.float64]]:
    """A picture (1, rows, cols) padded on all sides to at least a patch; and where its first pixel is now."""
    wanted = [
        max(full, -(-size // step) * step) for size, full, step in zip(data.shape[1:], side, divisor, strict=True)
    ]
    rows, cols = (to - size for to, size in zip(wanted, data.shape[1:], strict=True))
    before = (rows // 2, cols // 2)
    margins = (before[1], cols - before[1], before[0], rows - before[0])
    return torch.nn.functional.pad(data, margins), np.array(before, np.float64)
