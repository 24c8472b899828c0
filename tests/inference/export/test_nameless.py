"""Why a file has no scale is said by its name on the screen, and by no name in anything that is kept or sent."""

import json
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from outcomes import frame, tumour

from inference.export.capture import Capture
from inference.export.dicom import write_dicom_pair
from inference.export.readings import reading_row
from inference.export.result import result_cells
from inference.export.words import caption
from inference.frame import Frame, Origin, View
from inference.outcome import Failed, NotAnalysed, Outcome, Reason, UnknownSpacing

FILE = Origin("Doe Jane 1961.nii.gz", View.NATIVE)
SAID = "Doe Jane 1961.nii.gz states pixels of 90 × 90 mm: calibrate."


def unscaled(origin: Origin) -> Frame:
    return replace(frame(0), origin=origin, spacing=None, no_spacing_reason=SAID)


@pytest.mark.parametrize(
    "outcome",
    [
        UnknownSpacing(unscaled(FILE), SAID),
        NotAnalysed(unscaled(FILE), Reason.GUARD, SAID),
        Failed(unscaled(FILE), SAID),
        tumour(unscaled(FILE)),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_no_file_is_named_in_caption_table_or_what_is_sent(outcome: Outcome) -> None:
    said = (
        *caption(Capture(outcome, (0.0, 255.0))),
        json.dumps(reading_row(outcome)),
        json.dumps(result_cells(outcome, 0.0, {})),
    )
    assert "Doe" not in "\n".join(said)
    assert "the file states pixels of 90" in "\n".join(said), "the reason itself stays"


def test_what_a_device_is_called_stays_as_it_is() -> None:
    live = Origin("OR3 grabber", View.NATIVE, live=True)
    told = UnknownSpacing(unscaled(live), "OR3 grabber states no scale.")
    assert reading_row(told)["reason"] == "OR3 grabber states no scale."


def test_a_dicom_picture_does_not_tell_when_the_operation_was(tmp_path: Path) -> None:
    """A record is called by that time, and the picture's words are its pixels."""
    pictures = []
    for name in ("iUS-20260301-101500.mcap", "iUS-19991231-235959.mcap"):
        origin = Origin(name, View.NATIVE, record=True)
        capture = Capture(tumour(replace(frame(0), origin=origin)), (0.0, 255.0))
        written = write_dicom_pair(capture, tmp_path / f"{name[:6]}.dcm")
        pictures.append(pydicom.dcmread(written.picture).PixelData)
        assert f"Source {name} · frame 0 · 0.00 s" in caption(capture), "which the files of this computer say"
    assert pictures[0] == pictures[1]
