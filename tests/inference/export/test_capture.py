"""What leaves the room: the right picture, its contour, its words, and nothing of a patient."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from highdicom.seg import segread

from inference.assets import demo_clip_path
from inference.errors import OutputError
from inference.export import summary
from inference.export.capture import Capture, Outside
from inference.export.dicom import write_dicom_pair
from inference.export.picture import annotated, outlined, write_pictures
from inference.export.readings import reading_row
from inference.export.words import caption
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.outcome import NothingFound, Outcome, Tumour, UnknownSpacing
from inference.safety import DEMONSTRATION, INTENDED_USE
from inference.sources import open_source
from inference.sources.simulated import PhantomSource
from inference.spacing import PixelSpacing, Provenance

EIGHT_BITS = (0.0, 255.0)


@pytest.fixture(scope="module")
def clip_tumour(engine: Engine) -> Tumour:
    """The middle of the bundled clip."""
    with open_source(str(demo_clip_path())) as source:
        outcome = Segmenter(engine)(source.read(len(source) // 2))
    assert isinstance(outcome, Tumour)
    return outcome


@pytest.fixture(scope="module")
def phantom_outcome(engine: Engine) -> Outcome:
    with open_source("simulated:") as source:
        return Segmenter(engine)(source.read(120))


def _words(outcome: Outcome, **options: object) -> str:
    return "\n".join(caption(Capture(outcome, EIGHT_BITS, **options)))


def test_the_plain_picture_is_the_frame_to_the_pixel(clip_tumour: Tumour, tmp_path: Path) -> None:
    plain, beside = write_pictures(Capture(clip_tumour, EIGHT_BITS, Outside.KEPT), tmp_path / "still.png")
    np.testing.assert_array_equal(cv2.imread(str(plain), cv2.IMREAD_UNCHANGED), clip_tumour.frame.pixels)
    assert beside == tmp_path / "still_contour.png"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["still.png", "still_contour.png"]
    read = cv2.imread(str(beside))
    assert read is not None
    assert read.shape[0] > clip_tumour.frame.rows


def test_black_outside_takes_nothing_from_a_cropped_source(clip_tumour: Tumour, phantom_outcome: Outcome) -> None:
    """The clip's own sector is already all there is."""
    for outcome in (clip_tumour, phantom_outcome):
        capture = Capture(outcome, EIGHT_BITS)
        lost = (capture.pixels != outcome.frame.pixels) & (outcome.frame.pixels > 12)
        assert np.count_nonzero(lost) == 0
        assert not capture.text_kept


def test_the_line_runs_along_the_edge_of_the_mask(clip_tumour: Tumour) -> None:
    capture = Capture(clip_tumour, EIGHT_BITS)
    drawn = (outlined(capture) != capture.pixels[..., None]).any(axis=2)
    mask = clip_tumour.mask
    ring = cv2.dilate(mask, np.ones((9, 9), np.uint8)) - cv2.erode(mask, np.ones((9, 9), np.uint8))
    assert drawn.any()
    assert not (drawn & (ring == 0)).any()
    edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    near = cv2.dilate(drawn.astype(np.uint8), np.ones((13, 13), np.uint8))
    assert np.count_nonzero(edge & (near == 0)) == 0


def test_words_name_area_scale_model_source_and_use(clip_tumour: Tumour) -> None:
    words = _words(clip_tumour, notes=("Phase: before dura opening",))
    assert f"{clip_tumour.area_mm2:.1f} mm²" in words
    spacing = clip_tumour.frame.spacing
    assert spacing is not None
    assert f"{spacing.row_mm:.6g} mm a row" in words
    assert spacing.provenance.words in words
    assert clip_tumour.analysis.model in words
    assert clip_tumour.analysis.model_sha256[:12] in words
    assert clip_tumour.frame.origin.name in words
    assert "SIMULATED" in words
    assert DEMONSTRATION not in words
    assert "Phase: before dura opening" in words
    assert words.endswith(INTENDED_USE)


def test_the_demonstration_line_stands_where_the_source_is_not_simulated(
    engine: Engine, write_dicom: Callable[..., Path], fan: np.ndarray, us_region: Callable
) -> None:
    path = write_dicom("real.dcm", np.stack([fan] * 2), [us_region((0, 0, 119, 89))])
    with open_source(str(path)) as source:
        outcome = Segmenter(engine)(source.read(0))
    assert isinstance(outcome, Tumour | NothingFound)
    assert DEMONSTRATION in _words(outcome)


def test_unknown_scale_is_said_and_never_in_millimetres(engine: Engine) -> None:
    with PhantomSource(spacing_mm=None) as source:
        frame = source.read(120)
    refused = Segmenter(engine)(frame)
    assert isinstance(refused, UnknownSpacing)
    words = _words(refused)
    assert "Not analysed: This phantom hides its scale" in words
    assert "mm" not in words
    chosen = _words(Segmenter(engine, without_scale=True)(frame))
    assert "Scale unknown" in chosen
    assert "mm" not in chosen


def test_text_outside_the_sector_goes_unless_kept_and_both_are_said(engine: Engine) -> None:
    with open_source("simulated:") as source:
        frame = source.read(0)
    cv2.putText(frame.pixels, "DOE JANE", (5, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255)
    text = np.s_[20:45, :100]
    assert frame.pixels[text].any()
    outcome = Segmenter(engine)(frame)
    black, kept = Capture(outcome, EIGHT_BITS), Capture(outcome, EIGHT_BITS, Outside.KEPT)
    assert not black.pixels[text].any()
    assert kept.pixels[text].any()
    assert (black.text_kept, kept.text_kept) == (False, True)
    assert "set to black" in _words(outcome)
    assert "check it for names" in _words(outcome, outside=Outside.KEPT)
    full = Capture(outcome, EIGHT_BITS, sector=np.ones(frame.pixels.shape, np.uint8))
    assert full.text_kept
    assert "nothing was set to black" in "\n".join(caption(full))


def test_a_caption_is_never_cut(phantom_outcome: Outcome) -> None:
    """Each line ends in the strip: the last columns and rows are empty."""
    capture = Capture(phantom_outcome, EIGHT_BITS, notes=("word " * 60, "x" * 300))
    rows = phantom_outcome.frame.rows
    strip = annotated(capture)[rows:]
    bright = (strip > 60).any(axis=2)
    assert bright.any()
    assert not bright[:, -4:].any()
    assert not bright[-3:].any()


def test_a_name_of_another_system_s_letters_does_not_end_the_program(phantom_outcome: Outcome) -> None:
    frame = phantom_outcome.frame
    origin = replace(frame.origin, name=os.fsdecode(b"\xcf\xe0\xf6"), simulated=False, live=True)
    named = replace(phantom_outcome, frame=replace(frame, origin=origin))  # type: ignore[arg-type]
    capture = Capture(named, EIGHT_BITS)
    assert any("\udccf" in line for line in caption(capture)), "or this proves nothing"
    assert annotated(capture).shape[0] > frame.rows


def test_a_missing_folder_is_one_sentence(phantom_outcome: Outcome, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose another folder"):
        write_pictures(Capture(phantom_outcome, EIGHT_BITS), tmp_path / "nowhere" / "still.png")


@pytest.fixture
def from_a_patient(
    engine: Engine, clip_tumour: Tumour, write_dicom: Callable[..., Path], us_region: Callable
) -> Tumour:
    """A frame out of a file full of identity, whose very name is a patient's."""
    pixels = clip_tumour.frame.pixels
    rows, cols = pixels.shape
    box = us_region((0, 0, cols - 1, rows - 1), PhysicalDeltaX=0.017, PhysicalDeltaY=0.016)
    path = write_dicom("Doe_Jane.dcm", np.stack([pixels] * 2), [box], **IDENTITY)
    with open_source(str(path)) as source:
        outcome = Segmenter(engine)(source.read(1))
    assert isinstance(outcome, Tumour)
    return outcome


IDENTITY = {
    "PatientBirthDate": "19610317",
    "InstitutionName": "Saint Elsewhere",
    "StudyInstanceUID": "1.2.34567.89",
    "StudyDate": "20190704",
    "AccessionNumber": "ACC4711",
    "ReferringPhysicianName": "Who^Doctor",
    "OperatorsName": "Nurse^Some",
    "StationName": "THEATRE7",
    "DeviceSerialNumber": "SN998877",
    "StudyDescription": "Craniotomy left",
}


def _verified(path: Path) -> None:
    """dciodvfy finds no error."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not here: apt-get install dicom3tools")
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False, timeout=60)
    said = done.stdout + done.stderr
    assert not [line for line in said.splitlines() if line.startswith(("Error", "Abort"))], said


def test_the_dicom_pair_passes_dciodvfy_with_and_without_scale(
    engine: Engine, from_a_patient: Tumour, tmp_path: Path
) -> None:
    with PhantomSource(spacing_mm=None) as source:
        unknown = Segmenter(engine, without_scale=True)(source.read(120))
    for name, outcome in (("known", from_a_patient), ("unknown", unknown)):
        written = write_dicom_pair(Capture(outcome, EIGHT_BITS), tmp_path / f"{name}.dcm")
        assert written.seg is not None
        _verified(written.image)
        _verified(written.seg)


def test_an_odd_sized_16_bit_frame_passes_too(phantom_outcome: Outcome, tmp_path: Path) -> None:
    pixels = phantom_outcome.frame.pixels[:511, :511].astype(np.uint16) * 100
    frame = replace(phantom_outcome.frame, pixels=pixels)
    capture = Capture(UnknownSpacing(frame, "Nobody knows."), (0.0, 25_500.0))
    written = write_dicom_pair(capture, tmp_path / "odd.dcm")
    assert written.seg is None
    assert "no DICOM SEG" in written.no_seg
    _verified(written.image)
    np.testing.assert_allclose(pydicom.dcmread(written.image).pixel_array, capture.pixels)
    np.testing.assert_allclose(capture.pixels, pixels // 100, atol=1)


def test_the_dicom_opens_again_with_its_scale_and_pixels(from_a_patient: Tumour, tmp_path: Path) -> None:
    capture = Capture(from_a_patient, EIGHT_BITS)
    written = write_dicom_pair(capture, tmp_path / "still.dcm")
    with open_source(str(written.image)) as source:
        frame = source.read(0)
        assert len(source) == 1
    np.testing.assert_array_equal(frame.pixels, capture.pixels)
    assert frame.spacing is not None
    assert (frame.spacing.row_mm, frame.spacing.col_mm) == pytest.approx((0.16, 0.17))
    assert frame.spacing.provenance is Provenance.DICOM_REGION
    assert not frame.origin.simulated


@pytest.mark.parametrize(
    ("row_mm", "col_mm", "ratio", "said"),
    [
        (0.25, 0.4, [5, 8], "pixels are 1.6 times as wide as high"),
        (0.3, 0.1, [3, 1], "pixels are 0.333 times as wide as high"),
        (0.2, 0.2, None, ""),
    ],
)
def test_pixels_that_are_not_square_are_said_wherever_they_are_drawn_as_squares(
    row_mm: float, col_mm: float, ratio: list[int] | None, said: str, from_a_patient: Tumour, tmp_path: Path
) -> None:
    """A viewer draws a DICOM picture by its aspect ratio, whatever its ultrasound region says."""
    scaled = replace(from_a_patient.frame, spacing=PixelSpacing(row_mm, col_mm, Provenance.TYPED), pose=None)
    capture = Capture(replace(from_a_patient, frame=scaled), EIGHT_BITS)
    lines = [line for line in caption(capture) if "distorted" in line]
    assert len(lines) == bool(said)
    assert said in "".join(lines)
    image = write_dicom_pair(capture, tmp_path / "still.dcm").image
    stated = pydicom.dcmread(image).get("PixelAspectRatio")
    assert (stated if stated is None else [int(side) for side in stated]) == ratio
    _verified(image)


def test_a_simulated_frame_stays_simulated(clip_tumour: Tumour, tmp_path: Path) -> None:
    written = write_dicom_pair(Capture(clip_tumour, EIGHT_BITS), tmp_path / "still.dcm")
    with open_source(str(written.image)) as source:
        assert source.info.origin.simulated


def test_the_seg_lands_on_its_frame(from_a_patient: Tumour, tmp_path: Path) -> None:
    written = write_dicom_pair(Capture(from_a_patient, EIGHT_BITS), tmp_path / "still.dcm")
    assert written.seg is not None
    image, seg = pydicom.dcmread(written.image), segread(written.seg)
    mask = seg.get_pixels_by_source_instance([image.SOPInstanceUID], combine_segments=True)[0]
    np.testing.assert_array_equal(mask, from_a_patient.mask)
    assert seg.StudyInstanceUID == image.StudyInstanceUID
    assert seg.SeriesInstanceUID != image.SeriesInstanceUID
    said = seg.SegmentSequence[0].SegmentDescription
    assert "0.16 mm a row, 0.17 mm a column (DICOM region)" in said
    assert DEMONSTRATION in said
    assert INTENDED_USE in said
    assert from_a_patient.analysis.model_sha256 in str(seg)


def test_unknown_scale_leaves_no_spacing_in_either_file(engine: Engine, tmp_path: Path) -> None:
    with PhantomSource(spacing_mm=None) as source:
        outcome = Segmenter(engine, without_scale=True)(source.read(120))
    written = write_dicom_pair(Capture(outcome, EIGHT_BITS), tmp_path / "still.dcm")
    assert written.seg is not None
    for path in (written.image, written.seg):
        keywords = {element.keyword for element in pydicom.dcmread(path).iterall()}
        assert not {word for word in keywords if re.search("Spacing|PhysicalDelta|UltrasoundRegions", word)}
    with open_source(str(written.image)) as source:
        assert source.info.spacing is None


def test_captions_and_page_name_no_file(from_a_patient: Tumour) -> None:
    assert from_a_patient.frame.origin.name == "Doe_Jane"
    capture = Capture(from_a_patient, EIGHT_BITS)
    page = summary.page(summary.Session(from_a_patient.frame.origin, [reading_row(from_a_patient)], captures=[capture]))
    for said in ("\n".join(caption(capture)), page):
        assert "Doe_Jane" not in said
        assert "name left out" in said


@pytest.mark.parametrize("outside", Outside)
def test_nothing_of_the_patient_is_in_the_dicom(from_a_patient: Tumour, tmp_path: Path, outside: Outside) -> None:
    written = write_dicom_pair(Capture(from_a_patient, EIGHT_BITS, outside), tmp_path / "still.dcm")
    assert written.seg is not None
    today = datetime.now(tz=UTC).astimezone().strftime("%Y%m%d")
    for path in (written.image, written.seg):
        dataset = pydicom.dcmread(path)
        content = path.read_bytes()
        for value in (*IDENTITY.values(), "Doe", "Jane", "0815", "1.2.3\0", today):
            assert re.search(rb"(?<![\d.])" + re.escape(value.encode()), content) is None, value
        assert (str(dataset.PatientName), dataset.PatientID) == ("ANONYMOUS^", "ANONYMOUS")
        assert dataset.PatientIdentityRemoved == ("YES" if outside is Outside.BLACK else "NO")
    assert ("check it for names" in pydicom.dcmread(written.image).ImageComments) == (outside is Outside.KEPT)


def test_every_export_has_uids_of_its_own_within_the_study_given(clip_tumour: Tumour, tmp_path: Path) -> None:
    capture = Capture(clip_tumour, EIGHT_BITS)
    first = pydicom.dcmread(write_dicom_pair(capture, tmp_path / "a.dcm").image)
    second = pydicom.dcmread(write_dicom_pair(capture, tmp_path / "b.dcm", study_uid=first.StudyInstanceUID).image)
    third = pydicom.dcmread(write_dicom_pair(capture, tmp_path / "c.dcm").image)
    assert first.StudyInstanceUID == second.StudyInstanceUID != third.StudyInstanceUID
    assert len({one.SOPInstanceUID for one in (first, second, third)}) == 3
