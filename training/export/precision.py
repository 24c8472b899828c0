"""The same graph in a lower precision: float16 for GPUs, int8 and bfloat16 for CPUs; `precision_gate` checks them."""

import tempfile
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from inference.contract import Input
from inference.errors import ModelError
from inference.model.preprocessing import prepare
from training.export.norm import fuse_norms
from training.export.samples import Sample, read_samples

CALIBRATION_SLICES = 48
"""How many training slices the int8 ranges are measured on."""


class Precision(StrEnum):
    """The precision of weights and planes."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    INT8 = "int8"
    BFLOAT16 = "bfloat16"
    """Planes and products are bfloat16 while it runs; the file holds the float32 network."""


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model with convolutions in float16 and all else in float32.

    Norms stay float32: sums over a plane overflow float16, and the masks turn black (nnUNet#3026). ONNX Runtime's own
    converter gives two casts one name if a plane is used twice, so we convert here ourselves.
    """
    half = onnx.ModelProto()
    half.CopyFrom(model)
    weights = {tensor.name: tensor for tensor in half.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in half.graph.node:
        if node.op_type not in ("Conv", "ConvTranspose"):
            nodes.append(node)
            continue
        for name in node.input[1:]:
            values = numpy_helper.to_array(weights[name])
            if values.dtype == np.float32:
                weights[name].CopyFrom(numpy_helper.from_array(values.astype(np.float16), name))
        plane, result = node.input[0], node.output[0]
        node.input[0], node.output[0] = f"{result}_in_float16", f"{result}_out_float16"
        nodes += [
            helper.make_node("Cast", [plane], [node.input[0]], to=TensorProto.FLOAT16),
            node,
            helper.make_node("Cast", [node.output[0]], [result], to=TensorProto.FLOAT),
        ]
    del half.graph.node[:]
    half.graph.node.extend(nodes)
    # The exporter's notes on planes name the old types.
    del half.graph.value_info[:]
    return half


def to_int8(model: onnx.ModelProto, tiles: Sequence[NDArray[np.float32]]) -> onnx.ModelProto:
    """Convolutions in int8 (static QDQ, weights per channel), all else in float32.

    The first convolution, which sees the picture, and the last, which writes the logits, stay float32: they take
    little time and would lose most accuracy. A plane's range is the mean over tiles: one bright echo would widen it.

    Weights have seven bits: processors without VNNI add two products in 16 bits, which twice 127 * 255 overflows, and
    masks would depend on the processor (onnxruntime.ai/docs/performance, quantization).

    Args:
        model: the float32 graph.
        tiles: network inputs on which the ranges of the planes are measured, (1, 1, rows, cols) each.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Tiles(CalibrationDataReader):  # type: ignore[misc]
        """The tiles, one after another."""

        def __init__(self) -> None:
            self._left = iter(tiles)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            """The next input, or None at the end."""
            tile = next(self._left, None)
            return None if tile is None else {model.graph.input[0].name: tile}

    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        fused = fuse_norms(model)
        onnx.save(fused, before)
        quantize_static(
            before,
            after,
            Tiles(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=_ends(fused),
            extra_options={"CalibMovingAverage": True, "CalibMovingAverageConstant": 1 / len(tiles)},
        )
        return onnx.load(after)


def _ends(model: onnx.ModelProto) -> list[str]:
    """The convolutions that see the picture (one channel in) or write logits (one channel out per label)."""
    labels = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    shapes = {weight.name: weight.dims for weight in model.graph.initializer}
    convolutions = [(node.name, shapes[node.input[1]]) for node in model.graph.node if node.op_type == "Conv"]
    return [name for name, (out, into, *_) in convolutions if into == 1 or out == labels]


def calibration_tiles(samples: Sequence[Sample], recipe: Input) -> list[NDArray[np.float32]]:
    """All network inputs that some slices are cut into."""
    prepared = [prepare(one.pixels, one.spacing_mm, recipe) for one in samples]
    return [one.tile(corner) for one in prepared for corner in one.corners]


def calibration_samples(stores: Sequence[Path]) -> list[Sample]:
    """Slices of the training set, evenly spread over each of its stores.

    Raises:
        ModelError: if nothing says where the training set is.
    """
    if not stores:
        raise ModelError("int8 needs slices of the training set for its ranges: name their store with --train.")
    each = -(-CALIBRATION_SLICES // len(stores))
    return [sample for store in stores for sample in read_samples(store, each)]
