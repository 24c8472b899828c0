"""Turns off the telemetry of every library that has it, before any of them is loaded.

It uses environment variables, because the processes that training starts must inherit the setting. OpenVINO has no such
variable; its telemetry is turned off where it is loaded (`inference.model.openvino_session`).
"""

import os

SILENCED = {
    # On by default since 1.29: it keeps an identity and a queue of events, with the program's full path, in
    # ~/.cache/Microsoft.
    "ORT_DISABLE_TELEMETRY": "1",
    # huggingface_hub, which nnunetv2 brings along through timm.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # The convention that other libraries follow (consoledonottrack.com).
    "DO_NOT_TRACK": "1",
}
"""Environment variables and the values that turn off a library's telemetry."""


def silence() -> None:
    """Turn off telemetry in this process and those it starts, whatever was set before."""
    os.environ.update(SILENCED)
