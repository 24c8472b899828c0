"""A de-identified export: no date, no device, no file name, and nothing outside the sector in any of its files."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pytest
from outcomes import ANALYSIS

from inference.crop import Rect
from inference.errors import OutputError
from inference.export.deidentified import DeidentifiedRecord
from inference.export.record import export_record
from inference.frame import Frame, Origin, Pixels, View
from inference.jobs.record_export import Form, Wanted, _export_one
from inference.outcome import NothingFound, UnknownSpacing
from inference.recording.recorder import Recorder
from inference.recording.schema import code_of_day
from inference.source_info import SourceInfo
from inference.sources.record import RecordSource
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance

WHEN, DEVICE = "20260301-101500", "OR3 grabber of Dr Doe"
ROWS, COLS = 300, 420
CROP = Rect(40, 60, 240, 300)


def scanner(index: int, *, sector: bool = True) -> Pixels:
    """A scanner's screen with a name above the sector, which comes and goes."""
    pixels = np.zeros((ROWS, COLS), np.uint8)
    if sector:
        with PhantomSource(rows=220, cols=280, count=8, speckle=0.2) as phantom:
            pixels[50:270, 70:350] = phantom.read(index).pixels
    else:
        pixels[:] = np.random.default_rng(index).integers(90, 110, pixels.shape)
    if index % 2:
        cv2.putText(pixels, "DOE JANE 1961", (100, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 230, 2)
    return pixels


def recorded(folder: Path, *, sector: bool = True, code: str = "GL-017") -> Path:
    path = folder / f"iUS-{WHEN}.mcap"
    origin = Origin(DEVICE, View.NATIVE, live=True)
    spacing = PixelSpacing(0.2, 0.2, Provenance.PRESET)
    info = SourceInfo(origin, ROWS, COLS, spacing, "", (0.0, 255.0))
    recorder = Recorder(path, info, case_code=code, start=0.0)
    for index in range(8):
        frame = Frame(index, scanner(index, sector=sector), spacing, index / 20, origin)
        if index == 7:
            frame = replace(frame, spacing=None, no_spacing_reason=f"{DEVICE} states pixels of 9 × 9 mm: calibrate.")
        recorder.frame(frame)
        unknown = UnknownSpacing(frame, frame.no_spacing_reason)
        recorder.outcome(unknown if index == 7 else NothingFound(frame, ANALYSIS))
    assert recorder.close().error == ""
    return path


@pytest.mark.parametrize("rect", [None, CROP])
def test_nothing_of_a_name_is_in_any_file(tmp_path: Path, rect: Rect | None) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with DeidentifiedRecord(recorded(tmp_path), rect) as source:
        files = export_record(source, out, chosen=(1,))
    stack = np.asarray(nib.load(out / "frames.nii.gz").dataobj)
    assert stack.max() > 100, "the tissue is there"
    assert not stack[:, :35].any(), "and nothing where the name stood"
    for path in files:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        for secret in (WHEN, WHEN[:8], "2026-03-01", DEVICE):
            assert secret.encode() not in content, (path.name, secret)
    page = (out / "summary.html").read_text()
    assert "the source states pixels of 9 × 9 mm" in page
    assert "Set to black in this export" in page
    assert "GL-017" in page
    pictures = [cv2.imread(str(path)) for path in files if path.suffix == ".png" and "overlay" not in path.stem]
    assert pictures
    with RecordSource(tmp_path / f"iUS-{WHEN}.mcap") as plain:
        assert plain.read(1).pixels[:35].any(), "the record itself keeps what it had"


def test_a_code_that_is_the_day_of_the_operation_is_in_no_file_and_no_name(tmp_path: Path) -> None:
    """Where nobody typed a code, records are called by the day on which they were made."""
    path, code = recorded(tmp_path, code=code_of_day(datetime(2026, 3, 1, tzinfo=UTC))), "0301-day"
    for form in (Form.DEIDENTIFIED, Form.VIDEO, Form.DICOM):
        _export_one(Wanted(path, chosen=(1,), form=form), iter)
    written = [file for file in (tmp_path / "deidentified").rglob("*") if file.is_file()]
    assert {"summary.html", "record-1.mp4", "record-1.dcm", "frame-000001.dcm"} < {file.name for file in written}
    for file in written:
        content = file.read_bytes()
        assert code not in str(file)
        assert code.encode() not in (gzip.decompress(content) if file.suffix == ".gz" else content), file.name


def test_no_dicom_tells_a_code_that_is_the_day_of_the_operation(tmp_path: Path) -> None:
    with RecordSource(recorded(tmp_path, code=code_of_day(datetime(2026, 3, 1, tzinfo=UTC)))) as source:
        files = export_record(source, tmp_path, chosen=(1,))
    dicom = [file for file in files if file.suffix == ".dcm"]
    assert len(dicom) == 2
    assert not [file for file in dicom if b"0301-day" in file.read_bytes()]


def test_tissue_is_kept_as_it_was(tmp_path: Path) -> None:
    with DeidentifiedRecord(recorded(tmp_path), CROP) as source:
        for index in range(8):
            kept, before = source.read(index).pixels, scanner(index)
            inside = kept > 0
            assert np.array_equal(kept[inside], before[inside])
            bright = before[50:270, 70:350] > 40
            assert (kept[50:270, 70:350][bright] > 0).mean() > 0.99


def test_without_sector_and_without_crop_nothing_is_exported(tmp_path: Path) -> None:
    path = recorded(tmp_path, sector=False)
    with pytest.raises(OutputError, match="open it, and crop it"):
        DeidentifiedRecord(path, None)
    with DeidentifiedRecord(path, CROP) as source:
        pixels = source.read(1).pixels
    assert pixels[CROP.where].all()
    assert not np.delete(pixels, np.s_[CROP.top : CROP.top + CROP.rows], axis=0).any()


def test_a_crop_of_another_size_of_picture_is_not_used(tmp_path: Path) -> None:
    with DeidentifiedRecord(recorded(tmp_path), replace(CROP, cols=4000)) as source:
        assert not source.read(1).pixels[:35].any()
        assert source.read(1).pixels.any()
