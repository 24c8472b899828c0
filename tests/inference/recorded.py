"""Records of the tests' own: frames answered as in a session, and the table that an export makes of them."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from inference.frame import Frame
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.outcome import Outcome
from inference.recording.recorder import Recorder
from inference.recording.schema import EventKind
from inference.sources.base import RecordedSource

WRONG, PASSED_OVER = 3, 5

Segment = Callable[[Frame], Outcome]


def record(
    source: RecordedSource, frames: range, path: Path, engine: Engine, segment: Segment | None = None
) -> list[Outcome]:
    """Record these frames; one is passed over, one is marked, and phase and flip change before the last."""
    segmenter, said = segment or Segmenter(engine), list[Outcome]()
    recorder = Recorder(path, source.info, case_code="GL-017", start=0.0)
    recorder.model(engine.sha256, engine.provider, engine.contract.to_json())
    for number, index in enumerate(frames):
        if index == frames[-1]:
            recorder.event(EventKind.PHASE, "dura_open", at=number / 20)
            recorder.event(EventKind.FLIP, "FLIPPED left-right", at=number / 20)
            recorder.event(EventKind.OVERRULED, "graphics_in_sector", at=number / 20)
        outcome = segmenter(replace(source.read(index), captured_at=number / 20))
        recorder.frame(outcome.frame)
        if number != PASSED_OVER:
            recorder.outcome(outcome)
        if number == WRONG:
            assert recorder.event(EventKind.WRONG, "", outcome)
        said.append(outcome)
    assert recorder.close().error == ""
    return said


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "readings.csv").open(newline="") as file:
        return list(csv.DictReader(file))
