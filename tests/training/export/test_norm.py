"""The spelled-out instance norm is the same function as torch's, on planes of any level."""

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import nn

from training.export.norm import SpelledOutInstanceNorm, spell_out_norms


def _norm(channels: int) -> nn.InstanceNorm2d:
    norm = nn.InstanceNorm2d(channels, eps=1e-5, affine=True)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, channels))
        norm.bias.copy_(torch.linspace(-1, 1, channels))
    return norm.eval()


@pytest.mark.parametrize("level", [0.0, 10.0, -300.0])
def test_the_same_function(level: float) -> None:
    planes = level + torch.randn(1, 5, 24, 40, generator=torch.Generator().manual_seed(1))
    norm = _norm(5)
    torch.testing.assert_close(SpelledOutInstanceNorm(norm)(planes), norm(planes), rtol=1e-4, atol=1e-4)


def test_a_flat_plane_becomes_its_shift() -> None:
    norm = _norm(3)
    out = SpelledOutInstanceNorm(norm)(torch.full((1, 3, 8, 8), 7.0))
    torch.testing.assert_close(out, norm.bias.reshape(1, 3, 1, 1).expand(1, 3, 8, 8))


def test_shared_layers_are_counted_and_replaced_once() -> None:
    network = nn.Module()
    network.norm = _norm(2)
    network.all_modules = nn.Sequential(nn.Conv2d(2, 2, 1), network.norm)
    assert spell_out_norms(network) == 1
    assert network.norm is network.all_modules[1]
    assert not any(isinstance(part, nn.InstanceNorm2d) for part in network.modules())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_closer_to_float64_than_onnx_runtime_s_own(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The reason for the spelled-out norm: in deep stacks, ONNX Runtime's operator drifts."""
    from onnx import TensorProto, helper, numpy_helper

    planes = (3 + torch.randn(1, 4, 256, 256, generator=torch.Generator().manual_seed(2))).float()
    norm = _norm(4)
    exact = norm.double()(planes.double())
    norm.float()
    node = helper.make_node("InstanceNormalization", ["x", "s", "b"], ["y"], epsilon=norm.eps)
    shape = list(planes.shape)
    graph = helper.make_graph(
        [node],
        "norm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [
            numpy_helper.from_array(norm.weight.detach().numpy(), "s"),
            numpy_helper.from_array(norm.bias.detach().numpy(), "b"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    theirs = session.run(None, {"x": planes.numpy()})[0]
    path = tmp_path / "spelled.onnx"
    torch.onnx.export(
        SpelledOutInstanceNorm(norm).eval(), (planes,), str(path), dynamo=True, opset_version=18, external_data=False
    )
    spelled = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ours = spelled.run(None, {spelled.get_inputs()[0].name: planes.numpy()})[0]
    reference = exact.detach().numpy()
    assert np.abs(ours - reference).mean() < 0.5 * np.abs(theirs - reference).mean()
