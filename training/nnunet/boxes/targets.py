"""What a box head learns from a label: at which cells of its grid there is a tumour's centre, and the box around it.

As in FCOS (Tian et al., FCOS: fully convolutional one-stage object detection, 2019) and its sampling of centres: a cell
stands for a box if it lies near the box's centre. A cell in two boxes stands for the smaller one.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from training.slicing.boxes import boxes_of

TUMOUR = 1
RADIUS = 1.5
"""How far from a box's centre its cells lie, in cells along each side (FCOS's)."""


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What is wanted of each cell of a batch.

    Attributes:
        found: (n, rows, cols) 1 where a cell stands for a box, else 0.
        boxes: (n, rows, cols, 4) its box in pixels (first row, column, last row, column); zeros elsewhere.
        known: (n, rows, cols) whether the cell is learnt from at all: not where pixels of it are to be ignored.
    """

    found: torch.Tensor
    boxes: torch.Tensor
    known: torch.Tensor


def targets_of(labels: torch.Tensor, grid: tuple[int, int], ignored: int | None = None) -> Targets:
    """The targets of a batch of labels, as they are after augmentation.

    Args:
        labels: (n, 1, rows, cols) of the patches.
        grid: (rows, cols) of the head's cells.
        ignored: the label of pixels of which nothing is known.
    """
    each = [_of_one(label[0], grid, ignored) for label in labels.detach().cpu().numpy()]
    found, boxes, known = (torch.from_numpy(np.stack(part)).to(labels.device) for part in zip(*each, strict=True))
    return Targets(found, boxes, known)


def centres(grid: tuple[int, int], stride: tuple[float, float]) -> NDArray[np.float32]:
    """The middle of every cell in pixels: (rows, cols, 2), rows first."""
    rows, cols = (np.arange(count) * step + step / 2 for count, step in zip(grid, stride, strict=True))
    return np.stack(np.meshgrid(rows, cols, indexing="ij"), axis=-1).astype(np.float32)


def _of_one(
    label: NDArray[np.generic], grid: tuple[int, int], ignored: int | None
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """The targets of one label (rows, cols)."""
    stride = (label.shape[0] / grid[0], label.shape[1] / grid[1])
    found, wanted = np.zeros(grid, np.float32), np.zeros((*grid, 4), np.float32)
    middles, (boxes, _) = centres(grid, stride), boxes_of(label == TUMOUR)
    sides = boxes[:, 2:] - boxes[:, :2]
    for box in boxes[np.argsort(-sides.prod(axis=1), kind="stable")]:
        cells = _cells(box, middles, stride)
        found[cells], wanted[cells] = 1, box
    known = np.ones(grid, bool)
    if ignored is not None:
        rows, cols = np.nonzero(label == ignored)
        known[(rows / stride[0]).astype(int), (cols / stride[1]).astype(int)] = False
    return found, wanted, known


def _cells(box: NDArray[np.int64], middles: NDArray[np.float32], stride: tuple[float, float]) -> NDArray[np.bool_]:
    """The cells that stand for a box: those near its centre that lie in it, and the one that holds its centre."""
    centre = (box[:2] + box[2:]) / 2
    near = (np.abs(middles - centre) < RADIUS * np.array(stride)).all(axis=2)
    inside = ((box[:2] < middles) & (middles < box[2:])).all(axis=2)
    cells = np.asarray(near & inside)
    cells[tuple((centre / stride).astype(int))] = True
    return cells
