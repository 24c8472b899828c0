"""DICOM as scanners, archives and converters write it: right, or one sentence that says what it is."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from inference.errors import FormatError
from inference.sources import open_source
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


def test_a_disc_is_one_clip(shared_data: Path) -> None:
    for name in ("usb", "usb/DICOMDIR"):
        with open_source(str(shared_data / "field/dicom_export_folder" / name)) as source:
            assert len(source) == 12
            assert source.info.spacing is not None
            assert source.info.spacing.row_mm == pytest.approx(0.25)


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
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate([jpeg])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
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
