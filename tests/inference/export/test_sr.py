"""The measurements as other programs read them: dcmqi, highdicom, dciodvfy."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
from highdicom.sr import srread

from inference.assets import demo_model_path
from inference.export.capture import Capture
from inference.export.dicom import DicomPair, write_dicom_pair
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.outcome import SizeState, Tumour
from inference.safety import INTENDED_USE
from inference.sources.simulated import PhantomSource

DCMQI = Path(sys.executable).with_name("tid1500reader")
NOTE = "Marked by the user: CONTOUR WRONG"


@pytest.fixture(scope="module")
def tumour() -> Tumour:
    with PhantomSource(spacing_mm=(0.25, 0.4)) as source:
        outcome = Segmenter(Engine.load(demo_model_path()))(source.read(120))
    assert isinstance(outcome, Tumour)
    return outcome


@pytest.fixture(scope="module")
def written(tumour: Tumour, tmp_path_factory: pytest.TempPathFactory) -> DicomPair:
    capture = Capture(tumour, (0.0, 255.0), notes=(NOTE,))
    return write_dicom_pair(capture, tmp_path_factory.mktemp("sr") / "frame.dcm")


def read_by_dcmqi(report: Path, folder: Path) -> dict[str, object]:
    """The one measurement group, as dcmqi tells it."""
    told = folder / "told.json"
    command = [str(DCMQI), "--inputDICOM", str(report), "--outputMetadata", str(told)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    (group,) = json.loads(told.read_text())["Measurements"]
    return group


def evaluations(group: dict[str, object]) -> dict[str, str]:
    found = group["qualitativeEvaluations"]
    return {one["conceptCode"]["CodeValue"]: one["conceptValue"]["CodeValue"] for one in found}  # type: ignore[attr-defined]


def test_dcmqi_reads_area_and_diameters_with_their_units(tumour: Tumour, written: DicomPair, tmp_path: Path) -> None:
    assert written.report is not None
    group = read_by_dcmqi(written.report, tmp_path)
    items = {one["quantity"]["CodeMeaning"]: one for one in group["measurementItems"]}  # type: ignore[attr-defined]
    across = tumour.largest.diameters
    assert tumour.area_mm2 is not None
    assert across is not None
    wanted = {
        "Area": (tumour.area_mm2, "mm2"),
        "Long axis": (across.longest_mm, "mm"),
        "Short axis": (across.perpendicular_mm, "mm"),
    }
    assert {name: one["units"]["CodeValue"] for name, one in items.items()} == {n: u for n, (_, u) in wanted.items()}
    assert {name: float(one["value"]) for name, one in items.items()} == pytest.approx(
        {name: value for name, (value, _) in wanted.items()}, abs=0.005
    )


def test_it_names_model_size_and_the_scale_s_origin(tumour: Tumour, written: DicomPair, tmp_path: Path) -> None:
    assert written.report is not None
    group = read_by_dcmqi(written.report, tmp_path)
    assert group["measurementAlgorithmIdentification"]["AlgorithmVersion"] == tumour.analysis.model_sha256  # type: ignore[index]
    found = evaluations(group)
    extent = "CUT" if tumour.touches_edge else "WHOLE"
    assert (found["SIZE_STATE"], found["EXTENT"], found["SCALE_ORIGIN"]) == ("ABOVE_200", extent, "EXACT")
    said = [item.value for item in pydicom.dcmread(written.report).iterall() if item.keyword == "TextValue"]
    assert {NOTE, INTENDED_USE} <= set(said)


@pytest.mark.parametrize("size", SizeState)
def test_every_size_state_has_its_code(tumour: Tumour, tmp_path: Path, size: SizeState) -> None:
    cut = replace(tumour.largest, size=size, touches_edge=True)
    pair = write_dicom_pair(Capture(replace(tumour, regions=(cut,)), (0.0, 255.0)), tmp_path / "frame.dcm")
    assert pair.report is not None
    found = evaluations(read_by_dcmqi(pair.report, tmp_path))
    assert (found["SIZE_STATE"], found["EXTENT"]) == (size.value.upper(), "CUT")


def test_of_several_regions_it_says_that_the_axes_are_the_largest_s(tumour: Tumour, tmp_path: Path) -> None:
    small = replace(tumour.largest, area_px=100, area_mm2=10.0, diameters=None)
    pair = write_dicom_pair(
        Capture(replace(tumour, regions=(tumour.largest, small)), (0.0, 255.0)), tmp_path / "two.dcm"
    )
    assert pair.report is not None
    said = f"Area of 2 regions; size and axes are those of the largest, which has {tumour.largest.area_mm2:.2f} mm2"
    texts = [item.value for item in pydicom.dcmread(pair.report).iterall() if item.keyword == "TextValue"]
    assert said in texts


def test_highdicom_finds_the_mask_that_was_measured(written: DicomPair) -> None:
    assert written.report is not None
    assert written.seg is not None
    (group,) = srread(written.report).content.get_planar_roi_measurement_groups()
    referenced = group.referenced_segmentation_frame[0].ReferencedSOPSequence[0]
    seg, image = pydicom.dcmread(written.seg), pydicom.dcmread(written.image)
    assert referenced.ReferencedSOPInstanceUID == seg.SOPInstanceUID
    assert pydicom.dcmread(written.report).StudyInstanceUID == seg.StudyInstanceUID == image.StudyInstanceUID


def test_it_passes_dciodvfy_and_names_neither_moment_nor_patient(written: DicomPair) -> None:
    assert written.report is not None
    done = subprocess.run(["dciodvfy", str(written.report)], capture_output=True, text=True, check=False, timeout=60)
    assert not [line for line in done.stderr.splitlines() if line.startswith(("Error", "Abort"))], done.stderr
    dataset = pydicom.dcmread(written.report)
    assert (str(dataset.PatientName), dataset.PatientID) == ("ANONYMOUS^", "ANONYMOUS")
    assert datetime.now(tz=UTC).astimezone().strftime("%Y%m%d").encode() not in written.report.read_bytes()


def test_without_a_scale_nothing_was_measured(tmp_path: Path) -> None:
    engine = Engine.load(demo_model_path())
    with PhantomSource(spacing_mm=None) as source:
        unknown = Segmenter(engine, without_scale=True)(source.read(120))
    pair = write_dicom_pair(Capture(unknown, (0.0, 255.0)), tmp_path / "frame.dcm")
    assert pair.seg is not None
    assert pair.report is None
    assert len(list(tmp_path.iterdir())) == 3
