"""What a network may run on: ONNX Runtime's providers, tried one at a time, and what each session really got."""

import ctypes
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from platformdirs import user_cache_path

from inference.errors import ModelError

_CPU = "CPUExecutionProvider"
_ORDER = ("TensorrtExecutionProvider", "CUDAExecutionProvider", _CPU)
WORDS: dict[str, str] = {"TensorrtExecutionProvider": "TensorRT", "CUDAExecutionProvider": "CUDA", _CPU: "CPU"}
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


def candidates(wanted: Sequence[str] | None, fallbacks: list[str]) -> Iterator[str]:
    """Providers worth a try, in order; why one is not goes into `fallbacks`."""
    listed = ort.get_available_providers()
    for provider in wanted or [name for name in _ORDER if name in listed]:
        if provider not in WORDS or provider not in listed:
            raise ModelError(f"This ONNX Runtime has no {provider}: choose one of {', '.join(listed)}.")
        if provider == _CPU or _nvidia_driver():
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


def open_session(path: Path, provider: str, threads: int, fallbacks: list[str]) -> ort.InferenceSession | None:
    """A session that really has `provider`, or None with the reason in `fallbacks`.

    Raises:
        ModelError: if the CPU cannot read the file either: it is no usable ONNX model.
    """
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 4
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    told = options(provider, _cache() if provider == "TensorrtExecutionProvider" else None)
    wanted: list[str | tuple[str, dict[Any, Any]]] = [(provider, told)]
    if provider != _CPU:
        wanted.append(_CPU)
    try:
        with _quiet(provider):
            session = ort.InferenceSession(path, settings, wanted, enable_fallback=0)
    except ORT_ERRORS as error:
        if provider == _CPU:
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
    return session


@contextmanager
def _quiet(provider: str) -> Iterator[None]:
    """Find the GPU's libraries, and keep ONNX Runtime from printing about a provider that does not load."""
    if provider == _CPU:
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
    """What an ONNX Runtime message says, without its error codes, paths and C++ signatures; it can run over pages."""
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    said = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", lines[0])
    said = re.sub(r"^Load model from .* failed:", "", said)
    said = re.sub(r"^/onnxruntime_src/\S+ .*\)(?: const)? ", "", said)
    return said.strip(" .:") or type(error).__name__
