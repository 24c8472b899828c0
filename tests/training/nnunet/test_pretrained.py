"""Starting from a checkpoint of torch's: what is taken equals it to the bit, the rest is named, and no code is run."""

import argparse
import copy
import dataclasses
import os
import pickle
from pathlib import Path

import pytest
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from torch import nn

from inference.contract import Population
from inference.errors import FormatError, ModelError
from training.export.training_facts import simulated_population, with_start
from training.nnunet.pretrained import Started, start_from
from training.nnunet.results.trained_on import TrainedOn

MORE_THAN_ALL = 1.0
LAYER = {"conv_op": nn.Conv2d, "norm_op": nn.InstanceNorm2d, "norm_op_kwargs": {"affine": True}, "nonlin": nn.LeakyReLU}


def network(
    seed: int = 0, channels: int = 1, features: tuple[int, ...] = (2, 4, 4), kind: type = PlainConvUNet
) -> nn.Module:
    """A U-Net as nnU-Net builds it, with random weights; norms too, whose ones and zeros would all be equal."""
    torch.manual_seed(seed)
    blocks = "n_blocks_per_stage" if kind is ResidualEncoderUNet else "n_conv_per_stage"
    size = {"n_stages": 3, "features_per_stage": features, "kernel_sizes": 3, "strides": (1, 2, 2), blocks: 1}
    built = kind(channels, num_classes=2, n_conv_per_stage_decoder=1, conv_bias=True, **size, **LAYER)
    with torch.no_grad():
        for weights in built.parameters():
            weights.copy_(torch.rand_like(weights))
    return built


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def equal(one: nn.Module, other: nn.Module, beginning: str = "") -> list[bool]:
    theirs = other.state_dict()
    names = {name for name, _ in one.named_parameters() if name.startswith(beginning)}
    return [torch.equal(weights, theirs[name]) for name, weights in one.state_dict().items() if name in names]


@pytest.mark.parametrize("kind", [PlainConvUNet, ResidualEncoderUNet])
@pytest.mark.parametrize(
    "packed",
    [
        lambda state: {"network_weights": state, "optimizer_state": {0: {"momentum": torch.ones(1)}}, "epoch": 3},
        lambda state: state,
        lambda state: {"model": {f"module.{name}": one for name, one in state.items()}},
    ],
    ids=["nnunet", "plain", "wrapped"],
)
def test_a_whole_match_equals_the_source_to_the_bit(tmp_path, kind, packed):
    source, filled = network(1, kind=kind), network(2, kind=kind)
    assert not any(equal(filled, source))
    started = start_from(filled, saved(tmp_path / "s.pth", packed(source.state_dict())), MORE_THAN_ALL)
    assert all(equal(filled, source))
    assert (started.other_shape, started.random, started.unused, started.encoder_share) == ((), (), (), 1.0)
    assert "0 of" not in started.words
    assert started.as_json()["words"] == started.words


def test_a_stem_for_colour_pictures_is_left_out_and_named(tmp_path):
    source, filled = network(1, channels=3), network(2)
    before = copy.deepcopy(filled)
    started = start_from(filled, saved(tmp_path / "rgb.pth", source.state_dict()), 0.5)
    (stem,) = started.other_shape
    assert stem == "encoder.stages.0.0.convs.0.conv"
    assert stem in started.words
    assert stem not in started.taken
    assert 0.9 < started.encoder_share < 1
    own, theirs = filled.state_dict(), source.state_dict()
    assert torch.equal(own[f"{stem}.bias"], before.state_dict()[f"{stem}.bias"]), "no bias without its weights"
    assert all(torch.equal(own[name], theirs[name]) for name in own if "stages.1" in name)


def test_a_backbone_under_another_name_fills_the_encoder_and_leaves_the_rest(tmp_path):
    source, filled = network(1), network(2)
    before = copy.deepcopy(filled)
    backbone = {f"student.backbone.{name}": one for name, one in source.encoder.state_dict().items()}
    head = {"student.head.weight": torch.ones(4, 4)}
    started = start_from(filled, saved(tmp_path / "b.pth", {"state_dict": backbone | head, "epoch": 7}), MORE_THAN_ALL)
    assert all(equal(filled, source, "encoder."))
    assert all(equal(filled, before, "decoder."))
    assert started.random
    assert all(layer.startswith("decoder.") for layer in started.random)
    assert started.unused == ("student.head.weight",)


def test_too_little_is_refused_unless_it_is_asked_for_and_nothing_always(tmp_path):
    source, filled = network(1, features=(2, 6, 6)), network(2)
    before = copy.deepcopy(filled)
    file = saved(tmp_path / "wide.pth", source.state_dict())
    with pytest.raises(
        FormatError, match=r"fits \d+% of the encoder's weights.*50% are asked for.*--start-share 0\.\d+"
    ):
        start_from(filled, file, 0.5)
    assert all(equal(filled, before)), "refused before anything was changed"
    started = start_from(filled, file, 0.0)
    assert 0 < started.encoder_share < 0.5
    assert started.taken[0] == "encoder.stages.0.0.convs.0.conv"
    with pytest.raises(FormatError, match="fits no layer of this network"):
        start_from(filled, saved(tmp_path / "vit.pth", {"blocks.0.attn.qkv.weight": torch.ones(9, 3)}), 0.0)
    with pytest.raises(FormatError, match="holds no weights by name"):
        start_from(filled, saved(tmp_path / "empty.pth", {"epoch": 3}), 0.0)


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


def test_a_file_that_could_run_code_does_not(tmp_path):
    filled, mark = network(2), tmp_path / "boom"
    before = copy.deepcopy(filled)
    settings = saved(tmp_path / "args.pth", {"model": network(1).state_dict(), "args": argparse.Namespace(lr=1)})
    armed = saved(tmp_path / "armed.pth", {"model": network(1).state_dict(), "bomb": Bomb(mark)})
    bare = tmp_path / "bare.pth"
    bare.write_bytes(pickle.dumps(Bomb(mark)))
    for file in (settings, armed, bare):
        with pytest.raises(ModelError, match=r"could run code\. Save the weights alone, torch\.save"):
            start_from(filled, file, 0.0)
    assert not mark.exists()
    assert all(equal(filled, before))


def test_an_export_says_what_its_training_started_from():
    people: Population = simulated_population(3, native=False)
    started = Started("usfm.pth", "0" * 64, ("a", "b"), ("c",), ("d", "e", "f", "g"), 0.75, ())
    trained = _Trained(_Receipt({"started": started.as_json()}))
    said = with_start(people, trained).words
    assert said.startswith(people.words)
    assert "usfm.pth: 2 of 7 layers taken, 75% of the encoder's weights" in said
    assert "left at random: d, e, f and 1 more" in said
    assert said.endswith("The patients behind that file are not known here.")
    assert with_start(people, _Trained(_Receipt({}))) == people


def test_a_start_that_no_receipt_knows_is_named():
    people: Population = simulated_population(3, native=False)
    said = with_start(people, _Trained(_Receipt({"start": "/gone/clinic.onnx"}))).words
    assert said.endswith("It went on from clinic.onnx, and the patients behind that file are not known here.")
    known = _Receipt({"start": "/there/fold_0/checkpoint_final.pth", "start_patients_known": True})
    assert with_start(people, _Trained(known)) == people


@dataclasses.dataclass
class _Receipt:
    settings: dict


@dataclasses.dataclass
class _Trained:
    receipt: _Receipt
    trained_on: TrainedOn = dataclasses.field(default_factory=lambda: TrainedOn(frozenset(), (), complete=False))
