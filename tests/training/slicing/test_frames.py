"""Native sweeps: scale from the DICOM region, silence outside the sector, frames as slices."""

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, UltrasoundMultiFrameImageStorage

from inference.errors import FormatError, IusError
from training.cli import main
from training.cohort.cases import Case
from training.registration.volume import read_image
from training.slicing.cutting import Cutting
from training.slicing.frames import frame_spacing, is_frame, read_frame, read_mask_pixels, read_pixels
from training.slicing.leaks import LeakError
from training.slicing.slices import NATIVE, read_slice
from training.slicing.store import cut_cases
from training.slicing.volumes import read_sweep

FRAMES, ROWS, COLS = 6, 40, 50


def sector() -> np.ndarray:
    y, x = np.indices((ROWS, COLS))
    return (y + 2) ** 2 + (x - 25) ** 2 < 34**2


def region(delta_x: float, delta_y: float, cols: int = COLS) -> Dataset:
    one = Dataset()
    one.PhysicalUnitsXDirection = one.PhysicalUnitsYDirection = 3
    one.PhysicalDeltaX, one.PhysicalDeltaY = delta_x, delta_y
    one.RegionSpatialFormat = one.RegionDataType = 1
    one.RegionLocationMinX0, one.RegionLocationMinY0 = 0, 0
    one.RegionLocationMaxX1, one.RegionLocationMaxY1 = cols - 1, ROWS - 1
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


def test_sweeps_are_left_out_where_they_are_not_wanted(tmp_path: Path):
    case = write_sweep(tmp_path, [region(0.02, 0.02)])
    store = tmp_path / "store"
    assert cut_cases([case], store, Cutting())
    with pytest.raises(IusError, match="no ultrasound volume, and no sweep"):
        cut_cases([case], store, Cutting(sweeps=False))


@pytest.mark.parametrize(
    ("regions", "stated", "sentence"),
    [
        ([], None, "neither ultrasound regions nor a pixel spacing: export"),
        ([region(0.05, 0.05), region(0.05, 0.05)], None, "several pictures"),
        ([region(0.05, 0.05, cols=2 * COLS)], None, "was resized"),
        ([region(0.05, 0.05)], [0.25, 0.25], "contradicts itself"),
    ],
)
def test_refuses_a_sweep_without_one_scale(tmp_path: Path, regions, stated, sentence):
    """As the viewer does: millimetres must not be what it would not show."""
    case = write_sweep(tmp_path, regions)
    dataset = pydicom.dcmread(case.sweep)
    if stated:
        dataset.PixelSpacing = stated
        dataset.save_as(case.sweep)
    with pytest.raises(FormatError, match=sentence):
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


def write_frame(path: Path, pixels: np.ndarray, spacing: tuple[float, float] = (0.4, 0.5), **header: int) -> Path:
    """A single picture as NIfTI, (rows, cols), with its spacing along x and y."""
    image = nib.Nifti1Image(pixels.T, np.diag([*spacing, 1, 1]))
    image.header.set_xyzt_units("mm")
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, path)
    return path


SPECKLE = np.random.default_rng(0).integers(1, 250, (60, 80)).astype(np.uint8)
TUMOUR = np.zeros_like(SPECKLE)
TUMOUR[20:30, 20:40] = 1


def test_what_is_no_number_in_a_picture_is_background(tmp_path: Path):
    sector_of = np.where(np.arange(80) < 50, SPECKLE, np.nan).astype(np.float32)
    label = write_frame(tmp_path / "m.nii", TUMOUR)
    image = read_frame(write_frame(tmp_path / "us.nii", sector_of), label).image[0]
    np.testing.assert_array_equal(image, np.where(np.arange(80) < 50, SPECKLE, 0))


def test_single_pictures_are_counted_in_no_table_of_volumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    us, label = write_frame(tmp_path / "us.nii", SPECKLE), write_frame(tmp_path / "m.nii", TUMOUR)
    (tmp_path / "cases.csv").write_text(f"case,patient,us,us_label\nCase1,P1,{us.name},{label.name}\n")
    assert main(["slice", str(tmp_path / "cases.csv"), "--out", str(tmp_path / "store")]) == 0
    printed = capsys.readouterr()
    assert "1 slices, 0 of them tumour-free" in printed.err
    assert printed.out == ""


def test_a_pictures_scale_is_what_the_viewer_reads(tmp_path: Path):
    """Micrometres are no millimetres, and two lengths that disagree are none."""
    label = write_frame(tmp_path / "m.nii", TUMOUR)
    for name, spacing, header in (("mm", (0.4, 0.5), {}), ("um", (400, 500), {"xyzt_units": 3})):
        us = write_frame(tmp_path / f"{name}.nii", SPECKLE, spacing, **header)
        assert read_frame(us, label).spacing[1:] == pytest.approx((0.5, 0.4))
    us = write_frame(tmp_path / "two.nii", SPECKLE)
    data = bytearray(us.read_bytes())
    data[80:88] = struct.pack("<2f", 0.8, 1.0)  # pixdim alone
    us.write_bytes(data)
    with pytest.raises(FormatError, match="no scale that can be used"):
        read_frame(us, label)


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".png"])
def test_dots_per_inch_are_a_printers(tmp_path: Path, suffix: str):
    """ITK makes 0.35 mm of the 72 dpi that most programs write into a picture."""
    Image.fromarray(SPECKLE).save(tmp_path / f"a{suffix}", dpi=(72, 72))
    assert is_frame(tmp_path / f"a{suffix}")
    assert frame_spacing(tmp_path / f"a{suffix}") is None
    with pytest.raises(FormatError, match="states no millimetres"):
        read_image(tmp_path / f"a{suffix}")


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (SPECKLE, "a picture, not a mask"),
        (np.random.default_rng(1).random(SPECKLE.shape).astype(np.float32), "a picture, not a mask"),
        (1 - TUMOUR, "inverted"),
        (TUMOUR + 2 * np.roll(TUMOUR, 25, axis=1), "holds the labels 1, 2"),
    ],
)
def test_a_pictures_mask_is_looked_at(tmp_path: Path, mask: np.ndarray, sentence: str):
    us, label = write_frame(tmp_path / "u.nii", SPECKLE), write_frame(tmp_path / "m.nii", mask)
    with pytest.raises(FormatError, match=sentence):
        read_frame(us, label)


@pytest.mark.parametrize(("mask", "count"), [(TUMOUR * 255, 200), (TUMOUR * np.float32(0.5), 200), (0 * TUMOUR, 0)])
def test_any_one_value_is_tumour_and_a_picture_may_have_none(tmp_path: Path, mask: np.ndarray, count: int):
    us, label = write_frame(tmp_path / "u.nii", SPECKLE), write_frame(tmp_path / "m.nii", mask)
    assert read_frame(us, label).mask.sum() == count


@pytest.mark.parametrize("spacing", [(0.3, 0.3), (-0.4, 0.5)])
def test_a_mask_of_another_scale_or_mirrored_is_another_pictures(tmp_path: Path, spacing: tuple[float, float]):
    us, label = write_frame(tmp_path / "u.nii", SPECKLE), write_frame(tmp_path / "m.nii", TUMOUR, spacing)
    with pytest.raises(FormatError, match="not on the grid"):
        read_frame(us, label)


def test_a_sweeps_grey_values_are_those_of_the_viewer(tmp_path: Path):
    """The numbers of a palette are no grey values, and black is not white in MONOCHROME1."""
    case = write_sweep(tmp_path, [region(0.015, 0.02)])
    right = read_sweep(case.sweep, case.sweep_label)
    dataset = pydicom.dcmread(case.sweep)
    stored = dataset.pixel_array
    dataset.PixelData = (255 - stored).tobytes()
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.save_as(case.sweep)
    np.testing.assert_array_equal(read_sweep(case.sweep, case.sweep_label).image, right.image)
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    for colour in ("Red", "Green", "Blue"):
        dataset.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, 8])
        dataset.add_new(f"{colour}PaletteColorLookupTableData", "OW", bytes(range(255, -1, -1)))
    dataset.save_as(case.sweep)
    np.testing.assert_array_equal(read_sweep(case.sweep, case.sweep_label).image, right.image)


def test_a_sweep_of_no_probes_depth_is_refused(tmp_path: Path):
    case = write_sweep(tmp_path, [region(1.5, 2.0)])
    with pytest.raises(FormatError, match="no ultrasound picture has"):
        read_sweep(case.sweep, case.sweep_label)


SMOOTH = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (240, 320)).astype(np.uint8), (9, 9), 3)


def holed(data: bytes) -> bytes:
    """A JPEG without some of its blocks."""
    middle = len(data) // 2
    return data[:middle] + bytes(400) + data[middle + 400 :]


def test_a_picture_with_a_hole_is_no_case(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """The decoder fills the hole with grey, and says so on the terminal alone."""
    whole = cv2.imencode(".jpg", SMOOTH)[1].tobytes()
    for name, data in (("whole", whole), ("hole", holed(whole))):
        (tmp_path / f"{name}.jpg").write_bytes(data)
    assert np.abs(read_pixels(tmp_path / "whole.jpg") - SMOOTH).max() < 12
    with pytest.raises(FormatError, match="damaged"):
        read_pixels(tmp_path / "hole.jpg")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("components", [1, 3])
def test_a_sweep_with_a_hole_is_no_case(tmp_path: Path, components: int):
    """Colours that are stored as such go through another decoder than grey values."""
    case = write_sweep(tmp_path, [region(0.015, 0.02)])
    stream, picture = io.BytesIO(), SMOOTH if components == 1 else np.dstack([SMOOTH] * 3)
    Image.fromarray(picture).save(stream, "JPEG", keep_rgb=True)
    mask = np.zeros((1, *SMOOTH.shape), np.uint8)
    mask[0, 40:60, 100:120] = 1
    sitk.WriteImage(sitk.GetImageFromArray(mask), str(case.sweep_label))
    dataset = pydicom.dcmread(case.sweep)
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = *SMOOTH.shape, 1
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = components, ("MONOCHROME2", "", "RGB")[components - 1]
    dataset.PlanarConfiguration = 0
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    for frame, fine in ((stream.getvalue(), True), (holed(stream.getvalue()), False)):
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].is_undefined_length = True
        dataset.save_as(case.sweep)
        if fine:
            assert read_sweep(case.sweep, case.sweep_label).image.any()
            continue
        with pytest.raises(FormatError, match="cannot be decoded"):
            read_sweep(case.sweep, case.sweep_label)


def test_a_coloured_picture_has_the_viewers_grey_values(tmp_path: Path):
    cv2.imwrite(str(tmp_path / "red.png"), np.full((20, 30, 3), (0, 0, 200), np.uint8))
    assert np.unique(read_pixels(tmp_path / "red.png")) == [60]


def test_what_has_no_one_way_to_lie_under_its_mask_is_refused(tmp_path: Path):
    turned, pages = Image.Exif(), [Image.fromarray(SPECKLE)] * 2
    turned[274] = 3
    pages[0].save(tmp_path / "turned.jpg", exif=turned)
    turned[274] = 0  # no orientation, as some programs write
    pages[0].save(tmp_path / "upright.jpg", exif=turned, quality=98)
    assert np.abs(read_pixels(tmp_path / "upright.jpg") - SPECKLE).max() < 20
    pages[0].save(tmp_path / "wide.png", dpi=(72, 144))
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    for name, sentence in (("turned.jpg", "upright"), ("wide.png", "2 times as wide"), ("pages.tif", "2 pictures")):
        with pytest.raises(FormatError, match=sentence):
            read_pixels(tmp_path / name)


@pytest.mark.parametrize("channel", [0, 3])
def test_a_mask_in_colour_or_transparency_is_refused_since_its_grey_may_be_none(tmp_path: Path, channel: int):
    mask = np.zeros((60, 80, 4), np.uint8)
    cv2.imwrite(str(tmp_path / "grey.png"), np.dstack([TUMOUR * 255] * 3))
    assert read_mask_pixels(tmp_path / "grey.png").sum() == 255 * 200
    mask[20:30, 20:40, channel] = 1
    cv2.imwrite(str(tmp_path / "a.png"), mask)
    with pytest.raises(FormatError, match="coloured or transparent"):
        read_mask_pixels(tmp_path / "a.png")


@pytest.mark.parametrize("read", [read_image, is_frame])
def test_a_dicom_clip_is_no_volume_of_one_millimetre(tmp_path: Path, read: Callable[[Path], object]):
    """ITK invents 1 mm from pixel to pixel and from frame to frame."""
    case = write_sweep(tmp_path, [region(0.02, 0.02)])
    with pytest.raises(FormatError, match="name a clip as the case's sweep"):
        read(case.sweep)


def test_a_sweep_that_was_made_anonymous_twice_is_one_patients(tmp_path: Path):
    """Each time it gets other names, numbers and bytes; its pictures stay."""
    first, again, other = (_anonymous(tmp_path / name) for name in ("A", "B", "C"))
    dataset = pydicom.dcmread(other.sweep)
    dataset.PixelData = dataset.pixel_array[:, :, ::-1].tobytes()
    dataset.save_as(other.sweep)
    store = tmp_path / "store"
    cut_cases([first, other], store, Cutting())
    with pytest.raises(LeakError, match="A of patient A and B of patient B are the same picture"):
        cut_cases([first, again], tmp_path / "both", Cutting())
    (store / "cases" / "A-frames.sha256").unlink()  # as an earlier version cut it
    cut_cases([first, other], store, Cutting())
    with pytest.raises(LeakError, match="B in training and A in the test set are the same picture"):
        cut_cases([again], tmp_path / "test", Cutting(), [store])


def _anonymous(folder: Path) -> Case:
    """One and the same sweep, under names of its folder's."""
    folder.mkdir()
    case = write_sweep(folder, [region(0.02, 0.02)])
    dataset = pydicom.dcmread(case.sweep)
    dataset.PatientID, dataset.SOPInstanceUID = folder.name, f"1.2.{ord(folder.name)}"
    dataset.save_as(case.sweep)
    return replace(case, case=folder.name, patient=f"patient {folder.name}")
