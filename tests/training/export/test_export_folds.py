"""Several folds in one file: their mean is nnU-Net's to the pixel, and thorough mode shows where they disagree."""

import numpy as np
import onnx
import pytest
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
import torch
from onnx import TensorProto, helper

from inference.contract import Mode
from inference.model.engine import Engine
from inference.model.preprocessing import prepare
from training.export import parity
from training.export.export import export_model
from training.export.network import build_network
from training.export.onnx_file import write_onnx
from training.export.samples import draw_samples
from training.nnunet.results.checkpoint import read_trained

CPU = ["CPUExecutionProvider"]
FOLDS = range(5)
SAMPLES = draw_samples(2, seed=1, field_mm=(14.0, 30.0)) + draw_samples(2, seed=2, field_mm=(45.0, 60.0))
"""Slices of one tile, and of several."""
FINE = draw_samples(16, seed=3, field_mm=(20.0, 45.0), spacing_mm=(0.2, 0.2))


def _off_zero(folder):
    """Move both logits of every fold far from zero, where float16 rounds the most, and the folds apart."""
    for fold in FOLDS:
        path = folder / f"fold_{fold}" / "checkpoint_best.pth"
        checkpoint = torch.load(path, weights_only=False)
        weights = checkpoint["network_weights"]
        last = max(name for name in weights if "seg_layers" in name and name.endswith("bias"))
        weights[last] = weights[last] + torch.tensor([5.3 + 2.1 * fold, 4.7 + 2.4 * fold])
        torch.save(checkpoint, path)
    return folder


@pytest.fixture(scope="module")
def five(model_folder, tmp_path_factory):
    """Five trained folds, exported into one file, behind the gate at 0.2 mm."""
    folder, out = _off_zero(model_folder(folds=5)), tmp_path_factory.mktemp("folds")
    for one in FINE[:6]:
        image = sitk.GetImageFromArray(one.pixels)
        image.SetSpacing(one.spacing_mm[::-1])
        sitk.WriteImage(image, out / f"{one.name}.nii.gz")
    export_model(folder, out / "all.onnx", folds=tuple(FOLDS), name="Blobs", simulated=True, verify=out)
    return read_trained(folder, FOLDS), Engine.load(out / "all.onnx", providers=CPU)


@pytest.fixture(scope="module")
def older(five, tmp_path_factory):
    """The file as earlier versions wrote it: the folds' mean from the graph, and a variance beside it."""
    _, fused = five
    model = onnx.load(fused.path)
    rows, cols = fused.contract.input.patch
    model.graph.node.append(helper.make_node("ReduceMean", ["logits", "along_folds"], ["of_folds"], keepdims=1))
    model.graph.node.append(helper.make_node("ReduceMax", ["of_folds", "along_labels"], ["fold_variance"], keepdims=1))
    axes = {"along_folds": 0, "along_labels": 1}
    model.graph.initializer.extend(helper.make_tensor(name, TensorProto.INT64, [1], [at]) for name, at in axes.items())
    del model.graph.output[:]
    for name, planes in (("of_folds", 2), ("fold_variance", 1)):
        shape = [1, planes, rows, cols]
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    path = tmp_path_factory.mktemp("older") / "older.onnx"
    write_onnx(model, path)
    return Engine.load(path, providers=CPU)


@pytest.mark.parametrize("mode", Mode)
def test_five_folds_give_nnunets_masks_to_the_pixel_also_at_a_fifth_of_a_millimetre(five, older, mode):
    trained, fused = five
    samples = FINE[:: 1 if mode is Mode.FAST else 3]
    masks = parity.predict_all(parity.Reference(trained, mode), samples)
    assert {one.tiles > 1 for one in parity.compare_all(fused, samples, masks)} == {False, True}
    found = parity.compare_all(fused, samples, masks, mode)
    assert all(one.differing_px == 0 for one in found), parity.table(found)
    rounded_once = parity.compare_all(older, samples, masks, mode)
    assert any(one.differing_px for one in rounded_once), "rounding changes nothing here, so that nothing is proved"


def test_each_fold_answers_as_its_own_network(five):
    trained, fused = five
    tile = prepare(SAMPLES[1].pixels, SAMPLES[1].spacing_mm, fused.contract.input).tile((0, 0))
    with torch.inference_mode():
        each = [build_network(trained, fold)(torch.from_numpy(tile))[0].numpy() for fold in FOLDS]
    np.testing.assert_allclose(fused.run(tile), each, atol=1e-4)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.pixels.shape}")
def test_folds_add_to_where_mirrors_disagree(five, older, sample):
    _, fused = five
    found, mirrored = (one.segment(sample.pixels, sample.spacing_mm, Mode.THOROUGH) for one in (fused, older))
    assert found.disagreement.shape == sample.pixels.shape
    assert (found.disagreement >= mirrored.disagreement - 0.01).all()
    assert (found.disagreement > mirrored.disagreement + 0.01).any(), "the folds say the same: nothing is proved"
    assert found.disagreement.max() <= 1
    assert not found.disagreement[found.margin.whole() < -50].any(), "where the network never looked"


def test_one_pass_does_not_say_where_folds_disagree(five):
    _, fused = five
    assert fused.segment(SAMPLES[1].pixels, SAMPLES[1].spacing_mm).disagreement is None


def test_a_file_of_earlier_versions_still_runs(older):
    assert older.contract.output.folds == len(FOLDS)
    assert older.self_test.passed
