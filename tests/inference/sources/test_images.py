"""Pictures and folders of them: the very grey values of the file, no scale, one size."""

import io
import struct
import zlib

import cv2
import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from inference.errors import ChoiceError, FormatError, NotFoundError
from inference.sources import open_here as open_source
from inference.sources import open_source as open_safely
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


def test_a_folder_of_volumes_names_the_one_to_open(tmp_path):
    for name in ("case10.nii.gz", "case2.nii.gz", "notes.txt"):
        (tmp_path / name).touch()
    with pytest.raises(FormatError, match=r"open one of its files by itself, as case2\.nii\.gz\.$"):
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


def jpeg(*segments):
    """GREY as JPEG, with further segments before its first."""
    data = cv2.imencode(".jpg", cv2.GaussianBlur(GREY, (9, 9), 3), [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    added = b"".join(b"\xff" + marker + (len(body) + 2).to_bytes(2, "big") + body for marker, body in segments)
    return data[:2] + added + data[2:]


def turned(kind, order="<"):
    """EXIF's small TIFF that says "upside down" by a SHORT (3) or LONG (4)."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(f"{order}I", 3) if kind == 4 else struct.pack(f"{order}HH", 3, 0)
    return head + struct.pack(f"{order}IHHHI", 8, 1, 274, kind, 1) + value + bytes(4)


@pytest.mark.parametrize(
    ("segments", "upside_down"),
    [
        ([(b"\xe1", b"Exif\0\0" + turned(3))], True),
        ([(b"\xe1", b"Exif\0\0" + turned(4, ">"))], True),
        ([(b"\xed", bytes(65_000)), (b"\xe1", b"http://ns"), (b"\xe1", b"Exif\0\0" + turned(3))], True),
        ([(b"\xfe", b"Exif\0\0" + turned(3))], False),
    ],
)
def test_the_orientation_is_read_where_it_stands_and_nowhere_else(tmp_path, segments, upside_down):
    """By other segments of any length, before or in a comment that quotes it."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "b.jpg").write_bytes(jpeg(*segments))
    plain, shown = (open_source(str(tmp_path / name)).read(0).pixels for name in ("a.jpg", "b.jpg"))
    np.testing.assert_array_equal(shown, plain[::-1, ::-1] if upside_down else plain)


@pytest.mark.parametrize("before", [True, False])
def test_a_png_is_turned_as_its_exif_says(tmp_path, before):
    """PNG, third edition, 11.3.3.3: the chunk may stand before the picture or behind it."""
    data = cv2.imencode(".png", GREY)[1].tobytes()
    body = b"eXIf" + turned(3)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    at = 33 if before else len(data) - 12
    (tmp_path / "a.png").write_bytes(data[:at] + chunk + data[at:])
    np.testing.assert_array_equal(open_source(str(tmp_path / "a.png")).read(0).pixels, GREY[::-1, ::-1])


def tiff(picture, white_is_0, *, big=False, endless=False):
    """An uncompressed TIFF or BigTIFF of one strip."""
    rows, cols = picture.shape
    form = 3 if picture.dtype.kind == "f" else 1
    tags = {256: cols, 257: rows, 258: picture.dtype.itemsize * 8, 259: 1, 262: 0 if white_is_0 else 1, 277: 1}
    tags |= {278: rows, 279: picture.nbytes, 339: form}
    offset, count, head = ("Q", "Q", b"II+\0\x08\0\0\0") if big else ("I", "H", b"II*\0")
    first = len(head) + struct.calcsize(offset)
    size = struct.calcsize(f"<{count}") + (len(tags) + 1) * struct.calcsize(f"<HH{offset}{offset}")
    tags[273] = first + size + struct.calcsize(offset)
    entries = (struct.pack(f"<HH{offset}{offset}", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    directory = struct.pack(f"<{count}", len(tags)) + b"".join(entries)
    following = struct.pack(f"<{offset}", first if endless else 0)
    return head + struct.pack(f"<{offset}", first) + directory + following + picture.tobytes()


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_white_where_a_tiff_counts_from_white(open_bytes, big, dtype):
    """PhotometricInterpretation 0 (TIFF 6.0, section 4), at any depth."""
    deep = GREY.astype(dtype) * (1 if dtype is np.uint8 else 200)
    whitest = np.iinfo(dtype).max
    for data in (tiff(deep, white_is_0=False, big=big), tiff(whitest - deep, white_is_0=True, big=big)):
        np.testing.assert_array_equal(open_bytes("a.tif", data).read(0).pixels, deep)


def test_a_tiff_that_does_not_say_its_white_or_never_ends_is_refused(open_bytes):
    with pytest.raises(FormatError, match="how white its white is"):
        open_bytes("a.tif", tiff(GREY.astype(np.float32), white_is_0=True))
    for big in (False, True):
        with pytest.raises(FormatError, match="no end"):
            open_bytes("b.tif", tiff(GREY, white_is_0=False, big=big, endless=True))


def test_what_other_computers_leave_in_a_folder_is_no_picture(tmp_path):
    write(tmp_path / "a.png", GREY)
    (tmp_path / "._a.png").write_bytes(b"\0\5\x16\7")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    assert len(open_source(str(tmp_path))) == 1


def test_a_jpeg_with_a_hole_is_refused_though_its_end_is_there(tmp_path):
    """The decoder fills what is missing with grey, and says so on the terminal alone."""
    data = jpeg()
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2] + data[-2:])
    with pytest.raises(FormatError, match=r"a\.jpg is damaged"):
        open_safely(str(tmp_path / "a.jpg"))
    (tmp_path / "b.jpg").write_bytes(data[:-2] + bytes(9) + data[-2:])  # bytes too many harm nothing
    with open_safely(str(tmp_path / "b.jpg")) as source:
        assert len(source) == 1


def saved(path, picture=GREY, **options):
    Image.fromarray(picture).save(path, **options)
    return str(path)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_a_page_of_a_tiff_that_cannot_be_unpacked_is_refused(tmp_path, compression):
    """OpenCV shows what was unpacked before, and says so in its log alone."""
    speckle = np.random.default_rng(1).integers(0, 256, (120, 160)).astype(np.uint8)
    whole = saved(tmp_path / "a.tif", speckle, compression=compression)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    middle = len(data) // 2
    if compression == "tiff_adobe_deflate":
        data[middle] ^= 4  # its checksum shows a single bit
    else:
        data[middle : middle + 300] = bytes(300)
    (tmp_path / "b.tif").write_bytes(data)
    with open_safely(whole) as source:
        assert source.read(0).pixels.any()
    with pytest.raises(FormatError, match="damaged"):
        open_safely(str(tmp_path / "b.tif"))


def test_a_picture_that_is_written_anew_at_another_size_gets_no_scale_of_the_old_one(tmp_path):
    for name in ("a.png", "b.png"):
        saved(tmp_path / name)
    with open_source(str(tmp_path), spacing=PixelSpacing(0.2, 0.2, Provenance.TYPED)) as source:
        assert source.read(1).spacing is not None
        Image.fromarray(np.kron(GREY, np.ones((2, 2), np.uint8))).save(tmp_path / "b.png")
        assert source.read(0).pixels.any()
        with pytest.raises(FormatError, match=r"Frame 1 of .* has another size than before"):
            source.read(1)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
@pytest.mark.parametrize(("dpi", "aspect"), [((72, 72), 1), ((100, 50), 0.5), ((2834, 2835), 1)])
def test_pixels_that_are_not_square_are_said(tmp_path, suffix, dpi, aspect):
    info = open_source(saved(tmp_path / f"a{suffix}", dpi=dpi)).info
    assert info.pixel_aspect == pytest.approx(aspect, rel=5e-3)
    assert info.notice == ("" if aspect == 1 else f"The pixels of a{suffix} are 0.5 times as wide as high.")


def test_pixels_of_a_turned_picture_are_as_shown(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    info = open_source(saved(tmp_path / "a.jpg", dpi=(100, 50), exif=exif)).info
    assert (info.rows, info.cols) == (60, 40)
    assert info.pixel_aspect == pytest.approx(2)


def test_a_ratio_of_unknown_sense_is_refused(tmp_path):
    """JFIF without a unit: FFmpeg and the standard read it the other way round than each other."""
    data = bytearray((tmp_path / "a.jpg").read_bytes() if saved(tmp_path / "a.jpg", dpi=(1, 1)) else b"")
    at = data.index(b"JFIF") + 7
    data[at : at + 5] = struct.pack(">BHH", 0, 4, 3)
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(FormatError, match="which way"):
        open_source(str(tmp_path / "a.jpg"))


def test_pages_and_files_of_another_shape_of_pixel_are_no_sequence(tmp_path):
    first, *others = (Image.fromarray(GREY) for _ in range(2))
    others[0].encoderinfo = {"dpi": (100, 50)}
    stream = io.BytesIO()
    first.save(stream, "TIFF", save_all=True, append_images=others, dpi=(100, 100))
    (tmp_path / "a.tif").write_bytes(stream.getvalue())
    with pytest.raises(FormatError, match="which way"):
        open_source(str(tmp_path / "a.tif"))
    (tmp_path / "folder").mkdir()
    for name, dpi in (("a", (100, 100)), ("b", (100, 50))):
        saved(tmp_path / "folder" / f"{name}.png", dpi=dpi)
    with pytest.raises(FormatError, match="another shape"):
        open_source(str(tmp_path / "folder"))
