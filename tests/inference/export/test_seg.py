"""The mask as other programs read it: dcmqi, which 3D Slicer uses, highdicom and pydicom."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from highdicom.seg import segread

from inference.assets import demo_model_path
from inference.export.capture import Capture
from inference.export.dicom import write_dicom_pair
from inference.export.seg import COORDINATES
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.outcome import Tumour
from inference.sources.simulated import PhantomSource

DCMQI = Path(sys.executable).with_name("segimage2itkimage")
SPACING = (0.25, 0.4)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tumour, Path, Path]:
    """An outcome on pixels that are not square, its frame and its mask as files."""
    with PhantomSource(spacing_mm=SPACING) as source:
        outcome = Segmenter(Engine.load(demo_model_path()))(source.read(120))
    assert isinstance(outcome, Tumour)
    pair = write_dicom_pair(Capture(outcome, (0.0, 255.0)), tmp_path_factory.mktemp("seg") / "frame.dcm")
    assert pair.seg is not None
    return outcome, pair.image, pair.seg


def test_dcmqi_and_so_3d_slicer_reads_mask_and_scale(written: tuple[Tumour, Path, Path], tmp_path: Path) -> None:
    outcome, _, seg = written
    command = [str(DCMQI), "--inputDICOM", str(seg), "--outputDirectory", str(tmp_path), "--outputType", "nii"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    volume = nib.load(tmp_path / "1.nii.gz")
    np.testing.assert_array_equal(np.asarray(volume.dataobj)[:, :, 0].T > 0, outcome.mask > 0)
    col_mm, row_mm, _ = volume.header.get_zooms()
    assert (row_mm, col_mm) == pytest.approx(SPACING)
    told = json.loads((tmp_path / "meta.json").read_text())["segmentAttributes"][0][0]
    assert told["SegmentLabel"] == "Tumour"
    assert told["SegmentedPropertyTypeCodeSequence"]["CodeMeaning"] == "Neoplasm"


def test_highdicom_places_it_where_dcmqi_does(written: tuple[Tumour, Path, Path]) -> None:
    outcome, _, seg = written
    volume = segread(seg).get_volume(combine_segments=True)
    np.testing.assert_array_equal(volume.array[0], outcome.mask)
    assert volume.pixel_spacing == pytest.approx(SPACING)
    assert volume.position == (0.0, 0.0, 0.0)
    assert volume.direction_cosines == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def test_it_says_whose_coordinates_these_are(written: tuple[Tumour, Path, Path]) -> None:
    dataset = pydicom.dcmread(written[2])
    assert COORDINATES in dataset.SegmentSequence[0].SegmentDescription
    assert dataset.PositionReferenceIndicator == ""


def test_two_exports_never_share_coordinates(written: tuple[Tumour, Path, Path], tmp_path: Path) -> None:
    """The probe has moved between them, and nobody knows where to."""
    again = write_dicom_pair(Capture(written[0], (0.0, 255.0)), tmp_path / "again.dcm")
    assert again.seg is not None
    assert pydicom.dcmread(again.seg).FrameOfReferenceUID != pydicom.dcmread(written[2]).FrameOfReferenceUID
