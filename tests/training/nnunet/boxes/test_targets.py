"""What a box head learns from a label: laws of any label, of any number of regions."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.nnunet.boxes.targets import RADIUS, centres, targets_of
from training.slicing.boxes import boxes_of, iou

SIDES, GRID, STRIDE = (24, 32), (6, 8), 4
coarse = hnp.arrays(np.uint8, (8, 8), elements=st.sampled_from([0, 0, 0, 1, 1, 2]))


def label_of(blocks: np.ndarray) -> np.ndarray:
    """Blocks of 3 x 4 pixels, so that regions are larger and smaller than a cell."""
    return np.kron(blocks, np.ones((3, 4), np.uint8))


def one(label: np.ndarray, ignored: int | None = None) -> tuple[np.ndarray, ...]:
    wanted = targets_of(torch.from_numpy(label.copy())[None, None], GRID, ignored)
    return wanted.found[0].numpy(), wanted.boxes[0].numpy(), wanted.known[0].numpy()


@given(coarse)
@settings(max_examples=60)
def test_a_cell_stands_for_the_box_of_a_region_near_whose_centre_it_lies(blocks):
    found, boxes, known = one(label_of(blocks))
    true, _ = boxes_of(label_of(blocks) == 1)
    middles = centres(GRID, (STRIDE, STRIDE))
    assert known.all()
    assert set(np.unique(found)) <= {0, 1}
    assert not boxes[found == 0].any()
    for cell in np.argwhere(found == 1):
        box = boxes[tuple(cell)]
        assert box.tolist() in true.tolist()
        assert (np.abs(middles[tuple(cell)] - (box[:2] + box[2:]) / 2) <= RADIUS * STRIDE).all()


@given(coarse)
@settings(max_examples=60)
def test_every_region_has_a_cell_but_for_those_whose_cells_a_smaller_one_took(blocks):
    _, boxes, _ = one(label_of(blocks))
    true, _ = boxes_of(label_of(blocks) == 1)
    told = {tuple(box) for box in boxes.reshape(-1, 4).astype(int).tolist()}
    shares = iou(true, true) - np.eye(len(true))
    for box, others in zip(true, shares, strict=True):
        near = ((true[:, :2] + true[:, 2:]) / 2 - (box[:2] + box[2:]) / 2) / STRIDE
        lonely = not (others > 0).any() and (np.abs(near).max(axis=1) >= 2 * RADIUS + 1).sum() == len(true) - 1
        assert tuple(box) in told or not lonely


@given(coarse, st.booleans(), st.booleans())
@settings(max_examples=30)
def test_a_mirrored_label_has_mirrored_targets_wherever_no_two_boxes_meet(blocks, rows, cols):
    axes = [axis for axis, wanted in enumerate((rows, cols)) if wanted]
    label = label_of(blocks)
    if (iou(*[boxes_of(label == 1)[0]] * 2) > 0).sum() > len(boxes_of(label == 1)[0]):
        return
    found, _, _ = one(label)
    mirrored, _, _ = one(np.flip(label, axes))
    centred = (boxes_of(label == 1)[0].reshape(-1, 2, 2).sum(axis=1) % (2 * STRIDE) == 0).any()
    assert centred or np.array_equal(np.flip(found, axes), mirrored), "only a centre between two cells has to choose"


@given(coarse)
@settings(max_examples=30)
def test_cells_with_pixels_to_be_ignored_teach_nothing(blocks):
    label = label_of(blocks)
    _, _, known = one(label, ignored=2)
    cells = (label == 2).reshape(GRID[0], STRIDE, GRID[1], STRIDE).any(axis=(1, 3))
    assert np.array_equal(known, ~cells)
