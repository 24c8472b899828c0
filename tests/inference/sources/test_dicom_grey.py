"""What a DICOM file says of how its grey values are shown is applied, or refused; never passed over."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from inference.errors import FormatError
from inference.sources import open_here as open_source

SQUARED = np.rint(np.arange(256) ** 2 / 255).astype(int).tolist()


def table(values: list[int], bits: int = 8) -> list[Dataset]:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [len(values), 0, bits], values
    for keyword in ("LUTDescriptor", "LUTData"):
        item[keyword].VR = "US"
    return [item]


def group(sequence: str, **elements) -> list[Dataset]:
    """A functional group of all frames."""
    inner, outer = Dataset(), Dataset()
    inner.update(elements)
    setattr(outer, sequence, [inner])
    return [outer]


STRAIGHT = [
    {"RescaleSlope": 1, "RescaleIntercept": 0},
    {"RescaleSlope": 0.5, "RescaleIntercept": -1024},
    {"WindowCenter": 128, "WindowWidth": 256},
    {"WindowCenter": 127, "WindowWidth": 254, "PresentationLUTShape": "IDENTITY"},
    {"RescaleSlope": 2, "RescaleIntercept": 100, "WindowCenter": 355.5, "WindowWidth": 512},
    {"ModalityLUTSequence": table(list(range(256)))},
]
INVERTED = [
    {"PhotometricInterpretation": "MONOCHROME1"},
    {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
    {"RescaleSlope": -1, "RescaleIntercept": 255},
    {"RescaleSlope": -1},
    {"RescaleSlope": -1, "RescaleIntercept": 255, "WindowCenter": 128, "WindowWidth": 256},
    {"ModalityLUTSequence": table(list(range(255, -1, -1)))},
]
SQUARE = [
    {"ModalityLUTSequence": table(SQUARED)},
    {"VOILUTSequence": table(SQUARED)},
    {"VOILUTSequence": table(SQUARED), "WindowCenter": 10, "WindowWidth": 20},
    {"VOILUTSequence": table([257 * value for value in SQUARED], 16)},
]


@pytest.mark.parametrize(
    ("elements", "shown"),
    [
        *((one, lambda grey: grey) for one in STRAIGHT),
        *((one, lambda grey: 255 - grey) for one in INVERTED),
        *((one, lambda grey: np.rint(grey**2 / 255)) for one in SQUARE),
        ({"WindowCenter": [100, 1], "WindowWidth": [101, 2]}, lambda grey: np.clip((grey - 49.5) * 2.55, 0, 255)),
        (
            {"SharedFunctionalGroupsSequence": group("FrameVOILUTSequence", WindowCenter="100", WindowWidth="101")},
            lambda grey: np.clip((grey - 49.5) * 2.55, 0, 255),
        ),
        (
            {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": 100, "WindowWidth": 101},
            lambda grey: 255 - np.clip((grey - 49.5) * 2.55, 0, 255),
        ),
    ],
)
def test_grey_values_are_those_that_are_to_be_shown(write_dicom, elements, shown):
    picture = np.tile(np.arange(256, dtype=np.uint8), (60, 1))
    with open_source(str(write_dicom("a.dcm", picture[None], **elements))) as source:
        pixels = source.read(0).pixels
        seen = pixels > 0  # what lies outside the sector is 0
        assert pixels.dtype == np.uint8
        assert seen.sum() > 5000
        assert np.abs(pixels - shown(picture.astype(float)))[seen].max() <= 1
        straight = elements in STRAIGHT or elements.get("PhotometricInterpretation") == "MONOCHROME1"
        assert ("window or table" in source.info.notice) is not straight


def test_a_table_in_words_and_signed_values_of_twelve_bits(write_dicom):
    """LUTData (0028,3006) may be OW; what is shown is unsigned."""
    stored = np.tile(np.linspace(-2048, 2047, 300).astype(np.int16), (40, 1))
    path = write_dicom("a.dcm", np.zeros((1, 40, 300), np.uint8), BitsAllocated=16, PixelRepresentation=1)
    dataset = pydicom.dcmread(path)
    dataset.BitsStored, dataset.HighBit, dataset.PixelData = 12, 11, stored.tobytes()
    item = Dataset()
    item.add_new("LUTDescriptor", "SS", [4096, -2048, 16])
    item.add_new("LUTData", "OW", (65535 - 16 * np.arange(4096)).astype("<u2").tobytes())
    dataset.ModalityLUTSequence = [item]
    dataset.save_as(path)
    with open_source(str(path)) as source:
        pixels = source.read(0).pixels
    seen = pixels > 0
    assert pixels.dtype == np.uint16
    assert np.abs(pixels.astype(int) - (2047 - stored))[seen].max() <= 1


@pytest.mark.parametrize(
    ("elements", "sentence"),
    [
        ({"PresentationLUTShape": "INVERSE"}, "the opposite"),
        ({"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "IDENTITY"}, "the opposite"),
        ({"RescaleSlope": 0}, "makes no sense"),
        ({"WindowCenter": 100, "WindowWidth": 0}, "makes no sense"),
        (
            {
                "PerFrameFunctionalGroupsSequence": [
                    *group("FrameVOILUTSequence", WindowCenter="100", WindowWidth="101"),
                    *group("FrameVOILUTSequence", WindowCenter="120", WindowWidth="101"),
                ]
            },
            "for each frame",
        ),
    ],
)
def test_what_contradicts_itself_or_cannot_be_applied_is_one_sentence(write_dicom, fan, elements, sentence):
    path = write_dicom("a.dcm", np.stack([fan, fan]), **elements)
    with pytest.raises(FormatError, match=sentence):
        open_source(str(path))


def test_a_short_table_holds_its_last_value(write_dicom, fan):
    with open_source(str(write_dicom("a.dcm", fan[None], ModalityLUTSequence=table([0, 90, 180])))) as source:
        assert np.unique(source.read(0).pixels).tolist() == [0, 180]


def test_colours_know_no_such_curve(write_dicom, fan):
    """A modality LUT and a window are of pictures in grey alone (PS3.3 C.11.1, C.11.2)."""
    path = write_dicom("a.dcm", fan[None], RescaleSlope=-1, WindowCenter=10, WindowWidth=5)
    dataset = pydicom.dcmread(path)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.PixelData = np.dstack([fan] * 3).tobytes()
    dataset.save_as(path)
    with open_source(str(path)) as source:
        np.testing.assert_array_equal(source.read(0).pixels[fan > 0], fan[fan > 0])
