"""Every ultrasound picture that comes with pydicom and pydicom-data, byte for byte as pydicom and as gdcm decode it."""

import warnings
from collections.abc import Callable
from pathlib import Path

import gdcm
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGBaseline8Bit

from inference.sources.dicom_pixels import DicomPixels
from inference.sources.pixels import luma

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, of odd headers
LOSSLESS = (
    *("ExplVR_BigEnd.dcm", "examples_jpeg2k.dcm", "examples_palette.dcm", "examples_rgb_color.dcm"),
    *("JPGLosslessP14SV1_1s_1f_8b.dcm", "OBXXXX1A.dcm", "OBXXXX1A_2frame.dcm", "OBXXXX1A_expb.dcm"),
    *("OBXXXX1A_expb_2frame.dcm", "OBXXXX1A_rle.dcm", "OBXXXX1A_rle_2frame.dcm", "US1_J2KI.dcm", "US1_J2KR.dcm"),
    *("US1_UNCI.dcm", "US1_UNCR.dcm", "color-pl.dcm", "color-px.dcm", "gdcm-US-ALOKA-16.dcm"),
    "gdcm-US-ALOKA-16_big.dcm",
)
"""Those whose decoding leaves no choice."""
BASELINE = ("examples_ybr_color.dcm", "color3d_jpeg_baseline.dcm")
"""Lossy ones: pydicom takes the way through RGB, which rounds."""
ROUNDED = 8


def by_pydicom(path: Path, index: int) -> NDArray[np.generic]:
    """(rows, cols) grey values of one frame, all of the decoding pydicom's."""
    dataset, values = dcmread(path), pixel_array(path, index=index)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, dataset)
        if values.dtype == np.uint16:  # an 8-bit display shows the upper byte, unless colours are 8-bit numbers
            values = (values if values.max() <= 255 else values >> 8).astype(np.uint8)
    return luma(values) if values.ndim == 3 else values


def by_gdcm(path: Path) -> NDArray[np.generic]:
    """(frames, rows, cols) grey values, all of the reading gdcm's: header, decoding and palette."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    image, looked_up = reader.GetImage(), gdcm.ImageApplyLookupTable()
    if image.GetPhotometricInterpretation().GetType() == gdcm.PhotometricInterpretation.PALETTE_COLOR:
        looked_up.SetInput(image)
        assert looked_up.Apply()
        image = looked_up.GetOutput()
    bits, samples = image.GetPixelFormat().GetBitsAllocated(), image.GetPixelFormat().GetSamplesPerPixel()
    cols, rows = image.GetDimension(0), image.GetDimension(1)
    values = np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), f"u{bits // 8}")
    if samples == 1:
        return values.reshape(-1, rows, cols)
    apart = image.GetPlanarConfiguration() == 1
    values = np.moveaxis(values.reshape(-1, 3, rows, cols), 1, -1) if apart else values.reshape(-1, rows, cols, 3)
    if values.dtype == np.uint16:
        values = (values if values.max() <= 255 else values >> 8).astype(np.uint8)
    kept = gdcm.PhotometricInterpretation.GetPIString(image.GetPhotometricInterpretation().GetType())
    if kept.startswith("YBR_FULL"):  # luma as it is stored
        return values[..., 0]
    return np.stack([luma(one) for one in values])


def frames_of(path: Path) -> tuple[DicomPixels, list[int]]:
    """The pixels as this program reads them, and the frames that are compared: first, middle and last."""
    dataset = dcmread(path)
    count = int(dataset.get("NumberOfFrames") or 1)
    return DicomPixels(dataset, path.name), sorted({0, count // 2, count - 1})


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_frames_are_pydicoms_byte_for_byte(real_dicom: Callable[[str], str], name: str) -> None:
    path = Path(real_dicom(name))
    pixels, chosen = frames_of(path)
    for index in chosen:
        expected = by_pydicom(path, index)
        assert pixels(index).dtype == expected.dtype
        assert np.array_equal(pixels(index), expected)


@pytest.mark.parametrize("name", [*LOSSLESS, *BASELINE])
def test_every_frame_is_gdcms_byte_for_byte(real_dicom: Callable[[str], str], name: str) -> None:
    path = Path(real_dicom(name))
    pixels, chosen = frames_of(path)
    expected = by_gdcm(path)
    assert len(expected) == len(pixels)
    for index in chosen:
        assert pixels(index).dtype == expected.dtype
        assert np.array_equal(pixels(index), expected[index])


@pytest.mark.parametrize("name", BASELINE)
def test_lossy_frames_differ_by_rounding_alone(real_dicom: Callable[[str], str], name: str) -> None:
    path = Path(real_dicom(name))
    assert dcmread(path).file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    pixels, chosen = frames_of(path)
    for index in chosen:
        difference = np.abs(pixels(index).astype(int) - by_pydicom(path, index).astype(int))
        assert difference.max() <= ROUNDED
        assert difference.mean() < 0.1


def test_no_ultrasound_picture_of_theirs_is_left_out(real_dicom: Callable[[str], str]) -> None:
    """A new release of theirs brings new ones: they are to be compared too."""
    folders = {Path(real_dicom("color3d_jpeg_baseline.dcm")).parent, Path(real_dicom("ExplVR_BigEnd.dcm")).parent}
    found = set()
    for path in (path for folder in folders for path in folder.rglob("*.dcm")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = dcmread(path, stop_before_pixels=True, force=True)
        if header.get("Modality") == "US" and header.get("Rows"):
            found.add(path.name)
    assert found <= {*LOSSLESS, *BASELINE}
