"""Pictures and folders of them: the very grey values of the file, no scale, one size."""

import cv2
import nibabel as nib
import numpy as np
import pytest

from inference.errors import ChoiceError, FormatError, NotFoundError
from inference.sources import open_here as open_source
from inference.spacing import PixelSpacing, Provenance

GREY = np.random.default_rng(0).integers(0, 256, (40, 60)).astype(np.uint8)


def write(path, picture):
    assert cv2.imwrite(str(path), picture)
    return str(path)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".bmp", ".PNG"])
@pytest.mark.parametrize("colour", [False, True])
def test_grey_values_are_those_of_the_file(tmp_path, suffix, colour):
    picture = cv2.cvtColor(GREY, cv2.COLOR_GRAY2BGR) if colour else GREY
    source = open_source(write(tmp_path / f"a{suffix}", picture))
    np.testing.assert_array_equal(source.read(0).pixels, GREY)
    assert (len(source), source.info.rows, source.info.cols, source.info.levels) == (1, 40, 60, (0, 255))
    assert source.info.spacing is None
    assert "does not say" in source.read(0).no_spacing_reason


def test_jpeg(tmp_path):
    smooth = cv2.GaussianBlur(GREY, (9, 9), 3)
    pixels = open_source(write(tmp_path / "a.jpg", smooth)).read(0).pixels
    assert np.abs(pixels.astype(int) - smooth).max() < 8


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_stay(tmp_path, suffix):
    deep = GREY.astype(np.uint16) * 200
    source = open_source(write(tmp_path / f"a{suffix}", deep))
    assert source.read(0).pixels.dtype == np.uint16
    np.testing.assert_array_equal(source.read(0).pixels, deep)
    assert 40_000 < source.info.levels[1] <= 51_000


def test_a_tint_becomes_its_luma_and_transparency_is_ignored(tmp_path):
    blue, green, red = 10, 100, 200
    picture = np.zeros((8, 8, 4), np.uint8)
    picture[:] = (blue, green, red, 7)
    pixels = open_source(write(tmp_path / "a.png", picture)).read(0).pixels
    assert np.unique(pixels).tolist() == [round(0.299 * red + 0.587 * green + 0.114 * blue)]


def test_pages_of_a_tiff_are_frames(tmp_path):
    pages = [GREY, GREY // 2, GREY // 4]
    assert cv2.imwritemulti(str(tmp_path / "a.tif"), pages)
    source = open_source(str(tmp_path / "a.tif"))
    assert len(source) == 3
    for frame, page in zip(source.frames(), pages, strict=True):
        np.testing.assert_array_equal(frame.pixels, page)


def test_a_folder_is_read_in_natural_order_beside_other_files(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    for number in (10, 2, 1):
        write(tmp_path / f"f{number}.png", np.full((6, 9), number, np.uint8))
    source = open_source(str(tmp_path))
    assert [int(frame.pixels[0, 0]) for frame in source.frames()] == [1, 2, 10]
    assert [frame.index for frame in source.frames()] == [0, 1, 2]
    assert source.info.fps is None
    with pytest.raises(IndexError):
        source.read(3)
    with pytest.raises(IndexError):
        source.read(-1)


@pytest.mark.parametrize("other", [GREY[:, :50], GREY.astype(np.uint16)])
def test_a_folder_of_unequal_pictures_is_refused(tmp_path, other):
    write(tmp_path / "a.png", GREY)
    write(tmp_path / "b.png", other)
    with pytest.raises(FormatError, match="one size"):
        open_source(str(tmp_path))


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(FormatError, match="holds no picture"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
def test_what_is_no_picture_or_half_of_one_is_refused(tmp_path, suffix, capfd):
    path = tmp_path / f"a{suffix}"
    for data in (b"", b"hello", cv2.imencode(suffix, GREY)[1].tobytes()[:1200]):
        path.write_bytes(data)
        with pytest.raises(FormatError):
            open_source(str(path))
    assert capfd.readouterr().err == ""


def test_a_picture_that_vanishes_is_told(tmp_path):
    for name in "ab":
        write(tmp_path / f"{name}.png", GREY)
    source = open_source(str(tmp_path))
    (tmp_path / "b.png").unlink()
    with pytest.raises(NotFoundError, match=r"b\.png"):
        source.read(1)
    assert source.read(0).pixels.any()


def test_a_region_is_for_dicom(tmp_path):
    with pytest.raises(ChoiceError, match="no DICOM"):
        open_source(write(tmp_path / "a.png", GREY), region=0)


def test_frames_end_after_close(tmp_path):
    for name in "abc":
        write(tmp_path / f"{name}.png", GREY)
    with open_source(str(tmp_path)) as source:
        frames = source.frames()
        next(frames)
        source.close()
        assert list(frames) == []


def test_masks_say_whether_the_scale_is_known(tmp_path):
    path = write(tmp_path / "a.png", GREY)
    mask = np.zeros((40, 60), np.uint8)
    mask[3, 50] = 1
    open_source(path).save_masks([mask], str(tmp_path / "u.nii.gz"))
    unknown = nib.load(tmp_path / "u.nii.gz")
    assert (int(unknown.header["qform_code"]), int(unknown.header["sform_code"])) == (0, 0)
    assert b"scale unknown" in bytes(unknown.header["descrip"])
    assert unknown.header.get_zooms() == (1, 1, 1)
    assert np.argwhere(np.asarray(unknown.dataobj)).tolist() == [[50, 3, 0]]
    typed = PixelSpacing(0.4, 0.2, Provenance.TYPED)
    open_source(path, spacing=typed).save_masks([mask], str(tmp_path / "k.nii.gz"))
    assert nib.load(tmp_path / "k.nii.gz").header.get_zooms()[:2] == pytest.approx((0.2, 0.4))
    # The mask opened as a source has the scale of the picture it belongs to.
    again = open_source(str(tmp_path / "k.nii.gz"))
    assert (again.info.spacing.row_mm, again.info.spacing.col_mm) == pytest.approx((0.4, 0.2))
    assert open_source(str(tmp_path / "u.nii.gz")).info.spacing is None
    np.testing.assert_array_equal(again.read(0).pixels, mask)
