"""DICOM as scanners, archives and converters write it: right, or one sentence that says what it is."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from inference.errors import ChoiceError, FormatError
from inference.frame import View
from inference.sources import dicom, open_here, open_source
from inference.sources.base import RecordedSource

WriteDicom = Callable[..., Path]


def means(source: RecordedSource) -> list[float]:
    return [float(frame.pixels.mean()) for frame in source.frames()]


@pytest.mark.parametrize("name", ["pal_16le_low", "pal_8desc16low", "pal_idx16lut8"])
def test_palettes_are_looked_up_as_they_are_meant(shared_data: Path, name: str) -> None:
    with open_source(str(shared_data / f"field/dicom_palette/{name}.dcm")) as source:
        assert means(source)[0] == pytest.approx(27.42, abs=0.02)


@pytest.mark.parametrize("name", ["jpg_noapp_422_RGB", "jpg_ycc_noapp0_RGB"])
def test_jpeg_that_is_no_rgb_is_not_taken_for_it(shared_data: Path, name: str) -> None:
    with open_source(str(shared_data / f"field/dicom_jpeg_labelled_rgb/{name}.dcm")) as source:
        assert means(source)[0] == pytest.approx(27.4, abs=0.1)
        assert source.read(0).pixels[0, 0] == 0
        assert source.read(0).colour is None


def test_an_empty_frame_costs_one_frame(shared_data: Path) -> None:
    with open_source(str(shared_data / "field/dicom_opencv_crash/enc_empty_frame_mid.dcm")) as source:
        good = [source.read(index).pixels.mean() for index in (0, 1, 3, 4, 5)]
        assert np.allclose(good, [18.79, 27.68, 45.43, 54.42, 63.3], atol=0.01)
        with pytest.raises(FormatError, match=r"Frame 2 .* is empty"):
            source.read(2)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("SC_rgb_32bit", ""), ("rgb_int16", "may be negative"), ("enc_bot_zero", "")],
)
def test_odd_values_are_a_picture_or_one_sentence(shared_data: Path, name: str, sentence: str) -> None:
    path = str(shared_data / f"field/dicom_opencv_crash/{name}.dcm")
    if sentence:
        with pytest.raises(FormatError, match=sentence):
            open_source(path)
        return
    with open_source(path) as source:
        assert means(source)[0] > 0


def test_colours_of_32_bits_are_as_bright_as_they_were(shared_data: Path) -> None:
    dataset = pydicom.dcmread(shared_data / "field/dicom_opencv_crash/SC_rgb_32bit.dcm")
    colour = np.frombuffer(dataset.PixelData, "<u4").reshape(100, 100, 3) / 2**32
    with open_source(str(shared_data / "field/dicom_opencv_crash/SC_rgb_32bit.dcm")) as source:
        np.testing.assert_allclose(source.read(0).pixels / 2**16, colour @ (0.299, 0.587, 0.114), atol=1e-3)


@pytest.mark.parametrize("name", ["enc_bot_first_only", "enc_bot_off8"])
def test_an_offset_table_is_not_believed_over_the_items(shared_data: Path, name: str) -> None:
    with open_source(str(shared_data / f"field/dicom_wrong_offset_table/{name}.dcm")) as source:
        assert np.allclose(means(source), [18.79, 27.68, 36.6, 45.43, 54.42, 63.3], atol=0.01)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("h264", "H.264"), ("hevc", "HEVC"), ("mpeg2", "MPEG2"), ("jxl", "JPEG XL"), ("unknown", r"1\.2\.3\.4\.5")],
)
def test_a_compression_that_is_not_read_is_named(shared_data: Path, name: str, kind: str) -> None:
    with pytest.raises(FormatError, match=f"is whole but compressed as .*{kind}"):
        open_source(str(shared_data / f"field/dicom_unknown_syntax/ts_{name}.dcm"))


def test_the_clips_of_a_disc_follow_one_another_without_times(shared_data: Path) -> None:
    for name in ("usb", "usb/DICOMDIR"):
        with open_source(str(shared_data / "field/dicom_export_folder" / name)) as source:
            assert len(source) == 12
            assert source.info.spacing is not None
            assert source.info.spacing.row_mm == pytest.approx(0.25)
            assert "holds 3 clips, which are shown one after another" in source.info.notice
            assert source.read(5).time_s is None  # of its second clip, taken nobody knows when


def test_of_a_disc_with_too_many_files_none_is_left_out_in_silence(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicom, "MOST", 2)
    with pytest.raises(ChoiceError, match="usb holds 3 DICOM files"):
        open_here(str(shared_data / "field/dicom_export_folder/usb"))


def test_a_report_among_pictures_is_left_out_and_said(shared_data: Path) -> None:
    with open_source(str(shared_data / "field/dicom_export_folder/mixed")) as source:
        assert len(source) == 4
        assert source.info.notice == "1 file that holds no picture is left out of mixed."


def test_scales_that_differ_by_rounding_are_one(shared_data: Path) -> None:
    with open_source(str(shared_data / "field/dicom_export_folder/f_roundoff")) as source:
        assert len(source) == 4
        assert source.info.spacing is not None
        assert source.info.spacing.row_mm == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("name", "rate", "scale", "odd"),
    [
        ("frametime_comma", False, True, "FrameTime"),
        ("spacing_comma", True, False, "PixelSpacing"),
        ("spacing_one", True, False, ""),
    ],
)
def test_one_bad_number_costs_what_it_says_and_no_more(
    shared_data: Path, name: str, rate: bool, scale: bool, odd: str
) -> None:
    with open_source(str(shared_data / f"field/dicom_one_bad_attribute/{name}.dcm")) as source:
        assert len(source) == 6
        assert (source.info.fps is not None) == rate
        assert (source.info.spacing is not None) == scale
        assert odd in source.info.notice


@pytest.mark.parametrize("name", ["fg_eusv", "fg_per", "fg_sc"])
def test_functional_groups_state_the_scale(shared_data: Path, name: str) -> None:
    with open_source(str(shared_data / f"field/dicom_functional_groups/{name}.dcm")) as source:
        assert source.info.spacing is not None
        assert source.info.spacing.row_mm == source.info.spacing.col_mm == pytest.approx(0.2)


def test_functional_groups_that_disagree_state_none(fan: NDArray[np.uint8], write_dicom: WriteDicom) -> None:
    groups = []
    for spacing in (0.3, 0.4):
        measures, group = Dataset(), Dataset()
        measures.PixelSpacing = [spacing, spacing]
        group.PixelMeasuresSequence = [measures]
        groups.append(group)
    path = write_dicom("a.dcm", np.stack([fan, fan]), PerFrameFunctionalGroupsSequence=groups)
    with open_source(str(path)) as source:
        assert source.info.spacing is None


def test_times_come_from_the_frame_time_vector(shared_data: Path) -> None:
    with open_source(str(shared_data / "field/dicom_frame_time_vector/ftv.dcm")) as source:
        times = [frame.time_s for frame in source.frames()]
    assert times == pytest.approx([0, 0.125, 0.249, 0.499, 0.539, 0.580])


def speckle(seed: int = 0) -> NDArray[np.uint8]:
    """(120, 160) grey speckle on black, smooth enough for JPEG."""
    noise = np.random.default_rng(seed).integers(0, 255, (120, 160)).astype(np.uint8)
    smooth = cv2.GaussianBlur(noise, (9, 9), 2).astype(np.uint8)
    smooth[:30] = 0
    return smooth


def compressed(path: Path, frames: list[bytes], syntax: str) -> Path:
    """The file with these compressed frames in place of its own."""
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    return path


COLOUR = {"SamplesPerPixel": 3, "PlanarConfiguration": 0}


@pytest.mark.parametrize("sampling", ["444", "422", "420"])
@pytest.mark.parametrize("markers", ["none", "jfif"])
def test_any_jpeg_labelled_rgb_gives_the_picture(write_dicom: WriteDicom, sampling: str, markers: str) -> None:
    """Sub-sampled or not, with JFIF's marker or without: grey stays grey and black stays black."""
    picture = speckle()
    factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{sampling}")
    settings = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
    jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), settings)[1].tobytes()
    assert jpeg[2:4] == b"\xff\xe0"
    if markers == "none":
        jpeg = jpeg[:2] + jpeg[4 + int.from_bytes(jpeg[4:6], "big") :]
    path = write_dicom(
        "a.dcm", picture[None], PhotometricInterpretation="RGB", SamplesPerPixel=3, PlanarConfiguration=0
    )
    compressed(path, [jpeg], JPEGBaseline8Bit)
    with open_source(str(path)) as source:
        shown = source.read(0).pixels
    inside = picture > 0
    assert np.abs(shown.astype(int) - picture)[inside].mean() < 4
    assert shown[:20].max() <= 4


@pytest.mark.parametrize("layout", ["bytes", "low", "high", "big"])
@pytest.mark.parametrize("depth", [8, 16])
def test_any_palette_gives_its_colours(write_dicom: WriteDicom, layout: str, depth: int) -> None:
    """Tables of bytes and of words that hold a colour in either byte, by indices of 8 and 16 bits."""
    index = np.random.default_rng(1).integers(0, 256, (1, 40, 50)).astype(np.uint8 if depth == 8 else np.uint16)
    table = np.arange(256)[::-1].astype(np.uint8)
    words = {
        "bytes": table.tobytes(),
        "low": table.astype("<u2").tobytes(),
        "high": (table.astype(np.uint16) * 257).astype("<u2").tobytes(),
        "big": table.astype(">u2").tobytes(),
    }
    elements: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR", "BitsAllocated": depth}
    elements |= {"BitsStored": depth, "HighBit": depth - 1}
    for colour in ("Red", "Green", "Blue"):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 8 if layout == "bytes" else 16]
        elements[f"{colour}PaletteColorLookupTableData"] = words[layout]
    path = write_dicom("a.dcm", index.astype(np.uint8), **elements)
    dataset = pydicom.dcmread(path)
    dataset.PixelData = index.tobytes()
    dataset["PixelData"].VR = "OB" if depth == 8 else "OW"
    dataset.save_as(path)
    with open_source(str(path)) as source:
        assert np.array_equal(source.read(0).pixels, table[index[0]])


@pytest.mark.parametrize("turn", [3, 6])
@pytest.mark.parametrize("colour", [False, True])
def test_a_cameras_orientation_turns_no_frame(write_dicom: WriteDicom, turn: int, colour: bool) -> None:
    """DICOM knows no EXIF: its pixels stand as they are stored, by whatever program a frame was compressed."""
    picture, exif, jpeg = speckle(), Image.Exif(), io.BytesIO()
    exif[0x0112] = turn
    Image.fromarray(picture).convert("RGB" if colour else "L").save(jpeg, "JPEG", quality=98, exif=exif)
    elements = {"PhotometricInterpretation": "YBR_FULL_422", **COLOUR} if colour else {}
    path = write_dicom("a.dcm", picture[None], **elements)
    with open_here(str(compressed(path, [jpeg.getvalue()], JPEGBaseline8Bit))) as source:
        assert np.abs(source.read(0).pixels.astype(int) - picture).max() < 20


def test_a_frame_with_a_hole_fails_alone(write_dicom: WriteDicom) -> None:
    """The decoder fills what is missing in a JPEG with grey, and says so on the terminal alone."""
    frames = [cv2.imencode(".jpg", speckle(seed))[1].tobytes() for seed in range(3)]
    frames[1] = frames[1][: len(frames[1]) // 2] + frames[1][-2:]
    path = compressed(write_dicom("a.dcm", np.stack([speckle()] * 3)), frames, JPEGBaseline8Bit)
    with open_source(str(path)) as source:
        assert (source.read(0).pixels.any(), source.read(2).pixels.any()) == (True, True)
        with pytest.raises(FormatError, match=r"Frame 1 of a\.dcm cannot be decoded"):
            source.read(1)


@pytest.mark.parametrize("label", ["RGB", "YBR_RCT", "YBR_FULL", "YBR_FULL_422"])
def test_the_codecs_own_colours_are_undone_once_whatever_the_label(write_dicom: WriteDicom, label: str) -> None:
    """JPEG 2000 says itself whether it transformed the colours; a tint, so that a second conversion would show."""
    picture = np.dstack([speckle(), speckle() // 2, speckle() // 3])
    coded = io.BytesIO()
    Image.fromarray(picture).save(coded, "JPEG2000", mct=1, irreversible=False, no_jp2=True)
    path = write_dicom("a.dcm", speckle()[None], PhotometricInterpretation=label, **COLOUR)
    with open_here(str(compressed(path, [coded.getvalue()], JPEG2000Lossless))) as source:
        shown = source.read(0).pixels
    assert np.array_equal(shown[30:], cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[30:])


@pytest.mark.parametrize("stored", [8, 12])
@pytest.mark.parametrize("syntax", ["", RLELossless])
def test_values_end_at_the_high_bit(write_dicom: WriteDicom, stored: int, syntax: str) -> None:
    """HighBit 15 puts a value of 8 or 12 bits into the upper bits of a word; what lies below belongs to overlays."""
    values = (speckle().astype(np.uint16) << (stored - 8)) | (0 if stored == 8 else 5)
    words = (values << (16 - stored)) | 1
    path = write_dicom("a.dcm", speckle()[None], BitsAllocated=16, BitsStored=stored, HighBit=15)
    dataset = pydicom.dcmread(path)
    dataset.PixelData, dataset["PixelData"].VR = words.astype("<u2").tobytes(), "OW"
    if syntax:
        dataset.BitsStored = 16
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.BitsStored = stored
    dataset.save_as(path)
    with open_here(str(path)) as source:
        assert np.array_equal(source.read(0).pixels[30:], values[30:])


def test_an_aspect_ratio_that_denies_the_scale_leaves_none(
    fan: NDArray[np.uint8], write_dicom: WriteDicom, us_region: Callable[..., Dataset]
) -> None:
    """Height before width (C.7.6.3.1.7): 4\\3 are pixels 0.75 times as wide as high. One of 1:1 says nothing."""
    square, flat = us_region((0, 0, 50, 80), PhysicalDeltaX=0.03), us_region((0, 0, 50, 80))
    spacing = ["0.4", "0.3"]
    for regions, elements, said in (
        (
            [square],
            {"PixelAspectRatio": ["1", "2"]},
            "its region says 0.3 × 0.3 mm and its aspect ratio pixels 2 times",
        ),
        ([flat], {"PixelAspectRatio": ["3", "2"]}, ""),
        (
            [flat],
            {"PixelAspectRatio": ["2", "3"]},
            "its region says 0.3 × 0.2 mm and its aspect ratio pixels 1.5 times",
        ),
        ([flat], {"PixelAspectRatio": ["1", "1"]}, ""),
        ([], {"PixelSpacing": spacing, "PixelAspectRatio": ["4", "3"]}, ""),
        (
            [],
            {"PixelSpacing": spacing, "PixelAspectRatio": ["3", "4"]},
            "its pixel spacing says 0.4 × 0.3 mm and its asp",
        ),
    ):
        with open_here(str(write_dicom("a.dcm", fan[None], regions, **elements))) as source:
            assert (source.info.spacing is None) is bool(said)
            assert said in source.info.no_spacing_reason


def test_a_region_and_a_pixel_spacing_that_differ_leave_no_scale(
    fan: NDArray[np.uint8], write_dicom: WriteDicom, us_region: Callable[..., Dataset]
) -> None:
    """0.03 × 0.02 cm in the region; of two regions a pixel spacing may be the other one's."""
    left, right = us_region((0, 0, 50, 80)), us_region((60, 0, 110, 80), PhysicalDeltaX=0.04, PhysicalDeltaY=0.04)
    path = write_dicom("a.dcm", fan[None], [left], PixelSpacing=["0.5", "0.5"])
    with open_here(str(path)) as source:
        assert source.info.spacing is None
        assert "its region says 0.3 × 0.2 mm and its pixel spacing 0.5 × 0.5 mm" in source.info.no_spacing_reason
    for stated in (["0.301", "0.2"], ["1", "1"]):
        with open_here(str(write_dicom("b.dcm", fan[None], [left], PixelSpacing=stated))) as source:
            assert (source.info.spacing.row_mm, source.info.spacing.col_mm) == pytest.approx((0.3, 0.2))
    two = write_dicom("c.dcm", fan[None], [left, right], PixelSpacing=["0.4", "0.4"])
    with open_here(str(two), region=0) as source:
        assert source.info.spacing.row_mm == pytest.approx(0.3)
    with pytest.raises(ChoiceError):
        open_here(str(two))


@pytest.mark.parametrize(
    ("vector", "pointer", "times"),
    [
        (["0", "10", "20"], 0x00181065, [0, 0.01, 0.03]),
        (["10", "10", "20"], None, [0, 0.01, 0.03]),
        (["0", "10", "20"], 0x00181063, [0, 0.04, 0.08]),
        (["0", "0", "0"], None, [0, 0.04, 0.08]),
    ],
)
def test_of_two_clocks_the_one_that_is_pointed_to_and_runs(
    write_dicom: WriteDicom, fan: NDArray[np.uint8], vector: list[str], pointer: int | None, times: list[float]
) -> None:
    named = {} if pointer is None else {"FrameIncrementPointer": pointer}
    path = write_dicom("a.dcm", np.stack([fan] * 3), FrameTime="40", FrameTimeVector=vector, **named)
    with open_here(str(path)) as source:
        assert [frame.time_s for frame in source.frames()] == pytest.approx(times)
        assert source.info.fps == pytest.approx(2 / times[-1])


def test_a_folder_says_what_is_left_out_and_mixes_nothing(
    tmp_path: Path, write_dicom: WriteDicom, fan: NDArray[np.uint8]
) -> None:
    def folder(name: str, *files: Path) -> str:
        (tmp_path / name).mkdir()
        for number, file in enumerate(files):
            shutil.copy(file, tmp_path / name / f"{number}.dcm")
        return str(tmp_path / name)

    clip = np.stack([fan] * 3)
    slow, fast = (write_dicom(f"{step}.dcm", clip, FrameTime=step) for step in ("40", "20"))
    empty, hidden = tmp_path / "empty.dcm", tmp_path / "._a.dcm"
    empty.write_bytes(b"")
    hidden.write_bytes(b"")
    cut = Path(folder("cut", slow, empty))
    shutil.copy(hidden, cut)
    with open_here(str(cut)) as source:
        assert (len(source), source.info.fps) == (3, pytest.approx(25))
        assert source.info.notice == "1 file that holds no picture is left out of cut."
    with open_here(folder("rates", slow, fast)) as source:
        assert (len(source), source.info.fps, source.read(4).time_s) == (6, None, None)
    other = write_dicom("deep.dcm", clip, BitsStored=7, HighBit=6)
    with pytest.raises(FormatError, match="different sizes or grey values"):
        open_here(folder("depths", slow, other))


def test_what_is_odd_about_a_file_is_said(write_dicom: WriteDicom, fan: NDArray[np.uint8]) -> None:
    clip = np.stack([fan] * 3)
    more = "holds more pictures than it states"
    for elements, count, words in (
        ({"NumberOfFrames": 2}, 2, more),
        ({"Modality": "CT"}, 3, "says that it is CT, no ultrasound"),
        ({"PixelAspectRatio": ["3", "4"]}, 3, "1.33 times as wide as high"),
        ({"Modality": "US", "PixelAspectRatio": ["1", "1"]}, 3, ""),
    ):
        with open_here(str(write_dicom("a.dcm", clip, **elements))) as source:
            assert (len(source), source.info.origin.view) == (count, View.NATIVE)
            assert words in source.info.notice
            assert bool(words) == bool(source.info.notice)
            assert source.info.pixel_aspect == pytest.approx(4 / 3 if "1.33" in words else 1)
    jpeg = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in clip]
    path = compressed(write_dicom("b.dcm", clip, NumberOfFrames=2), jpeg, JPEGBaseline8Bit)
    with open_here(str(path)) as source:
        assert (len(source), more in source.info.notice) == (2, True)


def test_planes_of_an_ultrasound_volume_are_no_pictures_of_a_probe(
    write_dicom: WriteDicom, fan: NDArray[np.uint8]
) -> None:
    path = write_dicom("a.dcm", fan[None], SOPClassUID="1.2.840.10008.5.1.4.1.1.6.2")
    with open_here(str(path)) as source:
        assert source.info.origin.view is View.SLICE
