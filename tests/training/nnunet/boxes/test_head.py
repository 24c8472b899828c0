"""A head learns boxes in seconds, finds them in pictures of any scale, and leaves every mask as it is, to the bit."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from blobs import PATCH, SPACING_MM
from plain_loss import nnunet_loss

from inference.contract import Mode
from inference.errors import FormatError, NotFoundError
from training.nnunet.boxes import KEY
from training.nnunet.boxes.head import BoxHead, WithBoxes, head_for, stage_of
from training.nnunet.boxes.predict import Detector, detector, kept, mask_boxes
from training.nnunet.boxes.table import HEAD, MASK, TABLE, read_boxes
from training.nnunet.boxes.targets import targets_of
from training.nnunet.predict import Loaded, checkpoint_files, load_folds, predict_slices
from training.nnunet.results.checkpoint import read_checkpoint
from training.slicing.boxes import boxes_of, iou
from training.slicing.slices import SliceRow, write_slice, write_slices


def rectangles(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (4, 1, rows, cols) of speckle with a brighter rectangle each, and labels."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((4, 1, *PATCH), np.int64)
    for label in labels:
        top, left = rng.integers(4, 44), rng.integers(4, 60)
        label[0, top : top + rng.integers(8, 17), left : left + rng.integers(8, 17)] = 1
    pictures = rng.normal(0, 0.3, labels.shape) + 2.0 * labels - 0.5
    return torch.from_numpy(pictures.astype(np.float32)), torch.from_numpy(labels)


def heads_of(folds: Loaded) -> Detector | None:
    return detector(folds.predictor, folds.heads)


def network_of(model: Path) -> Any:
    return load_folds(model, [0]).predictor.network.train()


@cache
def learnt(model: Path) -> tuple[dict[str, Any], dict[str, Any], list[float]]:
    """Weights of a network and of its head after a few batches of rectangles, and the losses on the way."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = network_of(model)
    head = head_for(network)
    handle = head.attach(stage_of(network)[0])
    optimiser = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=5e-3)
    losses = []
    for at in range(80):
        pictures, labels = rectangles(at)
        network(pictures)
        loss = head.loss(head.maps, targets_of(labels, head.maps.shape[2:]), PATCH)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    handle.remove()
    return network.state_dict(), head.state_dict(), losses


def with_head(folder: Path, weights: dict[str, Any] | None, head: dict[str, Any] | None, fold: int = 0) -> Path:
    """A model's folder with other weights, and a head, in its checkpoint."""
    (path,) = checkpoint_files(folder, [fold])
    checkpoint = read_checkpoint(path)
    changed = {"network_weights": weights} if weights else {}
    torch.save(checkpoint | changed | ({KEY: head} if head else {}), path)
    return folder


@pytest.fixture(scope="module")
def plain(model_folder: Callable[..., Path]) -> Path:
    return model_folder()


@pytest.fixture(scope="module")
def trained(plain: Path, model_folder: Callable[..., Path]) -> Path:
    weights, head, _ = learnt(plain)
    return with_head(model_folder(), weights, head)


def picture(rows: slice, cols: slice, shape: tuple[int, int], margin: int = 0) -> np.ndarray:
    """Speckle with a brighter rectangle, and black around it, which nnU-Net crops."""
    pixels = 100 + 15 * np.random.default_rng(1).standard_normal(shape)
    pixels[rows, cols] += 100
    return np.pad(pixels.clip(1, 255), ((margin, 0), (2 * margin, 0))).astype(np.float32)


def test_it_learns_a_rectangle_in_a_few_batches(plain: Path):
    weights, state, losses = learnt(plain)
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:3])
    network = network_of(plain).eval()
    network.load_state_dict(weights)
    head = head_for(network)
    head.load_state_dict(state)
    head.attach(stage_of(network)[0])
    pictures, labels = rectangles(1000)
    with torch.no_grad():
        network(pictures)
    placed = head.boxes(head.maps, PATCH).numpy()
    for at, label in enumerate(labels.numpy()):
        best = int(head.maps[at, 0].argmax())
        box = placed[at].reshape(-1, 4)[best : best + 1].astype(float)
        assert iou(box, boxes_of(label[0] == 1)[0])[0, 0] > 0.5


@pytest.mark.parametrize("mode", [Mode.FAST, Mode.THOROUGH])
@pytest.mark.parametrize("scale", [1.0, 0.6])
def test_boxes_lie_in_the_picture_where_the_rectangle_does(trained: Path, mode: Mode, scale: float):
    """The picture has other pixels than the network, not square, and a black margin that is cropped on the way."""
    spacing = (SPACING_MM[0] * scale, SPACING_MM[1] * scale)
    rows, cols = slice(round(20 / scale), round(34 / scale)), slice(round(30 / scale), round(42 / scale))
    shape = (round(PATCH[0] / scale), round(PATCH[1] / scale))
    pixels = picture(rows, cols, shape, margin=9)
    found = heads_of(load_folds(trained, [0], mode=mode))
    assert found is not None
    boxes = found.find(pixels[None, None], (999.0, *spacing))
    true = np.array([[rows.start + 9, cols.start + 18, rows.stop + 9, cols.stop + 18]])
    assert iou(boxes.boxes[:1], true)[0, 0] > 0.6
    assert boxes.scores[0] == boxes.scores.max() > 0.3


def test_transposed_plans_give_the_same_box(plain: Path, model_folder: Callable[..., Path]):
    """The network then sees the picture's transpose."""
    weights, head, _ = learnt(plain)
    turned = with_head(model_folder(transposed=True), weights, head)
    rows, cols, spacing = slice(30, 45), slice(20, 31), (SPACING_MM[1], SPACING_MM[0])
    pixels = picture(rows, cols, (PATCH[1], PATCH[0]), margin=5)
    found = heads_of(load_folds(turned, [0]))
    assert found is not None
    (best, *_) = found.find(pixels[None, None], (999.0, *spacing)).boxes
    assert iou(best[None], np.array([[35, 30, 50, 41]]))[0, 0] > 0.6


def test_masks_are_the_same_to_the_bit_with_a_head_without_one_and_without_boxes(
    plain: Path, model_folder: Callable[..., Path], tmp_path: Path
):
    store, image = tmp_path / "store", picture(slice(20, 40), slice(30, 60), PATCH)
    row = SliceRow("a", "a", "a", "k", 0, 1.0, *PATCH, *SPACING_MM)
    write_slice(image, SPACING_MM, row.image(store))
    write_slice(np.zeros(PATCH, np.uint8), SPACING_MM, row.label(store))
    write_slices([row], store / "slices.csv")
    headed = with_head(model_folder(), None, learnt(plain)[1])
    made = {}
    for name, model, boxes in (("plain", plain, False), ("boxes", plain, True), ("head", headed, True)):
        predict_slices(model, [store], tmp_path / name, with_boxes=boxes)
        made[name] = (tmp_path / name / "a.nii.gz").read_bytes()
    assert made["plain"] == made["boxes"] == made["head"]
    assert not (tmp_path / "plain" / TABLE).exists()
    images = {"a": row.image(store)}
    assert len(read_boxes(tmp_path / "head", HEAD, images)["a"].scores) > 0
    assert len(read_boxes(tmp_path / "boxes", MASK, images)["a"].scores) > 0
    with pytest.raises(NotFoundError):
        read_boxes(tmp_path / "boxes", HEAD, images)
    with pytest.raises(FormatError, match="without boxes"):
        predict_slices(plain, [store], tmp_path / "plain", with_boxes=True)


def test_folds_of_which_only_some_have_a_head_are_refused(plain: Path, model_folder: Callable[..., Path]):
    folder = with_head(model_folder(folds=2), None, learnt(plain)[1])
    with pytest.raises(FormatError, match="some have none"):
        heads_of(load_folds(folder, [0, 1]))
    assert heads_of(load_folds(folder, [1])) is None


def test_a_new_head_draws_from_no_generator_and_validation_is_of_masks_alone(plain: Path):
    network = network_of(plain)
    before = torch.get_rng_state()
    head = head_for(network)
    assert torch.equal(before, torch.get_rng_state())
    head.attach(stage_of(network)[0])
    loss, (pictures, labels) = WithBoxes(nnunet_loss(), head, 0.5, None), rectangles(1)
    output, truth = network(pictures), labels.float()
    alone = nnunet_loss()(output, truth)
    with torch.no_grad():
        assert torch.equal(loss(output, truth), alone)
    boxes = head.loss(head.maps, targets_of(labels, head.maps.shape[2:]), PATCH)
    assert float(loss(output, truth).detach()) == pytest.approx(float((alone + 0.5 * boxes).detach()))
    assert loss.read() == pytest.approx(float(boxes.detach()))
    assert loss.seen == []


def test_a_batch_without_tumours_and_one_to_be_ignored_have_finite_losses():
    head = BoxHead(4)
    maps, labels = head(torch.zeros(2, 4, 16, 20)), torch.zeros(2, 1, *PATCH)
    empty = head.loss(maps, targets_of(labels, (16, 20)), PATCH)
    empty.backward()
    assert 0 < float(empty.detach()) < 1
    nothing = head.loss(maps.detach(), targets_of(labels + 2, (16, 20), ignored=2), PATCH)
    assert float(nothing) == 0


def test_a_network_without_a_decoder_has_no_place_for_a_head():
    with pytest.raises(NotFoundError, match="U-Nets only"):
        head_for(torch.nn.Identity())


def test_of_boxes_that_are_nearly_the_same_the_best_stays_and_a_masks_regions_are_scored_by_their_mean():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [50, 50, 60, 60]], float)
    found = kept(boxes, np.array([0.5, 0.9, 0.7, 0.001]))
    assert found.boxes.tolist() == [boxes[1].tolist(), boxes[2].tolist()]
    assert found.scores.tolist() == [0.9, 0.7]
    mask, probability = np.zeros((8, 9), bool), np.full((8, 9), 0.1, np.float32)
    mask[1:3, 1:3], probability[1:3, 1:3] = True, [[0.6, 0.8], [0.8, 1.0]]
    mask[5, 6:9], probability[5, 6:9] = True, 0.75
    regions = mask_boxes(mask, probability)
    assert regions.boxes.tolist() == [[1, 1, 3, 3], [5, 6, 6, 9]]
    assert regions.scores == pytest.approx([0.8, 0.75])
    assert len(mask_boxes(np.zeros((8, 9), bool), probability).scores) == 0
