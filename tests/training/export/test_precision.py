"""A lower precision is exported only if the masks stay the same, and a refusal shows its table."""

import dataclasses
import math
import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import helper, numpy_helper
from processor import native

from inference.assets import demo_model_path
from inference.contract import Mode
from inference.dice import agreement
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
SAME = Cost("a", 1.0, 0.8, 0.8)


def full_of(folder, out, **settings):
    """Export a folder in float32; return the graph and the contract."""
    sealed = export_model(folder, out, name="Blobs", simulated=True, **settings)
    return onnx.load(out), sealed


def differ_by(one, other):
    """The largest difference between two engines' logits on a tile of noise."""
    tile = np.random.default_rng(0).standard_normal((1, 1, *one.contract.input.patch)).astype(np.float32)
    return np.abs(one.run(tile) - other.run(tile)).max()


@pytest.fixture(scope="module")
def full(model_folder, tmp_path_factory):
    """A proven float32 file: its graph and its contract."""
    return full_of(model_folder(), tmp_path_factory.mktemp("float32") / "m.onnx")


@pytest.fixture(scope="module")
def bfloat16(full):
    """The same, proven in bfloat16."""
    return proof.reduce(*full, draw_samples(20, seed=8), "blobs", Precision.BFLOAT16, [])


@pytest.mark.parametrize("precision", [Precision.FLOAT16, Precision.INT8])
def test_a_reduced_file_carries_what_it_costs(full, tmp_path, monkeypatch, precision):
    model, sealed = full
    # A network trained for seconds is less certain than one trained to the end, so int8 moves its borders more.
    monkeypatch.setattr(reduction, "MIN_DICE", 0.3)
    monkeypatch.setattr(reduction, "MIN_DICE_MEAN", 0.9)
    samples = draw_samples(20, seed=8)
    reduced, contract = proof.reduce(model, sealed, samples, "blobs", precision, draw_samples(12, seed=9))
    assert contract.provenance.precision == precision.value
    assert contract.parity == sealed.parity
    onnx.save(reduced, tmp_path / "r.onnx")
    fewer, exact = Engine.load(tmp_path / "r.onnx", providers=CPU), proof.draft(model)
    assert fewer.contract == contract
    dices = [one.dice for one in reduction.costs(fewer, exact, samples)]
    assert (contract.reduction.dice_mean, contract.reduction.dice_min) == (np.mean(dices), min(dices))
    # Whether the changed logits change a mask depends on the processor that the network was trained on; that the
    # logits change does not.
    assert differ_by(fewer, exact) > 0


@native
def test_a_bfloat16_file_is_the_float32_network_with_the_cost_of_bfloat16(full, bfloat16, tmp_path):
    (model, sealed), (reduced, contract) = full, bfloat16
    assert contract.provenance.precision == "bfloat16"
    assert reduction.MIN_DICE_MEAN <= contract.reduction.dice_mean <= 1
    assert contract.parity == sealed.parity
    assert reduced.graph == model.graph
    assert contract.self_test.golden_sha256 == sealed.self_test.golden_sha256, "nnU-Net's own masks"
    onnx.save(reduced, tmp_path / "r.onnx")
    exact, fast = (Engine.load(tmp_path / "r.onnx", providers=where) for where in (CPU, OPENVINO))
    assert exact.contract == fast.contract == contract
    assert exact.self_test.mismatched_per_million <= sealed.self_test.mismatched_per_million
    assert 1e-4 < differ_by(fast, exact) < 0.5, "other bits, the same network"


@native
def test_a_black_mask_fails_what_bfloat16_may_differ(bfloat16):
    reduced, contract = bfloat16
    golden = proof.golden_of(reduced, contract)
    share = sum(np.count_nonzero(case.mask) for case in golden) / sum(case.mask.size for case in golden)
    assert contract.self_test.mismatched_per_million < share * 1e6 / 8


@native
def test_norms_are_fused_in_openvino_as_in_the_graph(full, tmp_path):
    """If the norm stayed spelled out, each of its steps would be rounded."""
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
    """Both logits a thousand higher: the same masks in float32, but steps of four in bfloat16."""
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


def dotted(case, mm2):
    """A golden case with a contour of some mm² in its corner, as different rounding may leave one."""
    row_mm, col_mm = case.spacing_mm
    side = math.sqrt(mm2)
    mask = case.mask.copy()
    mask[: round(side / row_mm), : round(side / col_mm)] = 1
    return GoldenCase(case.pixels, case.spacing_mm, mask)


def test_a_dot_on_a_golden_frame_without_tumour_refuses_no_export(full):
    """A plain Dice is 0 there, and a network undecided about one pixel could never be exported in bfloat16."""
    model, sealed = full
    engine, cases = proof.draft(model), proof.golden_of(model, sealed)
    *tumours, none = cases
    assert not none.mask.any()
    dot = dotted(none, 1.0)
    assert dot.mask.any()
    assert proof.for_both(sealed, engine, [*tumours, dot], cases).self_test.golden_sha256


@pytest.mark.parametrize(
    "moved",
    [
        lambda tumour, none: (tumour, dotted(none, 5.0)),
        lambda tumour, none: (GoldenCase(tumour.pixels, tumour.spacing_mm, np.zeros_like(tumour.mask)), none),
        lambda tumour, none: (GoldenCase(tumour.pixels, tumour.spacing_mm, np.roll(tumour.mask, 8, 1)), none),
        lambda tumour, none: (tumour, GoldenCase(none.pixels, none.spacing_mm, np.ones_like(none.mask))),
    ],
    ids=["a contour where there is none", "black", "shifted", "white"],
)
def test_golden_masks_that_fewer_bits_move_are_refused_on_every_processor(full, moved):
    model, sealed = full
    engine, cases = proof.draft(model), proof.golden_of(model, sealed)
    with pytest.raises(ModelError, match="a golden frame has a Dice of 0"):
        proof.for_both(sealed, engine, (*moved(cases[0], cases[-1]), *cases[1:-1]), (cases[0], cases[-1], *cases[1:-1]))


@pytest.mark.parametrize(("per_million", "tissue_off"), [(401.0, 0.0), (0.0, 0.03)])
def test_a_bfloat16_file_that_no_self_test_would_pass_is_not_written(full, per_million, tissue_off):
    """Its contract could not be read, or it would run in float32 on the very computer that proved it."""
    model, sealed = full
    engine, cases = proof.draft(model), proof.golden_of(model, sealed)
    engine.self_test = dataclasses.replace(engine.self_test, mismatched_per_million=per_million, tissue_off=tissue_off)
    with pytest.raises(ModelError, match="not nnU-Net's closely enough for a self-test"):
        proof.for_both(sealed, engine, cases, cases)


MASKS = arrays(np.uint8, (40, 50), elements=st.integers(0, 1))


@given(MASKS, MASKS, st.floats(0.1, 1.5), st.floats(0.1, 1.5))
def test_agreement_is_the_dice_of_all_but_the_smallest_masks(first, second, row_mm, col_mm):
    spacing_mm = (row_mm, col_mm)
    area_mm2 = (np.count_nonzero(first) + np.count_nonzero(second)) * row_mm * col_mm
    found, plain = reduction.agreement_in_area(first, second, spacing_mm), agreement(first, second)
    assert found == reduction.agreement_in_area(second, first, spacing_mm)
    if area_mm2 >= 2 * reduction.SMALLEST_MM2:
        assert found == pytest.approx(plain)
    else:
        differing_mm2 = np.count_nonzero(first != second) * row_mm * col_mm
        assert found == pytest.approx(1 - differing_mm2 / 70)
        assert plain <= found or found == pytest.approx(plain)


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
    """The command refuses before the hours of proof."""
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
    weights = [
        one for one in reduced.graph.initializer if one.data_type == onnx.TensorProto.INT8 and len(one.dims) == 4
    ]
    largest = max(np.abs(numpy_helper.to_array(one).astype(int)).max() for one in weights)
    assert 2 * largest * 255 < 2**15, "or a processor without VNNI would clip sums, and have other masks"


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
    """The seventeenth convolution is called conv2d_16."""
    onnx.checker.check_model(to_float16(onnx.load(demo_model_path())), full_check=True)


def test_a_broken_reduction_is_refused_with_its_table(full, monkeypatch):
    """Ranges measured on noise a thousandth as strong cut off every plane."""
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


def test_int8_asks_for_its_slices_before_anything_is_proved(model_folder, tmp_path):
    """Not after the minutes that the float32 network takes; here its slices are missing too."""
    with pytest.raises(ModelError, match="--train"):
        export_model(
            model_folder(),
            tmp_path / "m.onnx",
            name="m",
            simulated=True,
            precision=Precision.INT8,
            verify=tmp_path / "absent",
        )
