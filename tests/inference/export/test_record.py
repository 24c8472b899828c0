"""What a record gives away: the right numbers, in the right place, of nobody."""

import csv
import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import nibabel as nib
import numpy as np
import pydicom
import pytest
from outcomes import ANALYSIS, INFO, SHAPE, SPACING, five, tumour
from outcomes import frame as made
from outcomes import record as record_of
from recorded import PASSED_OVER, WRONG, record, rows_of

from inference import cli
from inference.assets import demo_clip_path
from inference.errors import OutputError
from inference.export.record import export_record
from inference.frame import Frame, Origin, View
from inference.live.policy import DEMONSTRATION_ONLY
from inference.model.engine import Engine
from inference.model.segmentation import regions_of
from inference.outcome import NotAnalysed, Outcome, Reason, SizeState, Tumour, UnknownSpacing
from inference.recording.recorder import Recorder
from inference.recording.schema import Corrector
from inference.safety import DEMONSTRATION, INTENDED_USE, MODELS_OWN
from inference.source_info import SourceInfo
from inference.sources import open_source
from inference.sources.record import UNANSWERED, RecordSource
from inference.spacing import PixelSpacing, Provenance

FIRST, COUNT = 80, 12


@pytest.fixture(scope="module")
def clip(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Outcome]]:
    """A record of the bundled clip, exported with one frame as DICOM."""
    folder = tmp_path_factory.mktemp("clip")
    with open_source(str(demo_clip_path())) as source:
        said = record(source, range(FIRST, FIRST + COUNT), folder / "clip.mcap", engine)
    assert cli.main(["export", str(folder / "clip.mcap"), "--out", str(folder), "--frame", "7"]) == cli.WELL
    return folder, said


def test_the_table_holds_what_was_said_then(clip: tuple[Path, list[Outcome]]) -> None:
    folder, said = clip
    rows = rows_of(folder)
    assert [int(row["source_frame"]) for row in rows] == list(range(FIRST, FIRST + COUNT))
    for number, (row, outcome) in enumerate(zip(rows, said, strict=True)):
        assert isinstance(outcome, Tumour)
        assert float(row["time_s"]) == pytest.approx(number / 20)
        assert row["phase"] == ("dura_open" if number == COUNT - 1 else "unset")
        assert row["flip"] == ("FLIPPED left-right" if number == COUNT - 1 else "")
        assert row["guards_overruled"] == ("graphics_in_sector" if number == COUNT - 1 else "")
        assert row["contour_wrong"] == ("true" if number == WRONG else "")
        if number == PASSED_OVER:
            assert (row["outcome"], row["area_mm2"]) == ("not_analysed", "")
            assert "slower analysis" in row["reason"]
        else:
            assert float(row["area_mm2"]) == pytest.approx(outcome.area_mm2, abs=1e-5)
            assert row["spacing_provenance"] == "dicom_region"


def test_stacks_hold_the_very_frames_and_masks_with_their_scale(clip: tuple[Path, list[Outcome]]) -> None:
    folder, said = clip
    frames, masks = nib.load(folder / "frames.nii.gz"), nib.load(folder / "masks.nii.gz")
    spacing = said[0].frame.spacing
    assert spacing is not None
    for image in (frames, masks):
        assert image.header.get_zooms()[:2] == pytest.approx((spacing.col_mm, spacing.row_mm))
        assert (int(image.header["qform_code"]), int(image.header["sform_code"])) == (1, 1)
        assert INTENDED_USE.encode() in bytes(image.header["descrip"])
    for number, outcome in enumerate(said):
        assert isinstance(outcome, Tumour)
        assert np.array_equal(np.asarray(frames.dataobj)[..., number].T, outcome.frame.pixels)
        mask = np.zeros_like(outcome.mask) if number == PASSED_OVER else outcome.mask
        assert np.array_equal(np.asarray(masks.dataobj)[..., number].T, mask)


def test_the_largest_plane_is_the_largest_that_nobody_called_wrong(clip: tuple[Path, list[Outcome]]) -> None:
    folder, said = clip
    sweep = json.loads((folder / "sweep.json").read_text())
    counted = {n: o for n, o in enumerate(said) if n not in (WRONG, PASSED_OVER) and isinstance(o, Tumour)}
    number = max(counted, key=lambda n: counted[n].area_mm2 or 0.0)
    largest, found = counted[number], sweep["largest_plane"]
    assert found["frame"] == number
    assert found["area_mm2"] == pytest.approx(largest.area_mm2, abs=1e-5)
    diameters = largest.largest.diameters
    assert diameters is not None
    assert (found["longest_mm"], found["perpendicular_mm"]) == (diameters.longest_mm, diameters.perpendicular_mm)
    assert found["spacing_provenance"] == "dicom_region"
    assert sweep["contours_marked_wrong"] == 1


def test_pictures_are_written_as_the_screen_showed_them(clip: tuple[Path, list[Outcome]], tmp_path: Path) -> None:
    folder, said = clip
    last = COUNT - 1
    assert cli.main(["export", str(folder / "clip.mcap"), "--out", str(tmp_path), "--frame", str(last)]) == cli.WELL
    picture = cv2.imread(str(tmp_path / f"frame-{last:06}.png"), cv2.IMREAD_UNCHANGED)
    straight = pydicom.dcmread(tmp_path / f"frame-{last:06}.dcm").pixel_array
    assert np.array_equal(picture[:, ::-1], straight)
    assert np.array_equal(straight > 12, said[last].frame.pixels > 12)


def test_the_dicom_pair_of_a_frame_passes_dciodvfy_and_lies_on_it(clip: tuple[Path, list[Outcome]]) -> None:
    folder, said = clip
    image, seg = folder / "frame-000007.dcm", folder / "frame-000007_seg.dcm"
    outcome = said[7]
    assert isinstance(outcome, Tumour)
    assert np.array_equal(np.squeeze(pydicom.dcmread(seg).pixel_array), outcome.mask)
    refers = pydicom.dcmread(seg).ReferencedSeriesSequence[0].ReferencedInstanceSequence[0]
    assert refers.ReferencedSOPInstanceUID == pydicom.dcmread(image).SOPInstanceUID
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not here: apt-get install dicom3tools")
    for file in (image, seg):
        done = subprocess.run([program, str(file)], capture_output=True, text=True, check=False, timeout=60)
        said_of = done.stdout + done.stderr
        assert not [line for line in said_of.splitlines() if line.startswith(("Error", "Abort"))], said_of


def test_the_page_opens_offline_and_tells_what_must_be_known(clip: tuple[Path, list[Outcome]]) -> None:
    text = (clip[0] / "summary.html").read_text()
    namespaces = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//cdn|<script|<link|@import|url\(", namespaces)
    for words in ("GL-017", "dura open", "FLIPPED left-right", "marked as wrong", "0 dropped", INTENDED_USE):
        assert words in text
    assert "Largest plane" in text
    named = re.search(r"(\d+) of (\d+) in the viewer, (\d+) in tables and files", text)
    assert named is not None
    shown, count, listed = map(int, named.groups())
    assert (shown, count) == (listed + 1, len(clip[1])), "the viewer counts from 1, tables and files from 0"
    assert text.count("<img") == len(list(clip[0].glob("*_contour.png"))) >= 2


@pytest.mark.parametrize(
    ("burnt_in", "words"), [(False, "Set to black before recording"), (True, "was kept in the rec")]
)
def test_the_page_says_when_which_case_why_not_and_whether_text_was_kept(
    burnt_in: bool, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "iUS-20260102-030405.mcap"
    with open_source(str(demo_clip_path())) as source:
        frames = [source.read(index) for index in (90, 91, 92)]
        recorder = Recorder(path, source.info, start=0.0)
    for frame in frames:
        pixels = frame.pixels.copy()
        pixels[4:20, 4:40] = 200 if burnt_in else 0
        shown = replace(frame, pixels=pixels)
        recorder.frame(shown)
        recorder.outcome(NotAnalysed(shown, Reason.DEMONSTRATION, DEMONSTRATION_ONLY))
    recorder.close()
    assert cli.main(["export", str(path), "--out", str(tmp_path)]) == cli.WELL
    text = (tmp_path / "summary.html").read_text()
    for said in ("2026-01-02 03:04:05", "no code given", "3 ×", DEMONSTRATION_ONLY, words):
        assert said in text
    assert "Not analysed.<" not in text


def test_the_plot_stands_by_itself(clip: tuple[Path, list[Outcome]]) -> None:
    root = ElementTree.fromstring((clip[0] / "area.svg").read_text())  # noqa: S314 (our own file)
    assert [element for element in root.iter() if element.tag.endswith("polyline")]


IDENTITY = {
    "PatientName": "Waldenberg^Dorothea",
    "PatientID": "HN-774411",
    "PatientBirthDate": "19610317",
    "InstitutionName": "Saint Elsewhere",
    "StudyInstanceUID": "1.2.34567.89",
    "StudyDate": "20190704",
    "AccessionNumber": "ACC4711",
    "ReferringPhysicianName": "Kowalczyk^Bartholomew",
    "OperatorsName": "Nightingale^Zilpah",
    "StationName": "THEATRE7",
    "DeviceSerialNumber": "SN998877",
    "StudyDescription": "Craniotomy left",
}


@pytest.mark.parametrize("known", [True, False])
def test_nothing_of_a_patient_is_in_a_record_or_export(
    known: bool, engine: Engine, write_dicom: Callable[..., Path], us_region: Callable, tmp_path: Path
) -> None:
    """Byte by byte, unpacked too: no value of the source's tags, nor its file's name, which is the patient's."""
    with open_source(str(demo_clip_path())) as source:
        pixels = np.stack([source.read(index).pixels for index in range(90, 94)])
    rows, cols = pixels.shape[1:]
    boxes = [us_region((0, 0, cols - 1, rows - 1), PhysicalDeltaX=0.017, PhysicalDeltaY=0.016)] if known else []
    path = write_dicom("Waldenberg_Dorothea.dcm", pixels, boxes, **IDENTITY)
    with open_source(str(path)) as source:
        record(source, range(4), tmp_path / "iUS-1.mcap", engine)
    out = tmp_path / "out"
    assert cli.main(["export", str(tmp_path / "iUS-1.mcap"), "--out", str(out), "--frame", "1"]) == cli.WELL
    telling = {part for value in IDENTITY.values() for part in value.split("^")} | {"Waldenberg_Dorothea"}
    for file in (tmp_path / "iUS-1.mcap", *out.iterdir()):
        data = file.read_bytes()
        data += gzip.decompress(data) if file.suffix == ".gz" else b""
        for word in telling:
            assert word.encode() not in data, f"{word} in {file.name}"
            assert word.encode("utf-16-le") not in data


def test_what_cannot_be_exported_is_one_sentence(
    clip: tuple[Path, list[Outcome]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wanted, said in (
        ([str(clip[0] / "clip.mcap"), "--frame", "99"], "The record has no frame 99"),
        ([str(demo_clip_path())], "is no record"),
    ):
        assert cli.main(["export", *wanted, "--out", str(tmp_path)]) == cli.BAD_INPUT
        assert said in capsys.readouterr().err


def test_a_corrected_contour_is_exported_as_the_users_beside_the_models(tmp_path: Path) -> None:
    outcomes, mask = [*five(), tumour(made(5))], np.zeros(SHAPE, np.uint8)
    assert isinstance(outcomes[5], Tumour)
    mask[5:15, 10:30] = 1
    recorder = Recorder(tmp_path / "corrected.mcap", INFO, start=outcomes[0].frame.captured_at)
    for outcome in outcomes:
        recorder.frame(outcome.frame)
        recorder.outcome(outcome)
    recorder.correction(outcomes[0], mask, Corrector.USER)
    recorder.correction(outcomes[1], mask, Corrector.CARRIED)
    recorder.correction(outcomes[5], mask, Corrector.USER)
    recorder.correction(outcomes[5], outcomes[5].mask, Corrector.USER)  # all of it taken back
    recorder.close()
    with RecordSource(tmp_path / "corrected.mcap") as source:
        files = export_record(source, tmp_path, chosen=(0, 5))
    said = [MODELS_OWN in pydicom.dcmread(tmp_path / f"frame-{one:06}_picture.dcm").ImageComments for one in (0, 5)]
    assert said == [True, False], "what is drawn is the model's, also where the screen showed the user's"
    assert tmp_path / "corrected.nii.gz" in files
    with (tmp_path / "readings.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["corrected_by"] for row in rows] == ["user", "carried, confirmed by user", "", "", "", ""]
    assert float(rows[0]["corrected_mm2"]) == pytest.approx(200 * SPACING.pixel_mm2)
    first = outcomes[0]
    assert isinstance(first, Tumour)
    assert first.area_mm2 is not None
    assert float(rows[0]["area_mm2"]) == pytest.approx(first.area_mm2, abs=0.05), "the model's number stays"
    written = np.asarray(nib.load(tmp_path / "corrected.nii.gz").dataobj)
    assert np.array_equal(written[:, :, 0].T, mask)
    assert np.array_equal(written[:, :, 1].T, mask)
    assert not written[:, :, 2:].any()


def test_the_largest_plane_says_that_a_person_corrected_it(tmp_path: Path) -> None:
    """Its area is the model's, which that person rejected."""
    recorder, outcome, mask = Recorder(tmp_path / "r.mcap", INFO, start=0.0), tumour(made(0, at=0.0)), np.zeros(SHAPE)
    mask[5:8, 5:25] = 1
    recorder.frame(outcome.frame)
    recorder.outcome(outcome)
    assert recorder.correction(outcome, mask.astype(np.uint8), Corrector.USER)
    recorder.close()
    with RecordSource(tmp_path / "r.mcap") as source:
        export_record(source, tmp_path)
    sweep, page = json.loads((tmp_path / "sweep.json").read_text()), (tmp_path / "summary.html").read_text()
    assert sweep["contours_corrected"] == 1
    assert sweep["largest_plane"]["corrected_by"] == "user"
    assert sweep["largest_plane"]["corrected_mm2"] == pytest.approx(60 * SPACING.pixel_mm2)
    assert "Contours corrected</th><td>1: " in page
    assert "to 3.6 mm² (user): the numbers above are the model" in page


def test_a_scale_given_later_measures_area_diameters_depth_and_size(engine: Engine, tmp_path: Path) -> None:
    origin = Origin("probe", View.NATIVE, live=True)
    pixels, bar = np.full((100, 120), 90, np.uint8), np.zeros((100, 120), np.uint8)
    bar[40:50, 20:100] = 1  # 10 × 80 pixels, its deepest edge 50 rows below the first lit one
    shown = Frame(0, pixels, PixelSpacing(0.2, 0.2, Provenance.DICOM_REGION), 0.0, origin)
    recorder = Recorder(
        tmp_path / "r.mcap", SourceInfo(origin, *pixels.shape, shown.spacing, "", (0.0, 255.0)), start=0.0
    )
    recorder.model("0" * 64, "CPU", engine.contract.to_json())
    regions = regions_of(bar, bar - np.float32(0.5), shown, engine.contract.reliability)
    recorder.frame(shown)
    recorder.outcome(Tumour(shown, replace(ANALYSIS, unlike=""), bar, regions))
    recorder.close()
    with RecordSource(tmp_path / "r.mcap", typed=PixelSpacing(0.5, 0.4, Provenance.TYPED)) as source:
        said = source.outcome(0)
        files = export_record(source, tmp_path, chosen=[0])
    assert isinstance(said, Tumour)
    assert said.area_mm2 == said.largest.area_mm2 == pytest.approx(800 * 0.5 * 0.4)
    assert said.largest.diameters is not None
    assert said.largest.diameters.longest_mm == pytest.approx(np.hypot(80 * 0.4, 10 * 0.5), abs=0.5)
    assert said.largest.depth_mm == pytest.approx((20.0, 25.0), abs=0.3)
    assert (regions[0].size, said.size) == (SizeState.AT_MOST_35, SizeState.AT_MOST_200)
    report = pydicom.dcmread(next(file for file in files if file.name.endswith("_report.dcm")))
    measured = [float(value) for value in re.findall(r"Numeric Value .*?'([0-9.]+)'", str(report))]
    assert measured[:2] == pytest.approx([160.0, said.largest.diameters.longest_mm], abs=0.01)
    assert "Small by the model's limit" in str(report), "which need not be 200 mm²"
    row = rows_of(tmp_path)[0]
    assert "at 0.2 × 0.2 mm a pixel, but measured at 0.5 × 0.4 mm a pixel" in row["unlike_training"]
    largest = json.loads((tmp_path / "sweep.json").read_text())["largest_plane"]
    assert largest["unlike_training"] == row["unlike_training"], "beside the area that it is said of"


def test_what_was_measured_by_a_scale_that_is_not_believed_any_more_has_no_millimetres(tmp_path: Path) -> None:
    invented = PixelSpacing(0.0001, 0.0001, Provenance.HEADER)  # an older version took it
    outcomes = [replace(one, frame=replace(one.frame, spacing=invented)) for one in five()[:2]]
    with RecordSource(record_of(tmp_path / "r.mcap", outcomes)) as source:
        export_record(source, tmp_path)
    row = rows_of(tmp_path)[0]
    assert [row[name] for name in ("area_mm2", "largest_mm2", "diameter_mm", "size_state")] == [""] * 4


def test_the_page_says_of_several_regions_which_one_was_measured(tmp_path: Path) -> None:
    with RecordSource(record_of(tmp_path / "r.mcap", five()[:1])) as source:
        export_record(source, tmp_path)
    page = (tmp_path / "summary.html").read_text()
    assert "Longest × perpendicular of the largest region, 36.0 mm²" in page
    assert ">Regions<" in page


def test_a_scale_given_later_is_not_denied_beside_itself(tmp_path: Path) -> None:
    path, given = record_of(tmp_path / "r.mcap", [five()[4]]), PixelSpacing(0.5, 0.4, Provenance.TYPED)
    with RecordSource(path, typed=given) as source:
        export_record(source, tmp_path)
    row = rows_of(tmp_path)[0]
    assert (row["spacing_row_mm"], row["outcome"], row["area_mm2"]) == ("0.5", "not_analysed", "")
    assert row["reason"] == UNANSWERED


def test_which_model_answered_each_frame_is_said_whichever_was_the_last(tmp_path: Path) -> None:
    first, last, *_ = five()
    assert isinstance(first, Tumour)
    demonstration = replace(ANALYSIS, model_sha256="d" * 64, demonstration=True)
    with RecordSource(record_of(tmp_path / "two.mcap", [replace(first, analysis=demonstration), last])) as source:
        export_record(source, tmp_path)
    said = [(row["model_sha256"], row["demonstration"]) for row in rows_of(tmp_path)]
    assert said == [("d" * 64, "true"), ("0" * 64, "false")]
    page = (tmp_path / "summary.html").read_text()
    assert f'<p class="demo">{DEMONSTRATION}</p>' in page
    assert "0" * 64 in page, "a model answered, though nothing describes it"
    assert ">none<" not in page
    assert json.loads((tmp_path / "sweep.json").read_text())["largest_plane"]["demonstration"] == "true"


def test_nothing_that_holds_no_more_stays_of_an_earlier_export(tmp_path: Path) -> None:
    recorder, outcome = Recorder(tmp_path / "r.mcap", INFO, start=0.0), tumour(made(0, at=0.0))
    recorder.frame(outcome.frame)
    recorder.outcome(outcome)
    assert recorder.correction(outcome, np.ones(SHAPE, np.uint8), Corrector.USER)
    recorder.close()
    with RecordSource(tmp_path / "r.mcap") as source:
        assert {tmp_path / "area.svg", tmp_path / "corrected.nii.gz"} < set(export_record(source, tmp_path))
    unscaled = replace(made(0), spacing=None, no_spacing_reason="no scale")
    with RecordSource(record_of(tmp_path / "again.mcap", [UnknownSpacing(unscaled, "no scale")])) as source:
        export_record(source, tmp_path)
    assert not (tmp_path / "area.svg").exists()
    assert not (tmp_path / "corrected.nii.gz").exists()


def test_frames_exported_earlier_are_written_anew_by_the_scale_of_now(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "frame-000001.txt").write_text("a person's own file")
    path = record_of(tmp_path / "r.mcap", [tumour(made(number, at=number / 10)) for number in range(3)])
    with RecordSource(path) as source:
        first = export_record(source, out, chosen=[0])
    typed = PixelSpacing(0.7, 0.7, Provenance.TYPED)
    with RecordSource(path, typed=typed) as source:
        second = export_record(source, out, chosen=[1])
    for number in (0, 1):
        image = pydicom.dcmread(out / f"frame-{number:06}.dcm")
        assert float(image.SequenceOfUltrasoundRegions[0].PhysicalDeltaX) == pytest.approx(0.07)
    assert {file.name for file in first} < {file.name for file in second}
    assert {file.name for file in out.iterdir()} == {file.name for file in second} | {"frame-000001.txt"}


def test_what_an_earlier_export_measured_goes_with_its_scale(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with RecordSource(record_of(tmp_path / "r.mcap", [tumour(made(0))])) as source:
        export_record(source, out, chosen=[0])
    assert (out / "frame-000000_report.dcm").exists()
    unscaled = replace(made(0), spacing=None, no_spacing_reason="no scale")
    with RecordSource(record_of(tmp_path / "again.mcap", [UnknownSpacing(unscaled, "no scale")])) as source:
        export_record(source, out)
    assert {file.name for file in out.glob("*.dcm")} == {"frame-000000.dcm", "frame-000000_picture.dcm"}


@pytest.mark.parametrize("passes", [0, 1, 2])
def test_an_export_that_is_stopped_leaves_no_file_beside_those_of_another_scale(passes: int, tmp_path: Path) -> None:
    """Whether in its readings, its frames or its masks."""
    out, empty = tmp_path / "out", tmp_path / "empty"
    out.mkdir()
    empty.mkdir()
    path = record_of(tmp_path / "r.mcap", [tumour(made(number, at=number / 10)) for number in range(3)])
    with RecordSource(path) as source:
        export_record(source, out, chosen=[0])
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    begun = list[range]()

    def stopped(numbers: range) -> Iterator[int]:
        begun.append(numbers)
        if len(begun) > passes:
            raise OutputError("stopped")
        yield from numbers

    for folder in (out, empty):
        begun.clear()
        typed = PixelSpacing(0.7, 0.7, Provenance.TYPED)
        with RecordSource(path, typed=typed) as source, pytest.raises(OutputError, match="stopped"):
            export_record(source, folder, chosen=[1], watch=stopped)
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", '{"files": ["../kept.txt", 3]}', '{"files": ["../kept.txt", ".."]}'])
def test_an_export_removes_nothing_that_it_cannot_have_written(content: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "kept.txt").write_text("kept")
    (out / "sweep.json").write_text(content)
    with RecordSource(record_of(tmp_path / "r.mcap", [tumour(made(0))])) as source:
        export_record(source, out)
    assert (tmp_path / "kept.txt").read_text() == "kept"
