"""What a network may run on: ONNX Runtime's providers and OpenVINO, one at a time, and what each session really got."""

import ctypes
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from platformdirs import user_cache_path

from inference.errors import ModelError

CPU = "CPUExecutionProvider"
"""ONNX Runtime's on the CPU: the last resort."""
OPENVINO = "OpenVINO"
"""The one provider that is not ONNX Runtime's: the CPU in bfloat16, for files whose contract says so."""
BFLOAT16 = "bfloat16"
_ORDER = ("TensorrtExecutionProvider", "CUDAExecutionProvider", OPENVINO, CPU)
WORDS: dict[str, str] = {
    "TensorrtExecutionProvider": "TensorRT",
    "CUDAExecutionProvider": "CUDA",
    OPENVINO: "OpenVINO CPU bfloat16",
    CPU: "CPU",
}
"""Providers as screens and records name them."""
ORT_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.EPFail,
    ort_errors.EngineError,
    ort_errors.NoModel,
    ort_errors.NoSuchFile,
    ort_errors.NotFound,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
"""ONNX Runtime's exceptions, which have no base of their own."""
RUN_ERRORS = (*ORT_ERRORS, RuntimeError)
"""What a session's run raises; OpenVINO's bindings know no other error."""


class Session(Protocol):
    """What the engine asks of a session: a part of ONNX Runtime's."""

    def run(self, outputs: Sequence[str] | None, feed: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """One pass: the outputs named, all if None, for inputs by name."""

    def get_providers(self) -> Sequence[str]:
        """What it runs on, foremost first."""

    def get_modelmeta(self) -> Any:  # noqa: ANN401 (with custom_metadata_map)
        """The file's metadata."""

    def get_inputs(self) -> Sequence[Any]:
        """The inputs, each with name and shape."""

    def get_outputs(self) -> Sequence[Any]:
        """The outputs, each with name and shape."""


def options(provider: str, cache: Path | None) -> dict[str, str]:
    """What a provider is told.

    CUDA: an exhaustive search for convolutions costs 0.3 to 1.3 s, and TF32 keeps ten bits of each product, which moves
    borders. TensorRT: engines take minutes to build, so they are kept; float16 only where the file itself is.

    Args:
        provider: ONNX Runtime's name of it.
        cache: folder in which TensorRT keeps its engines; None keeps none.
    """
    if provider == "CUDAExecutionProvider":
        return {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
    if provider == "TensorrtExecutionProvider" and cache is not None:
        kept = ("engine", "timing")
        return {f"trt_{what}_cache_enable": "1" for what in kept} | {
            f"trt_{what}_cache_path": str(cache) for what in kept
        }
    return {}


def _cache() -> Path | None:
    """The folder for TensorRT's engines, None where it cannot be made."""
    folder = user_cache_path("ius", appauthor=False) / "tensorrt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def default_threads() -> int:
    """CPU threads a network gets unless told otherwise: this process's cores, at most 8."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(cores, 8)


def candidates(wanted: Sequence[str] | None, precision: str, fallbacks: list[str]) -> Iterator[str]:
    """Providers worth a try, in order; why one is not goes into `fallbacks`.

    Args:
        wanted: by name; None takes all that this computer and the precision allow.
        precision: the contract's.
        fallbacks: is added to.

    Raises:
        ModelError: if one is wanted that nobody knows.
    """
    listed = [*ort.get_available_providers(), OPENVINO]
    usual = [name for name in _ORDER if name in listed and (name != OPENVINO or precision == BFLOAT16)]
    for provider in wanted or usual:
        if provider not in WORDS or provider not in listed:
            raise ModelError(f"This ONNX Runtime has no {provider}: choose one of {', '.join(listed)}.")
        if provider == OPENVINO and precision != BFLOAT16:
            fallbacks.append(f"OpenVINO not tried: this {precision} file was not exported with --precision bfloat16.")
        elif provider in (CPU, OPENVINO) or _nvidia_driver():
            yield provider
        else:
            fallbacks.append(f"{WORDS[provider]} not tried: no NVIDIA driver with a device on this computer.")


@cache
def _nvidia_driver() -> bool:
    """Whether the CUDA driver loads and finds a device, asked of the driver itself: ONNX Runtime would take seconds."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def open_session(path: Path, provider: str, threads: int, fallbacks: list[str]) -> Session | None:
    """A session that really has `provider`, or None with the reason in `fallbacks`.

    Raises:
        ModelError: if the CPU cannot read the file either: it is no usable ONNX model.
    """
    if provider != OPENVINO:
        return _ort_session(path, provider, threads, fallbacks)
    from inference.openvino_session import OpenVinoSession

    try:
        return OpenVinoSession(path, threads)
    except ModelError as error:
        fallbacks.append(str(error))
        return None


def _ort_session(path: Path, provider: str, threads: int, fallbacks: list[str]) -> Session | None:
    """The same of ONNX Runtime."""
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 4
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    told = options(provider, _cache() if provider == "TensorrtExecutionProvider" else None)
    wanted: list[str | tuple[str, dict[Any, Any]]] = [(provider, told)]
    if provider != CPU:
        wanted.append(CPU)
    try:
        with _quiet(provider):
            session: Any = ort.InferenceSession(path, settings, wanted, enable_fallback=0)
    except ORT_ERRORS as error:
        if provider == CPU:
            raise ModelError(
                f"{path} is not a usable ONNX model ({first_line(error)}): copy or export it again."
            ) from error
        fallbacks.append(f"{WORDS[provider]} does not load here ({first_line(error)}).")
        return None
    except RuntimeError:  # what the bindings raise where TensorRT is not installed
        session = None
    if session is None or session.get_providers()[0] != provider:
        fallbacks.append(f"{WORDS[provider]} does not load here: its libraries are missing or the driver is too old.")
        return None
    opened: Session = session
    return opened


@contextmanager
def _quiet(provider: str) -> Iterator[None]:
    """Find the GPU's libraries, and keep ONNX Runtime from printing about a provider that does not load."""
    if provider == CPU:
        yield
        return
    ort.set_default_logger_severity(4)
    try:
        with redirect_stdout(io.StringIO()):
            ort.preload_dlls()
        yield
    finally:
        ort.set_default_logger_severity(2)


def first_line(error: Exception) -> str:
    """What a runtime's message says, without its error codes, paths and C++ signatures; it can run over pages."""
    lines = [line for line in str(error).strip().splitlines() if not line.startswith(("Exception from ", "Check '"))]
    if not lines:
        return type(error).__name__
    said = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", lines[0])
    said = re.sub(r"^Load model from .* failed:", "", said)
    said = re.sub(r"^/onnxruntime_src/\S+ .*\)(?: const)? ", "", said)
    return said.strip(" .:") or type(error).__name__
