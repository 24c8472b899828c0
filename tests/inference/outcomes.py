"""An outcome of every kind, and a record of them."""

from dataclasses import replace
from pathlib import Path
from time import monotonic

import numpy as np

from inference.contract import Mode
from inference.frame import Frame, Origin, Pixels, View
from inference.outcome import (
    Analysis,
    Diameters,
    Failed,
    NotAnalysed,
    NothingFound,
    Outcome,
    Reason,
    Region,
    SizeState,
    Tumour,
    UnknownSpacing,
)
from inference.recording.recorder import Recorder
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing, Provenance

UNLIKE = "Unlike the training data: smaller pixels."
ANALYSIS = Analysis("threshold", "0" * 64, "CPU", 16.0, 14.0, demonstration=False, mode=Mode.THOROUGH, unlike=UNLIKE)
SPACING = PixelSpacing(0.2, 0.3, Provenance.RULER)
SHAPE = (37, 53)
PROBE = Origin("probe", View.NATIVE, live=True)
INFO = SourceInfo(PROBE, *SHAPE, SPACING, "", (0.0, 255.0))


def frame(index: int, dtype: type = np.uint8, at: float | None = None) -> Frame:
    pixels: Pixels = np.random.default_rng(index).integers(0, 255, SHAPE).astype(dtype)
    return Frame(index, pixels, SPACING, monotonic() if at is None else at, PROBE, time_s=index / 25)


def tumour(shown: Frame) -> Tumour:
    line = np.array([[1.5, 2.0], [3.25, 4.0], [2.0, 8.125]], np.float32)
    diameters = Diameters(12.5, 7.25, ((1.0, 2.0), (3.0, 4.5)))
    large = Region(600, 36.0, (line, line[:2]), diameters, (3.5, 9.0), touches_edge=True, size=SizeState.AT_MOST_200)
    small = Region(9, None, (line,), None, None, touches_edge=False, size=None)
    return Tumour(shown, ANALYSIS, (shown.pixels > 100).astype(np.uint8), (large, small))


def five(dtype: type = np.uint8) -> list[Outcome]:
    return [
        tumour(frame(0, dtype)),
        NothingFound(frame(1, dtype), ANALYSIS),
        Failed(frame(2, dtype), "The network broke."),
        NotAnalysed(frame(3, dtype), Reason.GUARD, "Two panes."),
        UnknownSpacing(replace(frame(4, dtype), spacing=None, no_spacing_reason="no scale"), "no scale"),
    ]


def record(path: Path, outcomes: list[Outcome], info: SourceInfo = INFO, **options: object) -> Path:
    recorder = Recorder(path, info, start=outcomes[0].frame.captured_at, **options)  # type: ignore[arg-type]
    for outcome in outcomes:
        recorder.frame(outcome.frame)
        recorder.outcome(outcome)
    assert recorder.close().error == ""
    return path
