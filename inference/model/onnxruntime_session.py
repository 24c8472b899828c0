"""Opens ONNX Runtime's sessions: the options of each provider, and whether the session really runs on it."""

import hashlib
import io
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import partial
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
from inference.model.time_limit import limited

ORT_ERRORS: tuple[type[Exception], ...] = tuple(
    one for one in vars(ort_errors).values() if isinstance(one, type) and issubclass(one, Exception)
)
"""ONNX Runtime's exceptions, which have no common base class; each version may add some, such as ModelLoadCanceled."""
INPUT_ERRORS = (ort_errors.InvalidArgument,)
"""Raised for a wrong input, on every provider."""
TRIAL_S = 8.0
"""Limit of one pass while a model is tried; no network for a single picture takes so long."""
WHOLE_TRIAL_S = 20.0
"""Limit of all passes of a trial together, since a window that waits longer looks dead. The full-size network takes
less than 3 s on two cores (bench_engine.py, bench.json)."""
BUILD_S = 600.0
"""Limit of loading for TensorRT, which takes minutes to build its engines, once per file."""
ASSIGNED = "session.record_ep_graph_assignment_info"
"""Setting by which a session remembers what runs where."""
RUN_ERRORS: tuple[type[Exception], ...] = (*ORT_ERRORS, RuntimeError)
"""Raised by a session's `run`; OpenVINO's bindings raise nothing but RuntimeError."""


class TimedSession:
    """ONNX Runtime's session with a time limit while it is tried, since a graph may loop for ever.

    Args:
        session: the session.
        trial_s: seconds for all passes of the trial together.

    Attributes:
        left_s: seconds left; None once the model is trusted: then frames run without the limit and its cost.
    """

    def __init__(self, session: "ort.InferenceSession", trial_s: float = WHOLE_TRIAL_S) -> None:
        self._session = session
        self.left_s: float | None = trial_s

    def run(self, outputs: Sequence[str] | None, feed: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """One pass: the named outputs (None: all), for inputs by name.

        Raises:
            one of `RUN_ERRORS`: if the network fails, or takes too long.
        """
        if self.left_s is None:
            plain: list[NDArray[np.float32]] = self._session.run(outputs, feed)
            return plain
        if self.left_s <= 0:
            raise RuntimeError("its trial takes too long")
        told = ort.RunOptions()
        began = time.monotonic()
        try:
            with limited(min(TRIAL_S, self.left_s), partial(setattr, told, "terminate", True)):
                timed: list[NDArray[np.float32]] = self._session.run(outputs, feed, told)
            return timed
        finally:
            self.left_s -= time.monotonic() - began

    def get_providers(self) -> Sequence[str]:
        """The providers it runs on, the preferred one first."""
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
    """Options of a provider.

    CUDA: an exhaustive search for convolutions takes 0.3 to 1.3 s; TF32 keeps ten bits of each product, which moves
    contours. TensorRT: engines take minutes to build, so they are cached; float16 is used only if the file itself is.

    Args:
        provider: its name in ONNX Runtime.
        cache: folder for TensorRT's engines; None keeps none.
        placement: the graphics card to use, and how much of its memory.
    """
    limit = None if placement.memory_mib is None else str(placement.memory_mib << 20)
    if provider == "CUDAExecutionProvider":
        told = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0", "device_id": str(placement.device)}
        # By default the arena doubles whenever it grows, and takes far more memory than it uses.
        return told | ({"gpu_mem_limit": limit, "arena_extend_strategy": "kSameAsRequested"} if limit else {})
    if provider == "TensorrtExecutionProvider":
        told = {"device_id": str(placement.device)} | ({"trt_max_workspace_size": limit} if limit else {})
        if cache is not None:
            for what in ("engine", "timing"):
                told |= {f"trt_{what}_cache_enable": "1", f"trt_{what}_cache_path": str(cache)}
        return told
    return {}


def engine_cache(data: bytes) -> Path | None:
    """The folder for TensorRT's engines of a model; None if it cannot be made.

    Each content has its own folder: TensorRT names engines by the graph, not by the weights (onnxruntime#6455, #32254).
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
    """A session that really runs on `provider`; None if it does not, with the reason added to `fallbacks`.

    Args:
        path: the model file, for messages.
        data: its bytes.
        provider: its name in ONNX Runtime.
        threads: CPU threads of the network.
        fallbacks: sentences; extended in place.
        placement: the graphics card to use, and how much of its memory.

    Raises:
        ModelError: if the CPU cannot load the file either: it is not a usable ONNX model.
    """
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 4
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    words = WORDS.get(provider, provider)
    if provider != CPU:
        settings.add_session_config_entry(ASSIGNED, "1")
    told = options(provider, engine_cache(data) if provider == "TensorrtExecutionProvider" else None, placement)
    wanted: list[str | tuple[str, dict[Any, Any]]] = [(provider, told)]
    if provider != CPU:
        wanted.append(CPU)
    limit_s = BUILD_S if provider == "TensorrtExecutionProvider" else TRIAL_S
    with _quiet(provider), limited(limit_s, partial(settings.set_load_cancellation_flag, True)) as given_up:
        try:
            session: Any = ort.InferenceSession(data, settings, wanted, enable_fallback=0)
        except ORT_ERRORS as error:
            if given_up.is_set():
                fallbacks.append(f"{words} was given up while it loaded.")
                return None
            if provider == CPU:
                raise ModelError(
                    f"{path} is not a usable ONNX model ({first_line(error)}): copy or export it again."
                ) from error
            fallbacks.append(f"{words} does not load here ({first_line(error)}).")
            return None
        except RuntimeError:  # raised by the bindings if TensorRT is not installed
            session = None
    return TimedSession(session) if _runs_on(session, provider, fallbacks) else None


def _runs_on(session: "ort.InferenceSession | None", provider: str, fallbacks: list[str]) -> bool:
    """Whether a session computes on `provider`; a sentence is added to `fallbacks` if it does not, or not all of it."""
    words = WORDS.get(provider, provider)
    if session is None or session.get_providers()[0] != provider:
        fallbacks.append(f"{words} does not load here: {nvidia.missing(provider)}.")
        return False
    if provider == CPU:
        return True
    there, all_of_them = operations_on(session, provider)
    if there < all_of_them:
        fallbacks.append(f"{words} runs {there} of the network's {all_of_them} operations here, the CPU the others.")
    return there > 0


def operations_on(session: "ort.InferenceSession", provider: str) -> tuple[int, int]:
    """How many of a network's operations run on a provider, and how many it has.

    A session that names a provider first may have given it none: what it does not know goes to the CPU without a word.

    Args:
        session: opened with `ASSIGNED`.
        provider: its name in ONNX Runtime.
    """
    parts = [(part.ep_name, len(part.get_nodes())) for part in session.get_provider_graph_assignment_info()]
    return sum(count for name, count in parts if name == provider), sum(count for _, count in parts)


@contextmanager
def _quiet(provider: str) -> Iterator[None]:
    """Load the GPU's libraries, and keep ONNX Runtime from printing about a provider that does not load."""
    if provider == CPU:
        yield
        return
    # TensorRT has no switch for TF32 (onnxruntime#26029), and CUDA falls back to it where cuDNN finds no plan (#21752).
    # NVIDIA's libraries read this variable when they are loaded.
    os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    ort.set_default_logger_severity(4)
    try:
        with redirect_stdout(io.StringIO()):
            ort.preload_dlls()
        yield
    finally:
        ort.set_default_logger_severity(2)
