"""The facts under the state."""

from pathlib import Path
from typing import Never

import numpy as np
import pytest

from inference.contract import ModelContract
from inference.frame import Frame, Origin, View
from inference.live.model import Model
from inference.live.paint_meter import PaintMeter
from inference.model import nvidia
from inference.outcome import Analysis, NothingFound
from inference.readout.facts import facts, scale_words
from inference.spacing import PixelSpacing, Provenance


def test_a_scale_names_its_provenance_and_both_axes_where_they_differ() -> None:
    assert scale_words(None) == "unknown"
    assert scale_words(PixelSpacing(0.15, 0.15, Provenance.DICOM_REGION)) == "0.15 mm per pixel · DICOM region"
    assert scale_words(PixelSpacing(0.15, 0.3, Provenance.HEADER)) == "0.15 × 0.3 mm per pixel · file header"


@pytest.mark.parametrize(
    ("fallbacks", "ran_on", "words"),
    [
        ((), "CPU", "CPU"),
        (("OpenVINO not tried: it runs files exported as bfloat16, and this one is float32.",), "CPU", "CPU"),
        ((f"CUDA not tried: {nvidia.why_not(None)}.",), "CPU", "CPU (no GPU)"),
        (("CUDA not tried: the NVIDIA driver serves CUDA 12.4, and 13.0 is needed.",), "CPU", "CPU, fallback"),
        (("The NVIDIA card is not used: this installation computes on the CPU alone.",), "CPU", "CPU, fallback"),
        (("TensorRT not tried: no NVIDIA driver with a card.", "CUDA does not load here."), "CPU", "CPU, fallback"),
        ((), "CUDA", "CPU, fallback"),
    ],
)
def test_a_fallback_is_one_from_a_device_that_is_there(
    contract: ModelContract, fallbacks: tuple[str, ...], ran_on: str, words: str
) -> None:
    """What the last answer was computed on counts: a card can fail after loading."""

    def nobody(_: object) -> Never:
        raise AssertionError

    model = Model(Path("m.onnx"), contract, "", ran_on, fallbacks, "", 1.0, nobody, nobody, nobody, nobody)
    frame = Frame(0, np.zeros((8, 8), np.uint8), None, 0.0, Origin("test", View.NATIVE))
    analysis = Analysis("model", "0" * 64, "CPU", 7.0, 5.0, demonstration=False)
    device = facts(NothingFound(frame, analysis), model, None, PaintMeter(), 0.0)["Device"]
    assert device == f"{words} · 7 ms"
