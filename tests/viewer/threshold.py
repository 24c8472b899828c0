"""The model of the window's tests: a threshold, written down here. Fixtures, named in conftest."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from inference.contract import ModelContract
from inference.frame import Frame
from inference.live.model import Model
from inference.model.segmentation import band_of, regions_of
from inference.outcome import Analysis, NothingFound, Outcome, Tumour, UnknownSpacing

THRESHOLD = 110
"""Between the phantom's tissue (70) and tumour (150)."""


Analyse = Callable[[Frame], Outcome]


def segment(frame: Frame, contract: ModelContract, *, without_scale: bool = False, band: bool = False) -> Outcome:
    """The threshold as a segmenter: what is brighter than `THRESHOLD` is tumour."""
    if frame.spacing is None and not without_scale:
        return UnknownSpacing(frame, frame.no_spacing_reason or "The source does not say how large a pixel is.")
    simulated_only = contract.population.simulated and not frame.origin.simulated
    analysis = Analysis(contract.identity.name, "0" * 64, "CPU", 16.0, 14.0, simulated_only)
    margin = cv2.GaussianBlur(frame.pixels, (0, 0), 2.5).astype(np.float32) - THRESHOLD
    mask = (margin > 0).astype(np.uint8)
    regions = regions_of(mask, margin, frame, contract.reliability)
    lines = band_of(margin / 40, 0.5) if band else None
    return Tumour(frame, analysis, mask, regions, lines) if regions else NothingFound(frame, analysis)


@pytest.fixture
def model(contract: ModelContract) -> Model:
    return model_with(contract)


def model_with(contract: ModelContract, analyse: Analyse | None = None) -> Model:
    wanted = [False]

    def banded(frame: Frame) -> Outcome:
        return segment(frame, contract, band=wanted[0])

    return Model(
        path=Path("threshold.onnx"),
        contract=contract,
        sha256="0" * 64,
        provider="CPU",
        fallbacks=(),
        self_test="passed: 2 cases, 0 of a million pixels differ",
        warm_up_ms=16.0,
        analyse=analyse or banded,
        analyse_without_scale=lambda frame: segment(frame, contract, without_scale=True),
        want_band=lambda on: wanted.__setitem__(0, on),
        tell_start=lambda _: None,
    )


@pytest.fixture
def make_model() -> Callable[..., Model]:
    return model_with


def finding_nothing(model: Model) -> Analyse:
    """The model's analysis, had it found nothing."""

    def nothing(frame: Frame) -> Outcome:
        outcome = model.analyse(frame)
        assert isinstance(outcome, Tumour)
        return NothingFound(frame, outcome.analysis)

    return nothing
