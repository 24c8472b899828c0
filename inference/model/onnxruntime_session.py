"""ONNX Runtime's sessions: what each provider is told, and whether the session really has it."""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from inference.errors import ModelError
from inference.model import nvidia
from inference.model.placement import FIRST_CARD, Placement
from inference.model.providers import CPU, WORDS, Session, first_line
from inference.model.runtime import onnxruntime as ort
from inference.model.runtime import onnxruntime_errors as ort_errors

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
INPUT_ERRORS = (ort_errors.InvalidArgument,)
"""What a wrong input raises, on every provider."""
RUN_ERRORS = (*ORT_ERRORS, RuntimeError)
"""What a session's run raises; OpenVINO's bindings know no other error."""


def options(provider: str, cache: Path | None, placement: Placement = FIRST_CARD) -> dict[str, str]:
    """What a provider is told.

    CUDA: an exhaustive search for convolutions costs 0.3 to 1.3 s, and TF32 keeps ten bits of each product, which moves
    borders. TensorRT: engines take minutes to build, so they are kept; float16 only where the file itself is.

    Args:
        provider: ONNX Runtime's name of it.
        cache: folder in which TensorRT keeps its engines; None keeps none.
        placement: the card, and the memory on it.
    """
    limit = None if placement.memory_mib is None else str(placement.memory_mib << 20)
    if provider == "CUDAExecutionProvider":
        told = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0", "device_id": str(placement.device)}
        # Else the arena doubles whenever it grows, and takes far more than it uses.
        return told | ({"gpu_mem_limit": limit, "arena_extend_strategy": "kSameAsRequested"} if limit else {})
    if provider == "TensorrtExecutionProvider":
        told = {"device_id": str(placement.device)} | ({"trt_max_workspace_size": limit} if limit else {})
        if cache is not None:
            for what in ("engine", "timing"):
                told |= {f"trt_{what}_cache_enable": "1", f"trt_{what}_cache_path": str(cache)}
        return told
    return {}


def engine_cache(data: bytes) -> Path | None:
    """The folder for TensorRT's engines of a model file's bytes, None where it cannot be made.

    One for each content: TensorRT's own names of engines know the graph, not the weights (onnxruntime#6455, #32254).
    """
    folder = user_cache_path("ius", appauthor=False) / "tensorrt" / hashlib.sha256(data).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def onnxruntime_session(
    path: Path, data: bytes, provider: str, threads: int, fallbacks: list[str], placement: Placement = FIRST_CARD
) -> Session | None:
    """A session that really has `provider`, or None with the reason in `fallbacks`.

    Args:
        path: .onnx, for messages.
        data: its bytes.
        provider: ONNX Runtime's name of it.
        threads: CPU threads of the network.
        fallbacks: is added to.
        placement: the card, and the memory on it.

    Raises:
        ModelError: if the CPU cannot read the file either: it is no usable ONNX model.
    """
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 4
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    told = options(provider, engine_cache(data) if provider == "TensorrtExecutionProvider" else None, placement)
    wanted: list[str | tuple[str, dict[Any, Any]]] = [(provider, told)]
    if provider != CPU:
        wanted.append(CPU)
    try:
        with _quiet(provider):
            session: Any = ort.InferenceSession(data, settings, wanted, enable_fallback=0)
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
        fallbacks.append(f"{WORDS[provider]} does not load here: {nvidia.missing(provider)}.")
        return None
    opened: Session = session
    return opened


@contextmanager
def _quiet(provider: str) -> Iterator[None]:
    """Find the GPU's libraries, and keep ONNX Runtime from printing about a provider that does not load."""
    if provider == CPU:
        yield
        return
    # TensorRT has no switch for TF32 (onnxruntime#26029), and CUDA falls back to it where cuDNN finds no plan (#21752).
    # NVIDIA's libraries read this when they are loaded.
    os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    ort.set_default_logger_severity(4)
    try:
        with redirect_stdout(io.StringIO()):
            ort.preload_dlls()
        yield
    finally:
        ort.set_default_logger_severity(2)
