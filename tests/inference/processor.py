"""What this processor computes in, for tests that assert something of it.

Asked of OpenVINO, which says what it compiled to: the processor's flags also name what ONEDNN_MAX_CPU_ISA withholds.
"""

import re
import sys
from functools import cache

import numpy as np
import pytest


@cache
def instructions() -> str:
    """The set that a network of one operator is compiled to, in oneDNN's words: "Intel AVX-512 with Intel DL Boost"."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    image = openvino.opset6.parameter([1], np.float32)
    network = openvino.Model([openvino.opset6.relu(image)], [image], "one")
    said = openvino.Core().compile_model(network, "CPU").get_property("RUNTIME_REQUIREMENTS")
    return re.search(r"\bisa=([^;]*)", said)[1]


def multiplies_in_bfloat16() -> bool:
    """AVX2 with bfloat16 only converts to it; every AVX10 has it, and does not say so."""
    words = instructions().replace("AVX 10", "AVX10")
    return "AVX10" in words or ("AVX-512" in words and "bfloat16" in words)


NATIVE = multiplies_in_bfloat16()
native = pytest.mark.skipif(not NATIVE, reason=f"{instructions()} has no bfloat16: what is done instead is tested")
