"""Nothing calls home: every library that would is told not to, here and before any of them is loaded.

Environment variables, because the processes that training starts must inherit them. OpenVINO has none and is dealt with
where it is loaded (`inference.model.openvino_session`).
"""

import os

SILENCED = {
    # On by default since 1.29: an identity and a queue of events in ~/.cache/Microsoft, with the program's full path.
    "ORT_DISABLE_TELEMETRY": "1",
    # huggingface_hub, which nnunetv2 brings along through timm.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # The convention that further libraries follow (consoledonottrack.com).
    "DO_NOT_TRACK": "1",
}
"""Environment variable and the value that ends the telemetry of a library."""


def silence() -> None:
    """Set what ends telemetry in this process and in those it starts, whatever was set before."""
    os.environ.update(SILENCED)
