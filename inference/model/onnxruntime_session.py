"""ONNX Runtime's sessions: what each provider is told, and whether the session really has it."""

import hashlib
import io
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
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
TRIAL_S = 8.0
"""A pass that takes longer while a model is tried is endless: no network for one picture does."""
WHOLE_TRIAL_S = 20.0
"""The same for all passes of a trial together, since a window that waits longer looks dead. The full-size network needs
under 3 s on two cores (bench_engine.py, bench.json)."""
BUILD_S = 600.0
"""The same for TensorRT's loading: it builds its engines then, once a file, which takes minutes."""
RUN_ERRORS = (*ORT_ERRORS, RuntimeError)
"""What a session's run raises; OpenVINO's bindings know no other error."""


class TimedSession:
    """ONNX Runtime's session, which is given up after a time while it is tried: a graph may loop for ever.

    Args:
        session: the session.
        trial_s: seconds that all passes of the trial may take together.

    Attributes:
        left_s: what is left of them; None once the model is trusted, so that frames pay nothing for it.
    """

    def __init__(self, session: "ort.InferenceSession", trial_s: float = WHOLE_TRIAL_S) -> None:
        self._session = session
        self.left_s: float | None = trial_s

    def run(self, outputs: Sequence[str] | None, feed: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """One pass: the outputs named, all if None, for inputs by name.

        Raises:
            one of `ORT_ERRORS`: if the network fails, or takes too long.
        """
        if self.left_s is None:
            plain: list[NDArray[np.float32]] = self._session.run(outputs, feed)
            return plain
        if self.left_s <= 0:
            raise RuntimeError("its trial takes too long")
        told = ort.RunOptions()
        timer = threading.Timer(min(TRIAL_S, self.left_s), setattr, (told, "terminate", True))
        began = time.monotonic()
        timer.start()
        try:
            timed: list[NDArray[np.float32]] = self._session.run(outputs, feed, told)
            return timed
        finally:
            timer.cancel()
            self.left_s -= time.monotonic() - began

    def get_providers(self) -> Sequence[str]:
        """What it runs on, foremost first."""
        return list(self._session.get_providers())

    def get_modelmeta(self) -> Any:  # noqa: ANN401 (with custom_metadata_map)
        """The file's metadata."""
        return self._session.get_modelmeta()

    def get_inputs(self) -> Sequence[Any]:
        """The inputs, each with name and shape."""
        return list(self._session.get_inputs())

    def get_outputs(self) -> Sequence[Any]:
        """The outputs, each with name and shape."""
        return list(self._session.get_outputs())


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
            limit_s = BUILD_S if provider == "TensorrtExecutionProvider" else TRIAL_S
            timer = threading.Timer(limit_s, settings.set_load_cancellation_flag, (True,))
            timer.start()
            try:
                session: Any = ort.InferenceSession(data, settings, wanted, enable_fallback=0)
            finally:
                timer.cancel()
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
    return TimedSession(session)


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
