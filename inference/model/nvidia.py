"""Finds out why a network cannot run on CUDA here, by asking NVIDIA's driver and the loader.

ONNX Runtime needs seconds for this and says the same in every case (its issues 9528, 19616). The functions belong to
the CUDA driver API: cuInit, cuDriverGetVersion, cuDeviceGetCount, cuDeviceGetAttribute, cuDeviceGetName.
"""

import ctypes
import sys
from functools import cache
from typing import Any

Driver = Any
"""NVIDIA's driver, loaded by ctypes."""
NEEDED = (13, 0)
"""The CUDA version, major and minor, that the wheels of onnxruntime-gpu are built for."""
LEAST_CAPABILITY = (7, 5)
"""The lowest compute capability that CUDA 13 supports, Turing's; Pascal and Volta are too old (its release notes)."""
_NO_DEVICE = 100
"""CUDA_ERROR_NO_DEVICE."""
_MAJOR, _MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR."""
_NAME_BYTES = 256
_INSTALL = "pip install '.[cuda]'"
_LIBRARIES: dict[str, dict[str, tuple[str, ...]]] = {
    "CUDAExecutionProvider": {
        "linux": ("libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcudnn.so.9"),
        "win32": ("cudart64_13.dll", "cublasLt64_13.dll", "cublas64_13.dll", "cudnn64_9.dll"),
    },
    "TensorrtExecutionProvider": {"linux": ("libnvinfer.so.10",), "win32": ("nvinfer_10.dll",)},
}


@cache
def driver() -> Driver | None:
    """NVIDIA's driver; None if it is not installed."""
    try:
        return ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None


def why_not(found: Driver | None, device: int = 0) -> str:
    """Why CUDA cannot compute on a card: driver or card missing or too old, or a fault; empty if it can.

    Args:
        found: the result of `driver`.
        device: the card's number.
    """
    if found is None:
        return "no NVIDIA driver is on this computer"
    fault = found.cuInit(0)
    if fault == _NO_DEVICE:
        return "no NVIDIA driver with a card: it is there, and finds none"
    version = _asked(found.cuDriverGetVersion)
    if version is not None and (version // 1000, version % 1000 // 10) < NEEDED:
        served = f"CUDA {version // 1000}.{version % 1000 // 10}"
        return f"the NVIDIA driver serves {served}, and {NEEDED[0]}.{NEEDED[1]} is needed: install a newer driver"
    count = _asked(found.cuDeviceGetCount)
    if fault or version is None or count is None:
        return f"the NVIDIA driver answers with fault {fault}: restart the computer, or install the driver again"
    if count == 0:
        return "no NVIDIA driver with a card: it is there, and finds none"
    if device >= count:
        return f"there is no card {device}: the NVIDIA driver counts {count} from 0"
    capability = _asked(found.cuDeviceGetAttribute, _MAJOR, device), _asked(found.cuDeviceGetAttribute, _MINOR, device)
    if None not in capability and capability < LEAST_CAPABILITY:
        least = f"{LEAST_CAPABILITY[0]}.{LEAST_CAPABILITY[1]}"
        return f"{card(found, device)} has compute capability {capability[0]}.{capability[1]}, and {least} is the least"
    return ""


def has_card(found: Driver | None) -> bool:
    """Whether there is any card, whatever its abilities."""
    return found is not None and found.cuInit(0) == 0 and bool(_asked(found.cuDeviceGetCount))


def card(found: Driver, device: int = 0) -> str:
    """The name of a card."""
    name = ctypes.create_string_buffer(_NAME_BYTES)
    if found.cuDeviceGetName(name, _NAME_BYTES, device):
        return f"card {device}"
    return name.value.decode(errors="replace")


def missing(provider: str) -> str:
    """Why a provider's libraries do not load although the driver works."""
    lacking = [name for name in _LIBRARIES[provider].get(sys.platform, ()) if not _loads(name)]
    if not lacking:
        return "its libraries are there, and it fails all the same: install the driver and those of '.[cuda]' again"
    if provider == "TensorrtExecutionProvider":
        return f"TensorRT 10 is not on the library path ({lacking[0]})"
    return f"CUDA's libraries are missing ({', '.join(lacking)}): {_INSTALL}"


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _asked(question: Any, *arguments: int) -> int | None:  # noqa: ANN401 (a function of the driver)
    """The number that a function of the driver returns; None if it reports a fault."""
    number = ctypes.c_int(0)
    return None if question(ctypes.byref(number), *arguments) else number.value
