"""Ways of learning other than nnU-Net's: which slices are drawn, and which weights the training starts from."""

import copy
import json
from pathlib import Path

import numpy as np
import one_output
import pytest
import torch
from blobs import PATCH
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import FormatError, ModelError
from training.export.export import export_model
from training.nnunet import transformer
from training.nnunet.dataset import DatasetError
from training.nnunet.input_geometry import other_pictures
from training.nnunet.predict import load_folds
from training.nnunet.sampling import repeated, weighed
from training.nnunet.trainer import computes_bfloat16
from training.nnunet.warm_start import load_export

CPU = Path("/proc/cpuinfo")


@given(st.integers(1, 200), st.integers(1, 200), st.floats(0, 0.9))
def test_the_wanted_share_of_drawn_slices_is_tumour_free(tumours: int, empty: int, share: float):
    names = [f"t{n}" for n in range(tumours)] + [f"e{n}" for n in range(empty)]
    free = set(names[tumours:])
    drawn = weighed(names, free, share)
    assert [name for name in drawn if name not in free] == names[:tumours]
    times = [drawn.count(name) for name in free]
    assert abs(sum(times) - share * len(drawn)) <= 1
    assert max(times) - min(times) <= 1, "each as often as any other"


@pytest.mark.parametrize(("names", "free", "share"), [(["a"], set(), 0.5), (["a"], {"a"}, 0.5), (["a", "b"], {"b"}, 1)])
def test_a_share_that_cannot_be_had_is_refused(names, free, share):
    with pytest.raises(DatasetError, match="share of tumour-free"):
        weighed(names, free, share)


@given(st.lists(st.booleans(), min_size=1, max_size=50), st.integers(1, 9))
def test_a_small_tumour_is_drawn_so_many_times_as_often(small: list[bool], times: int):
    names = [f"s{at}" for at in range(len(small))]
    chosen = {name for name, one in zip(names, small, strict=True) if one}
    if times > 1 and not chosen:
        with pytest.raises(DatasetError, match="small tumour to draw more often"):
            repeated(names, chosen, times)
        return
    drawn = repeated(names, chosen, times)
    assert [drawn.count(name) for name in names] == [times if one else 1 for one in small]
    assert list(dict.fromkeys(drawn)) == names


@pytest.mark.parametrize(
    ("wanted", "optimiser", "rate"),
    [
        ({}, torch.optim.SGD, 0.01),
        ({"optimizer": "adamw"}, torch.optim.AdamW, transformer.LEARNING_RATE),
        ({"optimizer": "adamw", "learning_rate": 0.002}, torch.optim.AdamW, 0.002),
    ],
)
def test_the_optimizer_that_was_asked_for_begins_at_its_own_rate(begun, wanted: dict, optimiser: type, rate: float):
    """SGD's 0.01 would ruin a network in AdamW's first steps."""
    made = begun("one", **wanted).optimizer
    assert type(made) is optimiser
    assert [group["lr"] for group in made.param_groups] == [rate]


def test_a_network_with_one_output_learns_as_it_is_added(begun):
    """Only the transformer could: any other network was asked for an output at each scale, and has no decoder."""
    trainer = begun("one", network=one_output.CLASS)
    assert trainer.network.deep_supervision is False
    trainer.set_deep_supervision_enabled(True)
    before = trainer.network.weight.detach().clone()
    trainer.train_step(one_output.batch(*PATCH))
    assert not torch.equal(before, trainer.network.weight)


@pytest.fixture(scope="module")
def exported(model_folder, tmp_path_factory):
    folder = model_folder()
    out = tmp_path_factory.mktemp("exported") / "one.onnx"
    export_model(folder, out, name="Blobs", simulated=True)
    return folder, out


def test_a_training_starts_from_the_exported_weights_to_the_bit(exported):
    folder, out = exported
    trained = load_folds(folder, [0]).predictor.network
    started = copy.deepcopy(trained)
    with torch.no_grad():
        for parameter in started.parameters():
            parameter.zero_()
    load_export(started, out)
    picture = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, 64, 80)).astype(np.float32))
    with torch.no_grad():
        assert torch.equal(started(picture), trained(picture))


def test_weights_that_saw_other_pictures_are_told(exported):
    folder, out = exported
    plans = json.loads((folder / "plans.json").read_text())
    assert other_pictures(out, plans) is None
    for change, words in (
        ({"use_mask_for_norm": [True]}, "normalised without the black around"),
        ({"spacing": [0.7, 0.7]}, "of 0.7 x 0.7 mm"),
    ):
        other = copy.deepcopy(plans)
        other["configurations"]["2d"] |= change
        said = other_pictures(out, other)
        assert said is not None
        assert words in said.split("than this training shows")[1]


def test_another_network_and_another_file_are_refused(exported, model_folder, tmp_path):
    _, out = exported
    other = load_folds(model_folder(residual=True), [0]).predictor.network
    with pytest.raises(FormatError, match="holds another network"):
        load_export(other, out)
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError):
        load_export(other, tmp_path / "text.onnx")
    export_model(model_folder(folds=2), tmp_path / "two.onnx", name="Two", simulated=True, folds=(0, 1))
    with pytest.raises(FormatError, match="fuses 2 folds"):
        load_export(other, tmp_path / "two.onnx")


@pytest.mark.skipif(not CPU.is_file(), reason="this system does not list its processor's instructions")
def test_bfloat16_is_not_emulated():
    flags = set(CPU.read_text().split())
    assert computes_bfloat16("cpu") == bool(flags & {"avx512_bf16", "amx_tile"})
    assert computes_bfloat16("cuda")
