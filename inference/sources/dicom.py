"""DICOM ultrasound: single and multi-frame files, and folders of frames."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from inference.display import display_levels
from inference.errors import ChoiceError, FormatError
from inference.frame import ColourMap, Mask, Origin, Pixels, View
from inference.sector import sector_mask, spread
from inference.source_info import SourceInfo
from inference.sources.dicom_pixels import DicomPixels, damage_told
from inference.sources.dicom_region import Pane, pane_of
from inference.sources.paths import dicom_files
from inference.sources.pixels import as_pixels
from inference.sources.recorded import Recorded
from inference.spacing import PixelSpacing

SAMPLED = 32
"""Frames looked at to find the sector."""
PICTURE = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelData",
)
"""Without these there is no picture."""
COLOURS = ("Red", "Green", "Blue")
READ = (
    *PICTURE,
    *("NumberOfFrames", "HighBit", "PixelRepresentation", "PlanarConfiguration"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in COLOURS),
    *(f"{colour}PaletteColorLookupTableData" for colour in COLOURS),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in COLOURS),
    *("SequenceOfUltrasoundRegions", "PixelSpacing", "FrameTime", "CineRate", "RecommendedDisplayFrameRate"),
    *("InstanceNumber", "SeriesInstanceUID", "ImageComments", "SpecificCharacterSet"),
)
"""All that is read of a file: nothing of the patient."""


class DicomSource(Recorded):
    """The frames of one file, or of a folder's files in order of their InstanceNumber.

    Pixels keep the full frame; what is outside the region and outside the sector is exactly 0.

    Args:
        path: a file or folder.
        region: number of the ultrasound region, where there are several; `dicom_region.WHOLE` for none.
        typed: the user's own spacing.

    Raises:
        SourceError: if it cannot be read, or shows several pictures of which none was chosen.
    """

    def __init__(self, path: Path, *, region: int | None = None, typed: PixelSpacing | None = None) -> None:
        with damage_told(f"{path.name} is damaged, or its header makes no sense: export it again."):
            info = self._open(path, region)
        super().__init__(info, typed)

    def _open(self, path: Path, region: int | None) -> SourceInfo:
        datasets = _in_order([read_dicom(file) for file in dicom_files(path) or [path]])
        first = datasets[0]
        files = [DicomPixels(dataset, path.name) for dataset in datasets]
        self._places = [(file, index) for file in files for index in range(len(file))]
        pane = _common_pane(datasets, region, path.name)
        samples = self._samples()
        self._inside = _inside(samples, pane)
        return SourceInfo(
            origin=Origin(path.stem, View.NATIVE, simulated=_is_simulated(first)),
            rows=int(first.Rows),
            cols=int(first.Columns),
            spacing=pane.spacing,
            no_spacing_reason=pane.reason,
            levels=display_levels(np.stack(samples)),
            fps=_fps(first),
        )

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._places)

    def _pixels(self, index: int) -> Pixels:
        return self._seen(index)[0]

    def _seen(self, index: int) -> tuple[Pixels, ColourMap | None]:
        file, number = self._places[index]
        grey, colour = file.seen(number)
        return as_pixels(cv2.bitwise_and(grey, grey, mask=self._inside)), colour

    def _samples(self) -> list[Pixels]:
        """Decoded frames from the whole clip; one that is broken is left out, unless all are."""
        samples: list[Pixels] = []
        broken: FormatError | None = None
        for index in spread(len(self), SAMPLED):
            file, number = self._places[index]
            try:
                samples.append(file(number))
            except FormatError as error:
                broken = error
        if broken is not None and not samples:
            raise broken
        return samples


def read_dicom(path: Path) -> pydicom.FileDataset:
    """The picture of one DICOM file, and what is needed to show it.

    Raises:
        FormatError: if it is no DICOM file, or has no picture.
    """
    try:
        with damage_told(f"{path.name} is a damaged DICOM file: copy it again."):
            dataset = pydicom.dcmread(path, specific_tags=list(READ))
            for element in dataset.iterall():
                _ = element.value  # converted now, while damage is told
    except InvalidDicomError as error:
        raise FormatError(f"{path.name} is not a DICOM file: give another file.") from error
    if not all(dataset.get(keyword) for keyword in PICTURE):
        raise FormatError(f"{path.name} holds no picture, or was cut short: give an ultrasound image or clip.")
    return dataset


def _in_order(datasets: list[pydicom.FileDataset]) -> list[pydicom.FileDataset]:
    """The files of one clip by InstanceNumber, which stays as it is where that is missing."""
    if len({dataset.get("SeriesInstanceUID") for dataset in datasets}) > 1:
        raise ChoiceError("This folder holds several DICOM series: name one file, or a folder of one series.")
    if len({(dataset.Rows, dataset.Columns, dataset.PhotometricInterpretation) for dataset in datasets}) > 1:
        raise FormatError("The DICOM files of this folder have different sizes: name one file.")
    return sorted(datasets, key=lambda dataset: int(dataset.get("InstanceNumber") or 0))


def _common_pane(datasets: Iterable[pydicom.FileDataset], region: int | None, name: str) -> Pane:
    panes = {pane_of(dataset, region, name) for dataset in datasets}
    if len(panes) > 1:
        raise FormatError(f"The DICOM files of {name} have different scales or regions: name one file.")
    return panes.pop()


def _inside(samples: list[Pixels], pane: Pane) -> Mask:
    """1 inside the region and the sector."""
    rows, cols = samples[0].shape
    inside = np.zeros((rows, cols), np.uint8)
    x0, y0, x1, y1 = pane.box or (0, 0, cols, rows)
    inside[y0:y1, x0:x1] = sector_mask([sample[y0:y1, x0:x1] for sample in samples])
    return inside


def _fps(dataset: pydicom.FileDataset) -> float | None:
    """Frames a second: FrameTime (0018,1063) in ms, CineRate (0018,0040), RecommendedDisplayFrameRate (0008,2144)."""
    frame_ms = float(dataset.get("FrameTime") or 0)
    rate = 1000 / frame_ms if frame_ms > 0 else float(dataset.get("CineRate") or 0)
    rate = rate or float(dataset.get("RecommendedDisplayFrameRate") or 0)
    return rate if rate > 0 and int(dataset.get("NumberOfFrames") or 1) > 1 else None


def _is_simulated(dataset: pydicom.FileDataset) -> bool:
    return str(dataset.get("ImageComments") or "").startswith("SIMULATED")
