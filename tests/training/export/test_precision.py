"""Fewer bits: only where the masks stay the same, and never without the table that says so."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

from inference.assets import demo_model_path
from inference.contract import Mode
from inference.errors import ModelError
from inference.model.engine import Engine
from inference.model.golden import GoldenCase
from inference.model.openvino_session import OpenVinoSession
from training.export import precision_gate as reduction
from training.export import proof
from training.export.export import export_model
from training.export.norm import fuse_norms
from training.export.onnx_file import seal
from training.export.precision import Precision, calibration_samples, to_float16, to_int8
from training.export.precision_gate import Cost
from training.export.samples import draw_samples

CPU, OPENVINO = ["CPUExecutionProvider"], ["OpenVINO"]
NATIVE = any(flag in Path("/proc/cpuinfo").read_text().split() for flag in ("avx512_bf16", "amx_bf16"))
native = pytest.mark.skipif(not NATIVE, reason="this processor has no bfloat16: the refusal is tested")
SAME = Cost("a", 1.0, 0.8, 0.8)


def full_of(folder, out, **settings):
    """A folder exported in float32: its graph and its contract."""
    sealed = export_model(folder, out, name="Blobs", simulated=True, **settings)
    return onnx.load(out), sealed


@pytest.fixture(scope="module")
def full(model_folder, tmp_path_factory):
    """A proven float32 file: its graph and its contract."""
    return full_of(model_folder(), tmp_path_factory.mktemp("float32") / "m.onnx")


@pytest.mark.parametrize("precision", [Precision.FLOAT16, Precision.INT8])
def test_a_reduced_file_carries_what_it_costs(full, tmp_path, monkeypatch, precision):
    model, sealed = full
    # The network of some seconds is surer of nothing than one trained to the end: int8 moves its borders more.
    monkeypatch.setattr(reduction, "MIN_DICE", 0.3)
    monkeypatch.setattr(reduction, "MIN_DICE_MEAN", 0.9)
    reduced, contract = proof.reduce(
        model, sealed, draw_samples(20, seed=8), "blobs", precision, draw_samples(12, seed=9)
    )
    assert contract.provenance.precision == precision.value
    assert 0.9 <= contract.reduction.dice_mean < 1
    assert contract.parity == sealed.parity
    onnx.save(reduced, tmp_path / "r.onnx")
    assert Engine.load(tmp_path / "r.onnx", providers=CPU).contract == contract


@native
def test_a_bfloat16_file_is_the_float32_network_with_the_cost_of_bfloat16(full, tmp_path):
    model, sealed = full
    reduced, contract = proof.reduce(model, sealed, draw_samples(20, seed=8), "blobs", Precision.BFLOAT16, [])
    assert contract.provenance.precision == "bfloat16"
    assert reduction.MIN_DICE_MEAN <= contract.reduction.dice_mean < 1
    assert contract.parity == sealed.parity
    assert reduced.graph == model.graph
    assert contract.self_test.golden_sha256 == sealed.self_test.golden_sha256, "nnU-Net's own masks"
    onnx.save(reduced, tmp_path / "r.onnx")
    exact, fast = (Engine.load(tmp_path / "r.onnx", providers=where) for where in (CPU, OPENVINO))
    assert exact.contract == fast.contract == contract
    assert exact.self_test.mismatched_per_million <= sealed.self_test.mismatched_per_million
    tile = np.random.default_rng(0).standard_normal((1, 1, *contract.input.patch)).astype(np.float32)
    error = np.abs(fast.run(tile) - exact.run(tile)).max()
    assert 1e-4 < error < 0.5, "other bits, the same network"


@native
def test_a_black_mask_fails_what_bfloat16_may_differ(full):
    model, sealed = full
    reduced, contract = proof.reduce(model, sealed, draw_samples(12, seed=8), "blobs", Precision.BFLOAT16, [])
    golden = proof.golden_of(reduced, contract)
    share = sum(np.count_nonzero(case.mask) for case in golden) / sum(case.mask.size for case in golden)
    assert contract.self_test.mismatched_per_million < share * 1e6 / 8


@native
def test_norms_are_fused_in_openvino_as_in_the_graph(full, tmp_path):
    """Spelled out, every step of a norm would be rounded."""
    model, _ = full
    tile = np.random.default_rng(0).standard_normal((1, 1, 64, 80), np.float32)
    answers = []
    for name, graph in (("spelled", model), ("fused", fuse_norms(model))):
        onnx.save(graph, tmp_path / f"{name}.onnx")
        session = OpenVinoSession(tmp_path / f"{name}.onnx", 1)
        answers += session.run(None, {"image": tile})
    np.testing.assert_array_equal(*answers)


@native
def test_logits_that_bfloat16_cannot_tell_apart_are_refused(full):
    """Both a thousand higher: equal masks in float32, and steps of four in bfloat16."""
    model, sealed = full
    high = onnx.ModelProto()
    high.CopyFrom(model)
    (bias,) = (w for w in high.graph.initializer if list(w.dims) == [2])
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + np.float32(1000), bias.name))
    with pytest.raises(ModelError, match=r"In bfloat16 the model is not the same, so nothing(?s:.*)simulated_"):
        proof.reduce(high, sealed, draw_samples(12, seed=8), "blobs", Precision.BFLOAT16, [])


@native
def test_golden_masks_that_bfloat16_moves_are_refused(full):
    model, sealed = full
    cases = proof.golden_of(model, sealed)
    moved = [GoldenCase(one.pixels, one.spacing_mm, np.roll(one.mask, 8, 1)) for one in cases]
    other = onnx.ModelProto()
    other.CopyFrom(model)
    contract = seal(other, sealed, moved)
    with pytest.raises(ModelError, match="a golden frame has a Dice of 0"):
        proof.reduce(other, contract, draw_samples(12, seed=8), "blobs", Precision.BFLOAT16, [])


@native
def test_two_folds_disagree_in_bfloat16_as_in_float32(model_folder, tmp_path):
    model, sealed = full_of(model_folder(folds=2), tmp_path / "two.onnx", folds=(0, 1))
    reduced, contract = proof.reduce(model, sealed, draw_samples(12, seed=8), "blobs", Precision.BFLOAT16, [])
    onnx.save(reduced, tmp_path / "r.onnx")
    sample = draw_samples(1, seed=8)[0]
    exact, fast = (
        Engine.load(tmp_path / "r.onnx", providers=where).segment(sample.pixels, sample.spacing_mm, Mode.THOROUGH)
        for where in (CPU, OPENVINO)
    )
    assert contract.output.folds == 2
    np.testing.assert_allclose(fast.disagreement, exact.disagreement, atol=0.05)
    assert fast.disagreement.max() > 0


def test_the_command_says_at_once_what_bfloat16_needs(model_folder, tmp_path):
    """Before the hours of proof."""
    out = tmp_path / "m.onnx"
    command = ["-m", "training.cli", "export", model_folder(), "--out", out, "--name", "m", "--simulated"]
    said = subprocess.run(
        [sys.executable, *command, "--precision", "bfloat16"],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert said.returncode == 2
    assert said.stderr.count("\n") == 1
    assert "this processor has no bfloat16" in said.stderr
    assert not out.exists()


def test_int8_really_is(full):
    model, _ = full
    tiles = [np.random.default_rng(0).standard_normal((1, 1, 64, 80), np.float32)]
    reduced = to_int8(model, tiles)
    kinds = {tensor.data_type for tensor in reduced.graph.initializer}
    assert onnx.TensorProto.INT8 in kinds
    assert any(node.op_type == "QuantizeLinear" for node in reduced.graph.node)
    convolutions = [node for node in reduced.graph.node if node.op_type == "Conv"]
    full_weights = {tensor.name for tensor in reduced.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    assert [node.input[1] in full_weights for node in convolutions] == [
        True,
        *[False] * (len(convolutions) - 2),
        True,
    ], "picture and logits in float32"


def test_fused_norms_are_the_same_function(full):
    model, _ = full
    fused = fuse_norms(model)
    kinds = [node.op_type for node in fused.graph.node]
    assert kinds.count("InstanceNormalization") == sum(node.op_type == "Sqrt" for node in model.graph.node) > 3
    assert not {"Sqrt", "ReduceMean", "Div"}.intersection(kinds)
    tile = np.random.default_rng(0).standard_normal((1, 1, 64, 80), np.float32)
    sessions = [ort.InferenceSession(one.SerializeToString(), providers=CPU) for one in (model, fused)]
    exact, found = (session.run(None, {"image": tile})[0] for session in sessions)
    np.testing.assert_allclose(found, exact, atol=1e-3)


def test_a_square_root_of_something_else_is_refused(full):
    odd = onnx.ModelProto()
    odd.CopyFrom(full[0])
    odd.graph.node.append(helper.make_node("Sqrt", [odd.graph.output[0].name], ["root"]))
    with pytest.raises(ModelError, match="another form"):
        fuse_norms(odd)


def test_norms_stay_float32_where_convolutions_do_not(full):
    half = to_float16(full[0])
    weights = {w.name: w.data_type for w in half.graph.initializer}
    convolutions = [node for node in half.graph.node if node.op_type == "Conv"]
    assert {weights[node.input[1]] for node in convolutions} == {onnx.TensorProto.FLOAT16}
    assert half.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_a_deep_network_keeps_every_name_once():
    """Its seventeenth convolution is called conv2d_16."""
    onnx.checker.check_model(to_float16(onnx.load(demo_model_path())), full_check=True)


def test_a_broken_reduction_is_refused_with_its_table(full, monkeypatch):
    """Ranges taken on nothing but noise a thousandth as strong: every plane is cut off."""
    model, sealed = full
    faint = draw_samples(3, seed=9)
    tiles = [np.full((1, 1, 64, 80), 1e-3, np.float32)]
    monkeypatch.setattr(proof, "calibration_tiles", lambda *_: tiles)
    with pytest.raises(ModelError, match=r"nothing was written(?s:.*)Dice to float32(?s:.*)simulated_"):
        proof.reduce(model, sealed, draw_samples(12, seed=8), "blobs", Precision.INT8, faint)


def test_weights_that_were_lost_are_refused(full):
    model, _ = full
    broken = onnx.ModelProto()
    broken.CopyFrom(model)
    for weight in broken.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.ndim == 4 and values.shape[1] == 1 and values.dtype == np.float32 and values.shape[2] == 3:
            weight.CopyFrom(numpy_helper.from_array(np.zeros_like(values), weight.name))
    samples = draw_samples(12, seed=8)
    found = reduction.costs(proof.draft(broken), proof.draft(model), samples)
    with pytest.raises(ModelError, match="float16"):
        reduction.demand(found, "float16")


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ([SAME] * 99 + [Cost("b", 0.969, 0.8, 0.8)], "least Dice to float32 0.9690"),
        ([Cost("b", 0.98, 0.8, 0.8)] * 3, "mean Dice to float32 0.9800"),
        ([Cost("b", 1.0, 0.8, 0.79)] * 3, "mean Dice to the truth 0.7900, in float32 0.8000"),
        ([Cost("b", 1.0, None, None)] * 3, "No slice holds tumour"),
    ],
)
def test_each_demand_is_one(found, sentence):
    with pytest.raises(ModelError, match=sentence):
        reduction.demand(found, "int8")


def test_a_gain_is_no_loss():
    reduction.demand([SAME, Cost("b", 0.99, 0.7, 0.9)], "int8")


def test_int8_without_training_slices_is_refused():
    with pytest.raises(ModelError, match="--train"):
        calibration_samples(())
