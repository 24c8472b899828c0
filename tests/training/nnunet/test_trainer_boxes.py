"""A training with a box head: what its checkpoint holds, that it goes on from it, and that no weight is no head."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from blobs import DATASET, PATCH

from inference.errors import FormatError
from training.nnunet.boxes import KEY
from training.nnunet.predict import load_folds
from training.nnunet.results.checkpoint import read_checkpoint
from training.nnunet.run import begin
from training.nnunet.settings import FitSettings
from training.nnunet.weight_averaging import average_models


def batch(seed: int) -> dict[str, Any]:
    """A picture of noise with a brighter rectangle, and its label at both scales of the deep supervision."""
    draw = torch.Generator().manual_seed(seed)
    label = torch.zeros(2, 1, *PATCH)
    label[:, :, 20:40, 24:52] = 1
    data = torch.randn(label.shape, generator=draw) + 2 * label
    return {"data": data, "target": [label, label[:, :, ::2, ::2]]}


def weights(trainer: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.network.state_dict().items()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def test_the_head_changes_the_network_by_its_gradient_alone_and_goes_on_from_its_checkpoint(begun, tmp_path):
    """With a weight that is lost in rounding the network learns the same to the bit: same start, same generators."""
    torch.set_num_threads(1)
    none, faint, whole = begun("none"), begun("faint", box_weight=1e-30), begun("whole", box_weight=1.0)
    assert equal(weights(none), weights(whole)), "the same weights to begin with"
    for at, trainer in enumerate((none, faint, whole)):
        trainer.train_step(batch(0))
        assert (at == 0) == (trainer._head is None)
    assert equal(weights(none), weights(faint))
    assert not equal(weights(none), weights(whole))

    file = Path(whole.output_folder) / "checkpoint_best.pth"
    whole.save_checkpoint(str(file))
    saved = read_checkpoint(file)
    assert saved["network_weights"].keys() == none.network.state_dict().keys(), "plain nnU-Net's network"
    none.save_checkpoint(str(tmp_path / "none.pth"))
    assert KEY not in read_checkpoint(tmp_path / "none.pth")

    resumed = begun("resumed", box_weight=1.0)
    resumed.load_checkpoint(str(file))
    for trainer in (whole, resumed):
        trainer.train_step(batch(1))
    assert equal(weights(whole), weights(resumed))
    assert equal(whole._head.state_dict(), resumed._head.state_dict())
    assert not equal(whole._head.state_dict(), saved[KEY])

    folder = Path(whole.output_folder_base)
    (folder / "plans.json").write_text(json.dumps(whole.plans_manager.plans))
    (folder / "dataset.json").write_text(json.dumps(DATASET))
    assert equal(load_folds(folder, [0]).predictor.network.state_dict(), saved["network_weights"])
    average_models({folder: 1.0, shutil.copytree(folder, tmp_path / "twin"): 1.0}, tmp_path / "mean")
    assert KEY not in read_checkpoint(tmp_path / "mean" / "fold_0" / "checkpoint_best.pth"), "a mean has no head"


@pytest.mark.parametrize("change", [{"gpus": 2, "device": "cuda"}, {"plan": "swin-unetr"}])
def test_where_no_head_can_learn_one_is_refused(tmp_path: Path, change: dict):
    raw = tmp_path / "nnUNet_raw" / "Dataset599_Blobs"
    raw.mkdir(parents=True)
    (raw / "dataset.json").write_text(json.dumps(DATASET))
    with pytest.raises(FormatError, match="beside a U-Net"):
        begin(tmp_path, raw.name, FitSettings(box_weight=1.0, **change))
