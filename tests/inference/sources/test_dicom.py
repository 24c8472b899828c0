"""DICOM: the scale of the region that is shown, or none; the picture and nothing around it; no patient."""

from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGBaseline8Bit, RLELossless

from inference.errors import ChoiceError, FormatError
from inference.frame import View
from inference.sources import open_here as open_source
from inference.sources.dicom_region import WHOLE
from inference.spacing import Provenance

REAL = [
    # name, region, frames, rows, cols, mm a pixel
    ("color3d_jpeg_baseline.dcm", None, 120, 480, 640, 0.5104970559),
    ("JPGLosslessP14SV1_1s_1f_8b.dcm", None, 1, 768, 1024, 0.2547669659),
    ("OBXXXX1A_2frame.dcm", None, 2, 600, 800, 0.2622878766),
    ("gdcm-US-ALOKA-16.dcm", 0, 1, 480, 640, 0.3826530650),
    ("gdcm-US-ALOKA-16.dcm", 1, 1, 480, 640, 0.3826530650),
]
REFUSED = [
    ("US1_UNCR.dcm", "neither ultrasound regions nor a pixel spacing"),
    ("examples_ybr_color.dcm", "resized"),
    ("examples_palette.dcm", "resized"),
]


@pytest.mark.parametrize(("name", "number", "frames", "rows", "cols", "mm"), REAL)
def test_scale_of_real_files(real_dicom, name, number, frames, rows, cols, mm):
    source = open_source(real_dicom(name), region=number)
    info = source.info
    assert (len(source), info.rows, info.cols) == (frames, rows, cols)
    assert (info.spacing.row_mm, info.spacing.col_mm) == pytest.approx((mm, mm))
    assert info.spacing.provenance is Provenance.DICOM_REGION
    assert source.read(len(source) - 1).pixels.shape == (rows, cols)
    assert info.origin.view is View.NATIVE
    assert not info.origin.simulated


@pytest.mark.parametrize(("name", "reason"), REFUSED)
def test_real_files_without_a_scale(real_dicom, name, reason):
    source = open_source(real_dicom(name))
    assert source.info.spacing is None
    assert reason in source.info.no_spacing_reason
    assert source.read(0).pixels.max() > 100


def test_two_real_panes_are_asked_about(real_dicom):
    path = real_dicom("gdcm-US-ALOKA-16.dcm")
    with pytest.raises(ChoiceError, match=r"2 pictures: choose one of them\.") as asked:
        open_source(path)  # in a process of its own: the choice comes through the wire
    assert asked.value.regions == (
        (0, "Region 1 (left): 2D, 0.383 mm per pixel"),
        (1, "Region 2 (right): 2D, 0.383 mm per pixel"),
    )
    assert open_source(path, region=1).info.regions == asked.value.regions
    with pytest.raises(ChoiceError, match="no such B-mode region: choose one of them"):
        open_source(path, region=2)  # the grey bar
    whole = open_source(path, region=WHOLE)
    assert whole.info.spacing is None
    left, right = (open_source(path, region=number).read(0).pixels for number in (0, 1))
    assert not left[:, 336:].any()
    assert not right[:, :336].any()


def test_rows_and_columns_have_their_own_scale(write_dicom, us_region, fan):
    info = open_source(str(write_dicom("a.dcm", fan[None], [us_region()]))).info
    assert (info.spacing.row_mm, info.spacing.col_mm) == pytest.approx((0.3, 0.2))


def test_deltas_may_run_upwards(write_dicom, us_region, fan):
    info = open_source(str(write_dicom("a.dcm", fan[None], [us_region(PhysicalDeltaY=-0.03)]))).info
    assert info.spacing.row_mm == pytest.approx(0.3)


@pytest.mark.parametrize(
    "changes",
    [
        {"PhysicalUnitsXDirection": 0, "PhysicalUnitsYDirection": 0},
        {"PhysicalUnitsYDirection": 4},
        {"PhysicalDeltaX": 0.0},
        {"PhysicalDeltaY": float("nan")},
        {"PhysicalDeltaX": None},
    ],
)
def test_a_region_without_centimetres_has_no_scale_but_still_crops(write_dicom, us_region, fan, changes):
    source = open_source(str(write_dicom("a.dcm", fan[None], [us_region((60, 0, 119, 89), **changes)])))
    assert source.info.spacing is None
    assert "no length" in source.info.no_spacing_reason
    assert not source.read(0).pixels[:, :60].any()


@pytest.mark.parametrize("box", [(10, 5, 121, 74), (10, 5, 99, 91), (-3, 5, 99, 74), (50, 5, 50, 74)])
def test_a_region_outside_the_picture_voids_the_scale(write_dicom, us_region, fan, box):
    unsigned = tuple(max(0, corner) for corner in box) if min(box) >= 0 else (200, *box[1:])
    path = write_dicom("a.dcm", fan[None], [us_region(unsigned)])
    assert "resized" in open_source(str(path)).info.no_spacing_reason


def test_one_stale_region_voids_the_other(write_dicom, us_region, fan):
    path = write_dicom("a.dcm", fan[None], [us_region(), us_region((10, 5, 500, 74))])
    assert "resized" in open_source(str(path), region=0).info.no_spacing_reason


def test_corners_are_inclusive_and_may_touch_the_far_edge(write_dicom, us_region):
    grey = np.full((1, 90, 120), 100, np.uint8)
    pixels = open_source(str(write_dicom("a.dcm", grey, [us_region((20, 10, 99, 79))]))).read(0).pixels
    rows, cols = np.nonzero(pixels)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (10, 79, 20, 99)
    full = open_source(str(write_dicom("b.dcm", grey, [us_region((0, 0, 120, 90))])))
    assert full.info.spacing is not None
    assert full.read(0).pixels.all()


def test_ecg_and_colour_regions_are_no_choice(write_dicom, us_region, fan):
    ecg = us_region((0, 80, 119, 89), RegionSpatialFormat=4, RegionDataType=10)
    flow = us_region((30, 30, 60, 60), RegionDataType=2)
    source = open_source(str(write_dicom("a.dcm", fan[None], [ecg, us_region(), flow])))
    assert source.info.spacing is not None
    assert not source.read(0).pixels[80:].any()
    none = open_source(str(write_dicom("b.dcm", fan[None], [ecg])))
    assert "None of the regions" in none.info.no_spacing_reason


def test_pixel_spacing_counts_where_there_are_no_regions_row_first(write_dicom, us_region, fan):
    info = open_source(str(write_dicom("a.dcm", fan[None], PixelSpacing=["0.4", "0.2"]))).info
    assert (info.spacing.row_mm, info.spacing.col_mm) == (0.4, 0.2)
    assert info.spacing.provenance is Provenance.PIXEL_SPACING
    stale = write_dicom("b.dcm", fan[None], [us_region((10, 5, 500, 74))], PixelSpacing=["0.4", "0.2"])
    assert open_source(str(stale)).info.spacing is None
    zero = open_source(str(write_dicom("c.dcm", fan[None], PixelSpacing=["0", "0.2"])))
    assert "pixel spacing of 0" in zero.info.no_spacing_reason


def test_frames_keep_the_picture_and_nothing_around_it(write_dicom, us_region, fan):
    dirty = np.stack([fan, np.roll(fan, 1, axis=0)])
    dirty[:, 2:9, 100:118] = 200  # the manufacturer's logo
    dirty[:, 20:80:10, 2:6] = 180  # the ruler
    source = open_source(str(write_dicom("a.dcm", dirty, [us_region((0, 0, 119, 89))])))
    for index in (0, 1):
        pixels = source.read(index).pixels
        assert not pixels[2:9, 100:118].any()
        assert not pixels[:, :6].any()
        np.testing.assert_array_equal(pixels[fan > 0], dirty[index][fan > 0])


def test_jpeg_frames_are_decoded_as_pydicom_does(real_dicom):
    path = real_dicom("color3d_jpeg_baseline.dcm")
    source = open_source(path)
    for index in (0, 71, 119):
        reference = cv2.cvtColor(pixel_array(path, index=index), cv2.COLOR_RGB2GRAY).astype(int)
        pixels = source.read(index).pixels
        assert np.abs(pixels - reference)[pixels > 0].max() <= 8
        assert np.abs(pixels - reference)[pixels > 0].mean() < 0.1


def test_jpeg_noise_outside_the_sector_becomes_exactly_zero(write_dicom, us_region, fan):
    big = cv2.resize(fan, (480, 360), interpolation=cv2.INTER_CUBIC)
    encoded = cv2.imencode(".jpg", big, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()
    path = write_dicom("a.dcm", np.stack([big, big]), [us_region((0, 0, 479, 359))])
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([encoded, encoded])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    pydicom.dcmwrite(path, dataset)
    decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_GRAYSCALE)
    pixels = open_source(str(path)).read(1).pixels
    far = cv2.dilate((big > 12).astype(np.uint8), np.ones((9, 9))) == 0
    hull = np.zeros(big.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero((big > 12).astype(np.uint8))), 1)
    outside = far & (cv2.dilate(hull, np.ones((9, 9))) == 0)
    assert not pixels[outside].any()
    np.testing.assert_array_equal(pixels[big > 40], decoded[big > 40])


def test_run_length_frames(write_dicom, us_region, fan):
    path = write_dicom("a.dcm", np.stack([fan, fan // 2]), [us_region((0, 0, 119, 89))])
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless)
    dataset.save_as(path)
    source = open_source(str(path))
    np.testing.assert_array_equal(source.read(1).pixels[fan > 0], (fan // 2)[fan > 0])


def test_monochrome1_is_turned_the_right_way(write_dicom, fan):
    source = open_source(str(write_dicom("a.dcm", 255 - fan[None], PhotometricInterpretation="MONOCHROME1")))
    np.testing.assert_array_equal(source.read(0).pixels[fan > 0], fan[fan > 0])


def test_clock(write_dicom, fan):
    clip = np.stack([fan] * 3)
    source = open_source(str(write_dicom("a.dcm", clip, FrameTime="40")))
    assert source.info.fps == 25
    assert [frame.time_s for frame in source.frames()] == pytest.approx([0, 0.04, 0.08])
    assert open_source(str(write_dicom("b.dcm", clip, CineRate="20"))).info.fps == 20
    assert open_source(str(write_dicom("c.dcm", clip))).info.fps is None
    assert open_source(str(write_dicom("d.dcm", fan[None], FrameTime="40"))).info.fps is None


def test_simulated_is_what_the_comment_says(write_dicom, fan):
    assert open_source(str(write_dicom("a.dcm", fan[None], ImageComments="SIMULATED sweep"))).info.origin.simulated


def test_a_folder_of_frames_goes_by_instance_number(write_dicom, us_region, fan, tmp_path):
    for number, name in ((3, "a.dcm"), (1, "b.dcm"), (2, "c")):
        write_dicom(name, (fan // number)[None], [us_region((0, 0, 119, 89))], InstanceNumber=number)
    source = open_source(str(tmp_path))
    assert len(source) == 3
    for index, frame in enumerate(source.frames()):
        np.testing.assert_array_equal(frame.pixels[fan > 0], (fan // (index + 1))[fan > 0])
    assert source.info.spacing is not None


def test_folders_that_are_no_clip_are_refused(write_dicom, us_region, fan, tmp_path):
    write_dicom("a.dcm", fan[None], [us_region()])
    write_dicom("b.dcm", fan[None], [us_region(PhysicalDeltaX=0.05)])
    with pytest.raises(FormatError, match="different scales"):
        open_source(str(tmp_path))
    write_dicom("b.dcm", fan[None, ::2], [us_region()])
    with pytest.raises(FormatError, match="different sizes"):
        open_source(str(tmp_path))
    write_dicom("b.dcm", fan[None], [us_region()], SeriesInstanceUID="1.2.4")
    with pytest.raises(ChoiceError, match="several DICOM series"):
        open_source(str(tmp_path))


def test_masks_are_full_frames_with_the_scale(write_dicom, us_region, fan, tmp_path):
    source = open_source(str(write_dicom("clip.dcm", np.stack([fan] * 3), [us_region()])))
    masks = [np.zeros((90, 120), np.uint8) for _ in range(3)]
    masks[2][7, 50] = 1
    source.save_masks(masks, str(tmp_path / "m.nii.gz"))
    image = nib.load(tmp_path / "m.nii.gz")
    assert image.shape == (120, 90, 3)
    assert image.header.get_zooms()[:2] == pytest.approx((0.2, 0.3))
    assert np.argwhere(np.asarray(image.dataobj)).tolist() == [[50, 7, 2]]


def test_no_patient_leaves_the_file(write_dicom, us_region, fan, tmp_path):
    source = open_source(str(write_dicom("clip.dcm", fan[None], [us_region()])))
    source.save_masks([fan // 255], str(tmp_path / "m.nii"))
    for text in (repr(source.info), repr(source.read(0).origin), (tmp_path / "m.nii").read_bytes().decode("latin-1")):
        assert "Doe" not in text
        assert "0815" not in text


def test_files_cut_short_are_refused(write_dicom, us_region, fan, tmp_path, real_dicom):
    whole = write_dicom("a.dcm", np.stack([fan] * 4), [us_region()]).read_bytes()
    real = Path(real_dicom("color3d_jpeg_baseline.dcm")).read_bytes()
    for data in (whole, real):
        for share in (0.001, 0.5, 0.9):
            (tmp_path / "half.dcm").write_bytes(data[: int(len(data) * share)])
            with pytest.raises(FormatError):
                open_source(str(tmp_path / "half.dcm"))


def test_one_broken_frame_leaves_the_others(real_dicom, tmp_path):
    dataset = pydicom.dcmread(real_dicom("color3d_jpeg_baseline.dcm"))
    encoded = list(generate_frames(dataset.PixelData, number_of_frames=120))[:4]
    encoded[2] = b"\xff\xd8" + b"\0" * 100
    dataset.PixelData = encapsulate(encoded)
    dataset.NumberOfFrames = 4
    dataset.save_as(tmp_path / "a.dcm")
    source = open_source(str(tmp_path / "a.dcm"))
    with pytest.raises(FormatError, match="Frame 2"):
        source.read(2)
    assert source.read(3).pixels.any()
