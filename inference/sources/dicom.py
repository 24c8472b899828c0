"""DICOM ultrasound: single and multi-frame files, and folders of frames. No patient's tag is ever read."""

import warnings
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from inference.errors import ChoiceError, FormatError, NotFoundError
from inference.frame import Origin, Pixels, View
from inference.sources.base import Mask, SourceInfo
from inference.sources.dicom_pixels import DicomPixels
from inference.sources.dicom_region import Pane, pane_of
from inference.sources.paths import dicom_files
from inference.sources.recorded import Recorded, as_pixels, display_levels
from inference.sources.sector import sector_mask, spread
from inference.spacing import PixelSpacing

SAMPLED = 32
"""Frames looked at to find the sector."""
NEEDED = ("Rows", "Columns", "PhotometricInterpretation", "BitsAllocated", "SamplesPerPixel")


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
        files = dicom_files(path) or [path]
        datasets = _in_order([read_dicom(file) for file in files])
        first = datasets[0]
        self._files = [DicomPixels(dataset, path.name) for dataset in datasets]
        self._places = [(file, index) for file in self._files for index in range(len(file))]
        pane = _common_pane(datasets, region, path.name)
        samples = self._samples()
        self._inside = _inside(samples, pane)
        info = SourceInfo(
            origin=Origin(path.stem, View.NATIVE, simulated=_is_simulated(first)),
            rows=int(first.Rows),
            cols=int(first.Columns),
            spacing=pane.spacing,
            no_spacing_reason=pane.reason,
            levels=display_levels(np.stack(samples)),
            fps=_fps(first),
        )
        super().__init__(info, typed)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._places)

    def _pixels(self, index: int) -> Pixels:
        file, number = self._places[index]
        grey = file(number)
        return as_pixels(cv2.bitwise_and(grey, grey, mask=self._inside))

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
    """One DICOM file with a picture.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it is no DICOM file, or has no picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a file cut short is told by its pixels, in our words
            dataset = pydicom.dcmread(path)
            complete = all(dataset.get(keyword) is not None for keyword in NEEDED)
    except (InvalidDicomError, EOFError, ValueError, AttributeError, KeyError) as error:
        raise FormatError(f"{path.name} is not a DICOM file, or a damaged one: give another file.") from error
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read ({error.strerror}): check its name and rights.") from error
    if not complete:
        raise FormatError(f"{path.name} holds no picture: give an ultrasound image or clip.")
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
