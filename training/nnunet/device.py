"""Checks the device of a training or a prediction, and refuses a missing one in one sentence."""

from inference.errors import IusError


class DeviceError(IusError):
    """torch does not find the device that was asked for."""


def check_device(device: str) -> None:
    """Refuse a CUDA device that torch does not find at once, not with a traceback after hours.

    Raises:
        DeviceError: saying what to do.
    """
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise DeviceError(
            f"torch {torch.__version__} finds no CUDA device here: run where there is a GPU, install torch with CUDA, "
            "or choose --device cpu."
        )
