"""What a network may run on: ONNX Runtime's providers and OpenVINO, in the order in which they are tried."""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelError
from inference.model import nvidia
from inference.model.placement import FIRST_CARD, Placement
from inference.model.runtime import onnxruntime as ort

CPU = "CPUExecutionProvider"
"""ONNX Runtime on the CPU: the last resort."""
OPENVINO = "OpenVINO"
"""The only provider outside ONNX Runtime: the CPU in bfloat16, for files whose contract says so."""
BFLOAT16 = "bfloat16"
GPU = ("TensorrtExecutionProvider", "CUDAExecutionProvider")
_ORDER = (*GPU, OPENVINO, CPU)
WORDS: dict[str, str] = {
    "TensorrtExecutionProvider": "TensorRT",
    "CUDAExecutionProvider": "CUDA",
    OPENVINO: "OpenVINO CPU bfloat16",
    CPU: "CPU",
}
"""Names of the providers on screen and in records."""
_CODE = r"\[ONNXRuntimeError\] : \d+ : \w+ : "
_PLACE = r"(?:[A-Za-z]:\\|/)\S+\.(?:cc|cpp|cu|h|hpp)(?::\d+|\(\d+\))?"


class Session(Protocol):
    """The part of ONNX Runtime's session that the engine uses."""

    def run(self, outputs: Sequence[str] | None, feed: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """One pass: the named outputs (None: all), for inputs by name."""

    def get_providers(self) -> Sequence[str]:
        """The providers it runs on, the preferred one first."""

    def get_modelmeta(self) -> Any:  # noqa: ANN401 (with custom_metadata_map)
        """The file's metadata."""

    def get_inputs(self) -> Sequence[Any]:
        """The inputs, each with name and shape."""

    def get_outputs(self) -> Sequence[Any]:
        """The outputs, each with name and shape."""


def card_of(provider: str, placement: Placement, driver: nvidia.Driver | None) -> str:
    """Name and number of the graphics card that a provider computes on; empty for the processor."""
    if provider not in GPU or driver is None:
        return ""
    return f"{nvidia.card(driver, placement.device)} (card {placement.device})"


def default_threads() -> int:
    """CPU threads of a network unless chosen otherwise: the cores of this process, at most 8."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(cores, 8)


def candidates(
    wanted: Sequence[str] | None, precision: str, fallbacks: list[str], placement: Placement = FIRST_CARD
) -> Iterator[str]:
    """Providers to try, in order. For each one left out, a sentence with the reason is added to `fallbacks`.

    Args:
        wanted: names of providers; None means all that this computer and the precision allow.
        precision: the contract's.
        fallbacks: sentences; extended in place.
        placement: the graphics card to use.

    Raises:
        ModelError: if a wanted provider is unknown.
    """
    listed = [*ort.get_available_providers(), OPENVINO]
    usual = [name for name in _ORDER if name in listed and (name != OPENVINO or precision == BFLOAT16)]
    if wanted is None and (sentence := card_unused(listed, card=nvidia.has_card(nvidia.driver()))):
        fallbacks.append(sentence)
    for provider in wanted or usual:
        if provider not in WORDS or provider not in listed:
            raise ModelError(f"This ONNX Runtime has no {provider}: choose one of {', '.join(listed)}.")
        if provider == OPENVINO and precision != BFLOAT16:
            fallbacks.append(f"OpenVINO not tried: it runs files exported as bfloat16, and this one is {precision}.")
        elif provider not in (CPU, OPENVINO) and (reason := nvidia.why_not(nvidia.driver(), placement.device)):
            fallbacks.append(f"{WORDS[provider]} not tried: {reason}.")
        else:
            yield provider


def card_unused(listed: Sequence[str], *, card: bool) -> str:
    """The sentence for an NVIDIA card that this ONNX Runtime cannot use; empty if there is no such card.

    Args:
        listed: the providers that ONNX Runtime was built with.
        card: whether there is a card with its driver.
    """
    if card and "CUDAExecutionProvider" not in listed:
        return "The NVIDIA card is not used: this installation computes on the CPU alone, install ius[cuda] instead."
    return ""


def first_line(error: Exception) -> str:
    """The first line of a runtime's message, which can be pages long, without error codes, paths and C++ signatures."""
    lines = [line for line in str(error).strip().splitlines() if not line.startswith(("Exception from ", "Check '"))]
    if not lines:
        return type(error).__name__
    said = re.sub(rf"^{_CODE}", "", lines[0])
    said = re.sub(r"^Load model from .* failed:", "", said)
    # The place in its source code, with paths of the machine that built it (Linux, Windows).
    said = re.sub(rf"^{_PLACE} .*\)(?: const)? ", "", said)
    said = re.sub(rf"^{_PLACE} (?:\S*::\S* )?(?:{_CODE})?", "", said)
    return said.strip(" .:") or type(error).__name__
