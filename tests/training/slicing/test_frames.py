"""Native sweeps: scale from the DICOM region, silence outside the sector, frames as slices."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage

from inference.errors import FormatError
from training.cohort.cases import Case
from training.slicing.cutting import Cutting
from training.slicing.frames import read_pixels
from training.slicing.slices import NATIVE, read_slice
from training.slicing.store import cut_cases
from training.slicing.volumes import read_sweep

FRAMES, ROWS, COLS = 6, 40, 50


def sector() -> np.ndarray:
    y, x = np.indices((ROWS, COLS))
    return (y + 2) ** 2 + (x - 25) ** 2 < 34**2


def region(delta_x: float, delta_y: float) -> Dataset:
    one = Dataset()
    one.PhysicalUnitsXDirection = one.PhysicalUnitsYDirection = 3
    one.PhysicalDeltaX, one.PhysicalDeltaY = delta_x, delta_y
    return one


def write_sweep(folder: Path, regions: list[Dataset]) -> Case:
    """A speckled sector with noise of up to 6 outside it; tumour in frames 2 and 3."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 7, (FRAMES, ROWS, COLS))
    frames = np.where(sector(), rng.integers(0, 200, noise.shape), noise).astype(np.uint8)
    mask = np.zeros(frames.shape, np.uint8)
    mask[2, 10:20, 20:30] = mask[3, 10:15, 20:30] = 1
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset = FileDataset(str(folder / "sweep.dcm"), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = ROWS, COLS, FRAMES
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = frames.tobytes()
    dataset.SequenceOfUltrasoundRegions = regions
    dataset.save_as(folder / "sweep.dcm", enforce_file_format=True)
    sitk.WriteImage(sitk.GetImageFromArray(mask), str(folder / "truth.nii.gz"))
    return Case("Case1", "P1", sweep=folder / "sweep.dcm", sweep_label=folder / "truth.nii.gz")


def test_frames_become_slices_with_the_regions_scale(tmp_path: Path):
    case = write_sweep(tmp_path, [region(0.015, 0.02)])
    rows = cut_cases([case], tmp_path / "store", Cutting(every_frame=1, negatives=2))
    assert {row.axis for row in rows} == {NATIVE}
    assert [(row.index, row.area_mm2) for row in rows if row.area_mm2] == [
        (2, pytest.approx(100 * 0.2 * 0.15)),
        (3, pytest.approx(50 * 0.2 * 0.15)),
    ]
    assert all((row.row_mm, row.col_mm) == pytest.approx((0.2, 0.15)) for row in rows)
    assert {row.index for row in rows if not row.area_mm2} <= {0, 1, 4, 5}
    shown = pydicom.dcmread(case.sweep).pixel_array
    for row in rows:
        pixels = read_slice(row.image(tmp_path / "store"))
        np.testing.assert_array_equal(pixels, np.where(sector(), shown[row.index], 0))


def test_every_nth_frame_with_tumour(tmp_path: Path):
    case = write_sweep(tmp_path, [region(0.02, 0.02)])
    rows = cut_cases([case], tmp_path / "store", Cutting(every_frame=2))
    assert [row.index for row in rows] == [2]


@pytest.mark.parametrize("regions", [[], [region(0.02, 0.02), region(0.02, 0.02)]])
def test_refuses_a_sweep_without_one_scale(tmp_path: Path, regions):
    case = write_sweep(tmp_path, regions)
    with pytest.raises(FormatError, match=f"{len(regions)} calibrated"):
        read_sweep(case.sweep, case.sweep_label)


def test_refuses_a_mask_of_another_shape(tmp_path: Path):
    case = write_sweep(tmp_path, [region(0.02, 0.02)])
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 3, 4), np.uint8)), str(tmp_path / "other.nii.gz"))
    with pytest.raises(FormatError, match="one mask a frame"):
        read_sweep(case.sweep, tmp_path / "other.nii.gz")


def test_refuses_what_is_not_dicom(tmp_path: Path):
    (tmp_path / "text.dcm").write_text("no")
    with pytest.raises(FormatError, match="not a DICOM"):
        read_sweep(tmp_path / "text.dcm", tmp_path / "text.dcm")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".nrrd", ".png"])
def test_a_picture_that_is_cut_short_is_refused(tmp_path: Path, suffix: str):
    """ITK fills a NIfTI up with zeros, without a word."""
    whole = tmp_path / f"whole{suffix}"
    picture = np.random.default_rng(0).integers(1, 255, (90, 80)).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(picture), str(whole))
    np.testing.assert_array_equal(read_pixels(whole), picture)
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[:-1000])
    with pytest.raises(FormatError, match="cut"):
        read_pixels(cut)
