"""What a recorded frame is shown with, in every picture and DICOM that is exported of it."""

from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from outcomes import INFO, frame, tumour

from inference.crop import Rect
from inference.export.clip import write_clip
from inference.export.deidentified import DeidentifiedRecord
from inference.export.record import export_record
from inference.export.record_capture import capture_of
from inference.export.words import caption
from inference.frame import View
from inference.recording.recorder import Recorder
from inference.recording.schema import EventKind
from inference.sources.record import RecordSource


@pytest.mark.parametrize(
    ("view", "marker", "said"),
    [
        (View.NATIVE, "left", "Probe marker at the left of the picture as it came"),
        (View.NATIVE, "", "Probe marker side not set"),
        (View.SLICE, "", ""),
    ],
)
def test_the_side_of_the_probe_marker_is_said_with_every_picture(
    view: View, marker: str, said: str, tmp_path: Path
) -> None:
    """Without it, nobody who gets them knows left from right."""
    origin, path = replace(INFO.origin, view=view), tmp_path / "r.mcap"
    recorder, outcome = Recorder(path, replace(INFO, origin=origin), start=0.0), tumour(frame(0, at=0.0))
    recorder.event(EventKind.FLIP, "FLIPPED left-right", at=0.0)
    if marker:
        recorder.event(EventKind.MARKER, marker, at=0.0)
    recorder.frame(outcome.frame)
    recorder.outcome(outcome)
    recorder.close()
    with RecordSource(path) as source:
        lines = caption(capture_of(source, 0, source.settings()[0]))
        files = export_record(source, tmp_path, chosen=(0,))
    assert [line for line in lines if line.startswith("Probe marker")] == [said] * bool(said)
    with DeidentifiedRecord(path, Rect(0, 0, INFO.rows, INFO.cols)) as source:
        files += write_clip(source, tmp_path / "clip.dcm")[:1]
    for file in (file for file in files if file.name in ("clip.dcm", "frame-000000.dcm", "frame-000000_picture.dcm")):
        assert ("Probe marker" in pydicom.dcmread(file).ImageComments) == bool(said), file.name
        assert said in pydicom.dcmread(file).ImageComments
