"""Instance normalisation in basic operators: ONNX Runtime's own operator is not accurate enough for equal masks.

ONNX Runtime's operator sums a whole plane in one go, so its logits are an order of magnitude further from the float64
result than PyTorch's (tests/benchmarks/bench_norm.py measures both, and the time). After nnU-Net's rounding of logits
to float16 this flipped a border pixel in one slice out of twenty. Means of row means are as accurate as PyTorch.
"""

import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn

from inference.errors import ModelError


class SpelledOutInstanceNorm(nn.Module):
    """The same function as `nn.InstanceNorm2d` at inference, in operators that only add short sums.

    Args:
        norm: the layer to replace; affine, without running statistics, as nnU-Net builds it.
    """

    def __init__(self, norm: nn.InstanceNorm2d) -> None:
        super().__init__()
        self.scale = nn.Parameter(norm.weight.detach().reshape(1, -1, 1, 1))
        self.shift = nn.Parameter(norm.bias.detach().reshape(1, -1, 1, 1))
        self.eps = norm.eps

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """(1, channels, rows, cols) -> the same, each plane of zero mean and unit SD, then scaled and shifted."""
        centred = planes - _plane_mean(planes)
        variance = _plane_mean(centred * centred)
        return centred * (self.scale / torch.sqrt(variance + self.eps)) + self.shift


def spell_out_norms(network: nn.Module) -> int:
    """Replace every affine InstanceNorm2d in a network, in place.

    Returns:
        How many there were.
    """
    found = [
        (parent, name, child)
        for parent in network.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.InstanceNorm2d) and child.affine and not child.track_running_stats
    ]
    # nnU-Net's blocks hold each layer twice, by name and in a Sequential: both get the same replacement.
    replacements = {id(child): SpelledOutInstanceNorm(child) for _, _, child in found}
    for parent, name, child in found:
        setattr(parent, name, replacements[id(child)])
    return len(replacements)


def _plane_mean(planes: torch.Tensor) -> torch.Tensor:
    """The mean of each plane, as the mean of its rows' means: (1, channels, 1, 1)."""
    return planes.mean(dim=3, keepdim=True).mean(dim=2, keepdim=True)


def fuse_norms(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the graph in which ONNX's own operator replaces each spelled-out norm.

    Its accuracy is enough if planes are rounded to 8 bits anyway, and it reads them once instead of six times.

    Raises:
        ModelError: if a square root in the graph belongs to something else.
    """
    fused = onnx.ModelProto()
    fused.CopyFrom(model)
    graph = fused.graph
    makers = {name: node for node in graph.node for name in node.output}
    users = {name: node for node in graph.node for name in node.input}
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    last: dict[str, onnx.NodeProto] = {}
    for root in [node for node in graph.node if node.op_type == "Sqrt"]:
        try:
            ratio = users[root.output[0]]
            product = users[ratio.output[0]]
            shifted = users[product.output[0]]
            centred = makers[next(name for name in product.input if name != ratio.output[0])]
            (eps,) = (constants[name] for name in makers[root.input[0]].input if name in constants)
            (shift,) = (name for name in shifted.input if name in constants)
            scale = constants[ratio.input[0]]
        except (KeyError, StopIteration, ValueError) as error:
            raise ModelError("The graph holds a norm of another form: export the model again.") from error
        names = [f"{shifted.output[0]}_scale", f"{shifted.output[0]}_shift"]
        for name, values in zip(names, (scale, constants[shift]), strict=True):
            graph.initializer.append(numpy_helper.from_array(values.reshape(-1), name))
        last[shifted.output[0]] = helper.make_node(
            "InstanceNormalization", [centred.input[0], *names], [shifted.output[0]], epsilon=float(eps.item())
        )
    nodes = [last.get(node.output[0], node) for node in graph.node]
    del graph.node[:]
    graph.node.extend(_reached(nodes, {output.name for output in graph.output}))
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(kept)
    return fused


def _reached(nodes: list[onnx.NodeProto], wanted: set[str]) -> list[onnx.NodeProto]:
    """The nodes that the wanted planes are computed from, in order."""
    kept = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]
