"""OpenVINO in bfloat16 on the CPU, with the part of ONNX Runtime's session that the engine uses.

It is used only for files whose contract says so, and only on processors that compute in bfloat16. On others OpenVINO
claims the ability too, obeys, and is slower than in float32: so we ask what a network was really compiled to.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelError
from inference.model.onnx_metadata import metadata_in
from inference.model.providers import OPENVINO, first_line
from inference.model.signal_stack import own_signal_stack

Foreign = Any
"""An object of OpenVINO, whose types exist only where it is installed."""
_INSTALL = "pip install 'openvino>=2026.4'"
"""2026.4 is the first version that says which instructions it uses."""
_NATIVE = re.compile(r"AVX-512.*bfloat16|AVX ?10")
"""oneDNN's names of instructions that multiply in bfloat16; AVX2 with bfloat16 only converts it."""
_SETTINGS: dict[str, object] = {
    "INFERENCE_PRECISION_HINT": "bf16",
    "PERFORMANCE_HINT": "LATENCY",
    # A thread bound to a core would wait whenever the window computes on that core.
    "ENABLE_CPU_PINNING": False,
}


@dataclass(frozen=True, slots=True)
class Plane:
    """An input or output of the network."""

    name: str
    shape: list[int]


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of the file."""

    custom_metadata_map: dict[str, str]


class OpenVinoSession:
    """A network compiled for bfloat16.

    Args:
        model: an .onnx file, or its bytes.
        threads: CPU threads of the network.

    Raises:
        ModelError: if OpenVINO is not installed, refuses the file, or would not compute in bfloat16.
    """

    def __init__(self, model: Path | bytes, threads: int) -> None:
        data = model if isinstance(model, bytes) else model.read_bytes()
        openvino = library()
        core = openvino.Core()
        try:
            network = core.read_model(data)
            _fuse_norms(openvino, network)
            with own_signal_stack():
                compiled = core.compile_model(network, "CPU", _SETTINGS | {"INFERENCE_NUM_THREADS": threads})
        except RuntimeError as error:
            raise ModelError(f"OpenVINO does not take this file ({first_line(error)}).") from error
        if kept := _not_bfloat16(compiled):
            raise ModelError(f"OpenVINO not taken: it keeps {kept} where bfloat16 was asked for.")
        self._metadata = Metadata(metadata_in(data))
        self._request = compiled.create_infer_request()
        self._inputs = [_plane(one) for one in compiled.inputs]
        self._outputs = [_plane(one) for one in compiled.outputs]

    def get_providers(self) -> list[str]:
        """The providers it runs on."""
        return [OPENVINO]

    def get_modelmeta(self) -> Metadata:
        """The file's metadata."""
        return self._metadata

    def get_inputs(self) -> list[Plane]:
        """The network's inputs."""
        return self._inputs

    def get_outputs(self) -> list[Plane]:
        """The network's outputs."""
        return self._outputs

    def run(self, outputs: Sequence[str] | None, feed: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """One pass.

        Args:
            outputs: names of the wanted outputs; None means all.
            feed: inputs by name.

        Raises:
            RuntimeError: if the network refuses the input.
        """
        found = self._request.infer(dict(feed))
        return [found[name] for name in outputs or [one.name for one in self._outputs]]


def library() -> Foreign:
    """Import OpenVINO without its telemetry, which reports each import to Google Analytics.

    Raises:
        ModelError: if it is not installed or too old, or this processor has no bfloat16.
    """
    # OpenVINO then uses an empty replacement of its own (openvino/tools/ovc/telemetry_utils.py).
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise ModelError(f"OpenVINO is not installed, which computes in bfloat16: {_INSTALL}.") from error
    try:
        instructions = _instructions(openvino)
    except (RuntimeError, AttributeError) as error:
        raise ModelError(f"OpenVINO {openvino.__version__} does not say how it computes: {_INSTALL}.") from error
    if not _NATIVE.search(instructions):
        raise ModelError(f"OpenVINO not taken: this processor has no bfloat16 ({instructions or 'it has none named'}).")
    return openvino


def _instructions(openvino: Foreign) -> str:
    """The instructions that networks are compiled to, read from the smallest possible network."""
    ops = openvino.opset6
    image = ops.parameter([1], np.float32)
    network = openvino.Model([ops.relu(image)], [image], "smallest")
    with own_signal_stack():
        smallest = openvino.Core().compile_model(network, "CPU", _SETTINGS)
    return "".join(re.findall(r"\bisa=([^;]*)", smallest.get_property("RUNTIME_REQUIREMENTS")))


def _not_bfloat16(compiled: Foreign) -> str:
    """The precisions other than bfloat16 in which a compiled network computes convolutions; empty if there is none."""
    layers = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
    kinds = {one["runtimePrecision"].astype(str) for one in layers if "onvolution" in one["layerType"].astype(str)}
    kinds.add(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
    return ", ".join(sorted(kinds - {"bf16"}))


def _fuse_norms(openvino: Foreign, model: Foreign) -> None:
    """Fuse each norm that an export spells out (see `training.export.norm`) into one operator, which rounds only once.

    Spelled out, every intermediate plane is rounded to bfloat16, which on the bundled network doubles the change of the
    masks. The file itself keeps norms spelled out, so that in float32 it is the network that was compared with nnU-Net.
    """
    ops = openvino.opset6
    axes = ops.constant(np.array([2, 3], np.int64))
    for root in [node for node in model.get_ops() if node.get_type_name() == "Sqrt"]:
        ratio = _user(root)
        if ratio.get_type_name() != "Divide":
            continue
        product = _user(ratio)
        centred, eps = _input(product, "Subtract"), _input(_input(root, "Add"), "Constant")
        if centred is None or eps is None:
            continue
        norm = ops.mvn(centred.input_value(0), axes, True, float(eps.get_data().item()), "INSIDE_SQRT")
        product.output(0).replace(ops.multiply(norm, ratio.input_value(0)).output(0))


def _user(node: Foreign) -> Foreign:
    """The first node that uses this node's output."""
    return next(iter(node.output(0).get_target_inputs())).get_node()


def _input(node: Foreign, kind: str) -> Foreign:
    """The node of a given type among this node's inputs; None if there is none."""
    makers = (value.get_node() for value in node.input_values()) if node is not None else ()
    return next((maker for maker in makers if maker.get_type_name() == kind), None)


def _plane(port: Foreign) -> Plane:
    """Name and shape of an input or output."""
    return Plane(port.get_any_name(), list(port.get_shape()))
