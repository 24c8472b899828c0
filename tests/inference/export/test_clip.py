"""A record as one DICOM with its masks, and every export's version: read again by pydicom, highdicom and dciodvfy."""

import gzip
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from answers import LIMITS
from highdicom.seg import segread
from outcomes import ANALYSIS

from inference import cli, safety
from inference.alarms import Alarm
from inference.errors import OutputError
from inference.export import clip, picture
from inference.export.deidentified import DeidentifiedRecord
from inference.export.dicom import write_dicom_pair
from inference.export.record_capture import capture_of
from inference.export.result import withdrawn_cells
from inference.frame import Frame, Mask, Origin, View
from inference.model.segmentation import regions_of
from inference.outcome import NothingFound, Outcome, Tumour
from inference.recording.recorder import Recorder
from inference.recording.schema import Corrector, EventKind
from inference.safety import INTENDED_USE
from inference.source_info import SourceInfo
from inference.sources import open_source
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance
from inference.version import SOFTWARE, __version__

TIMES_S = (0.0, 0.041, 0.079, 0.500)
NOTHING, PASSED_OVER = 1, 2
ROWS, COLS = 150, 201
SPACING = PixelSpacing(0.25, 0.4, Provenance.RULER)
NAME = (slice(0, 24), slice(100, COLS))


def mask(number: int) -> Mask:
    if number in (NOTHING, PASSED_OVER):
        return np.zeros((ROWS, COLS), np.uint8)
    return cv2.circle(np.zeros((ROWS, COLS), np.uint8), (80 + 10 * number, 90), 25, 1, -1)


def outcome(number: int, spacing: PixelSpacing) -> Outcome:
    """An answer to a screen with a name above the sector."""
    pixels = np.zeros((ROWS, COLS), np.uint8)
    with PhantomSource(rows=110, cols=140, count=4, speckle=0.2) as phantom:
        pixels[30:140, 30:170] = phantom.read(number).pixels
    cv2.putText(pixels, "DOE 1961", (110, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 230, 1)
    shown = Frame(number, pixels, spacing, TIMES_S[number], Origin("OR3 grabber", View.NATIVE, live=True))
    if number == NOTHING:
        return NothingFound(shown, ANALYSIS)
    regions = regions_of(mask(number), mask(number) - np.float32(0.5), shown, LIMITS)
    return Tumour(shown, ANALYSIS, mask(number), regions)


def recorded(path: Path, last: PixelSpacing = SPACING) -> Path:
    origin = Origin("OR3 grabber", View.NATIVE, live=True)
    recorder = Recorder(path, SourceInfo(origin, ROWS, COLS, SPACING, "", (0.0, 255.0)), case_code="GL-017", start=0.0)
    for number in range(len(TIMES_S)):
        said = outcome(number, last if number == len(TIMES_S) - 1 else SPACING)
        recorder.frame(said.frame)
        if number != PASSED_OVER:
            recorder.outcome(said)
    assert recorder.close().error == ""
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every export of a record."""
    folder = tmp_path_factory.mktemp("export")
    record = recorded(folder / "iUS-20260301-101500.mcap")
    command = ["export", str(record), "--out", str(folder / "out"), "--frame", "0", "--video", "--dicom"]
    assert cli.main(command) == cli.WELL
    return folder / "out"


def test_each_mask_names_its_frame_of_the_one_picture_file(exported: Path) -> None:
    image, seg = pydicom.dcmread(exported / "clip.dcm"), segread(exported / "clip_seg.dcm")
    references = [
        (one.ReferencedSOPInstanceUID, one.ReferencedFrameNumber)
        for frame in seg.PerFrameFunctionalGroupsSequence
        for one in frame.DerivationImageSequence[0].SourceImageSequence
    ]
    assert references == [(image.SOPInstanceUID, 1), (image.SOPInstanceUID, 4)]
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == image.SeriesInstanceUID
    numbers = list(range(1, len(TIMES_S) + 1))
    read = seg.get_pixels_by_source_frame(
        image.SOPInstanceUID, numbers, combine_segments=True, ignore_spatial_locations=True,
        assert_missing_frames_are_empty=True,
    )  # fmt: skip
    np.testing.assert_array_equal(read, [mask(number) for number in range(len(TIMES_S))])
    said = seg.SegmentSequence[0].SegmentDescription
    assert "2 with a contour, 1 with nothing found, 1 not analysed" in said
    assert said.endswith(INTENDED_USE)


def test_the_clip_opens_here_with_its_frames_times_and_scale(exported: Path) -> None:
    dataset = pydicom.dcmread(exported / "clip.dcm")
    assert np.cumsum(np.asarray(dataset.FrameTimeVector, float)) / 1000 == pytest.approx(TIMES_S, abs=0.0006)
    with open_source(str(exported / "clip.dcm")) as source:
        assert len(source) == len(TIMES_S)
        assert source.info.spacing is not None
        assert (source.info.spacing.row_mm, source.info.spacing.col_mm) == pytest.approx((0.25, 0.4))
    assert not dataset.pixel_array[(slice(None), *NAME)].any(), "no name is left"
    for number, pixels in enumerate(dataset.pixel_array):
        told = outcome(number, SPACING).frame.pixels
        inside = pixels > 0
        np.testing.assert_array_equal(pixels[inside], told[inside])


def test_the_picture_for_every_viewer_has_contour_and_words_and_no_name(exported: Path) -> None:
    frame, burnt = (pydicom.dcmread(exported / f"frame-000000{end}.dcm") for end in ("", "_picture"))
    shown = cv2.imread(str(exported / "frame-000000_contour.png"))
    assert (burnt.BurnedInAnnotation, burnt.PatientIdentityRemoved) == ("YES", frame.PatientIdentityRemoved)
    assert burnt.SourceImageSequence[0].ReferencedSOPInstanceUID == frame.SOPInstanceUID
    assert burnt.StudyInstanceUID == frame.StudyInstanceUID
    assert burnt.pixel_array.shape == shown.shape
    differ = np.flatnonzero((burnt.pixel_array[..., ::-1] != shown).any(axis=(1, 2)))
    assert differ.min() > ROWS
    assert np.ptp(differ) < picture.LINE, "one line: the record's name, which is the time of the operation"
    assert "PixelSpacing" not in burnt, "nobody measures in a caption"


@pytest.mark.parametrize("name", ["clip", "clip_seg", "frame-000000_picture"])
def test_it_passes_dciodvfy_and_names_nobody(exported: Path, name: str) -> None:
    file = exported / f"{name}.dcm"
    done = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False, timeout=60)
    assert not [line for line in done.stderr.splitlines() if line.startswith(("Error", "Abort"))], done.stderr
    dataset = pydicom.dcmread(file)
    assert (str(dataset.PatientName), dataset.PatientID) == ("ANONYMOUS^", "ANONYMOUS")
    assert b"20260301" not in file.read_bytes()


def test_a_scale_that_changes_is_that_of_no_frame(tmp_path: Path) -> None:
    path = recorded(tmp_path / "record.mcap", PixelSpacing(0.3, 0.5, Provenance.RULER))
    with DeidentifiedRecord(path, None) as source:
        spacings = {source.read(number).spacing for number in range(len(source))}
        image, _ = clip.write_clip(source, tmp_path / "clip.dcm")
    dataset = pydicom.dcmread(image)
    assert ("SequenceOfUltrasoundRegions" in dataset) == (len(spacings) == 1)
    assert ("Scale unknown" in dataset.ImageComments) == (len(spacings) > 1)


def test_a_record_too_long_for_one_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip, "MOST", 3)
    with (
        DeidentifiedRecord(recorded(tmp_path / "record.mcap"), None) as source,
        pytest.raises(OutputError, match="record shorter pieces"),
    ):
        clip.write_clip(source, tmp_path / "clip.dcm")


def test_every_export_says_which_version_made_it(exported: Path) -> None:
    kinds = set[str]()
    for file in sorted(exported.iterdir()):
        kinds.add("".join(file.suffixes))
        if file.suffix == ".dcm":
            assert __version__ in str(pydicom.dcmread(file).SoftwareVersions), file.name
        else:
            content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            assert SOFTWARE.encode() in content, file.name
    assert kinds == {".csv", ".nii.gz", ".png", ".dcm", ".html", ".svg", ".json", ".mp4"}
    rows = (exported / "readings.csv").read_text().splitlines()
    assert all(SOFTWARE in row for row in rows[1:])
    chunk = re.search(rb"(....)tEXtSoftware\0", (exported / "frame-000000.png").read_bytes(), re.DOTALL)
    assert chunk is not None
    assert int.from_bytes(chunk[1]) == len(b"Software\0" + SOFTWARE.encode())
    assert withdrawn_cells("Nothing.", 0.0, {})["software"] == SOFTWARE, "what goes by OpenIGTLink too"


def test_which_contours_a_person_judged_stands_before_all_that_may_fill_the_room(tmp_path: Path) -> None:
    path, origin = tmp_path / "judged.mcap", Origin("OR3 grabber", View.NATIVE, live=True)
    recorder = Recorder(path, SourceInfo(origin, ROWS, COLS, SPACING, "", (0.0, 255.0)), start=0.0)
    for number in range(9):
        shown = outcome(0, SPACING)
        assert isinstance(shown, Tumour)
        analysis = replace(ANALYSIS, unlike=f"Unlike the training data, by {number} % of the grey values. " * 5)
        said = replace(shown, frame=replace(shown.frame, index=number, captured_at=number / 20), analysis=analysis)
        recorder.frame(said.frame)
        recorder.outcome(said)
        if number in (1, 4, 5, 6):
            assert recorder.event(EventKind.WRONG, "", said)
        if number == 8:
            assert recorder.correction(said, mask(NOTHING), Corrector.USER)
    recorder.close()
    with DeidentifiedRecord(path, None) as source:
        image, seg = clip.write_clip(source, tmp_path / "clip.dcm")
    described = pydicom.dcmread(seg).SegmentSequence[0].SegmentDescription
    assert f"{safety.CALLED_WRONG}: frames 2, 5-7." in described
    assert f"{safety.MODELS_OWN}: frames 9." in described, "as numbered in the picture file, from 1"
    comments = pydicom.dcmread(image).ImageComments
    assert f"{safety.CALLED_WRONG}: 4 of 9 frames (frames 2, 5-7)" in comments
    assert f"{safety.MODELS_OWN}: 1 of 9 frames (frames 9)" in comments


def test_what_was_said_of_frames_and_source_stands_in_every_dicom(tmp_path: Path) -> None:
    path, origin = tmp_path / "said.mcap", Origin("OR3 grabber", View.NATIVE, live=True)
    recorder = Recorder(path, SourceInfo(origin, ROWS, COLS, SPACING, "", (0.0, 255.0)), case_code="GL-017", start=0.0)
    recorder.event(EventKind.OVERRULED, Alarm.GRAPHICS.value, at=0.0)
    for number in (0, NOTHING):
        said = outcome(number, SPACING)
        assert isinstance(said, Tumour | NothingFound)
        said = replace(said, analysis=replace(ANALYSIS, unlike="Unlike the training data. " * 40))
        recorder.frame(said.frame)
        recorder.outcome(said)
        assert number == NOTHING or recorder.event(EventKind.WRONG, "", said)
    recorder.close()
    with DeidentifiedRecord(path, None) as source:
        clip.write_clip(source, tmp_path / "clip.dcm")
        pair = write_dicom_pair(capture_of(source, 0, source.settings()[0]), tmp_path / "frame.dcm")
    assert pair.seg is not None
    comments = pydicom.dcmread(tmp_path / "clip.dcm").ImageComments
    assert {"Phase not set", "Overruled by the user: graphics in sector", "Case GL-017"} < set(comments.split("\r\n"))
    assert "CONTOUR WRONG: 1 of 2 frames" in comments
    for file in (tmp_path / "clip_seg.dcm", pair.seg):
        described = pydicom.dcmread(file).SegmentSequence[0].SegmentDescription
        assert "Marked by the user: CONTOUR WRONG" in described
        assert safety.OVERRULED in described
        assert described.endswith(f"…. {INTENDED_USE}")
        assert len(described) == 1024
