"""Imports ONNX Runtime, or says how to install it."""

from inference.errors import ModelError

try:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors
except ImportError as error:
    raise ModelError(
        "No ONNX Runtime is installed, which runs the network: install ius[cpu], or ius[cuda] on a computer with an "
        "NVIDIA card; never both."
    ) from error

__all__ = ["onnxruntime", "onnxruntime_errors"]
