"""DICOM ultrasound: single and multi-frame files, and folders of frames."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom.datadict import keyword_for_tag
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue

from inference.display import display_levels
from inference.errors import ChoiceError, FormatError
from inference.frame import ColourMap, Frame, Mask, Origin, Pixels, View
from inference.sector import sector_mask, spread
from inference.source_info import SourceInfo, shape_words
from inference.sources.dicom_grey import READ as GREY
from inference.sources.dicom_pixels import DAMAGE, DicomPixels, damage_told
from inference.sources.dicom_region import Pane, pane_of, pixel_aspect, regions_of
from inference.sources.paths import DICOM, DICOMDIR, dicom_files, is_dicom, suffix_of
from inference.sources.pixels import as_pixels
from inference.sources.recorded import Recorded
from inference.spacing import PixelSpacing

MOST = 5000
"""Largest number of files of a disc that is opened as a whole."""
SAMPLED = 32
"""Number of frames examined to find the sector."""
PICTURE = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelData",
)
"""Elements without which there is no picture."""
COLOURS = ("Red", "Green", "Blue")
READ = (
    *PICTURE,
    *("NumberOfFrames", "HighBit", "PixelRepresentation", "PlanarConfiguration"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in COLOURS),
    *(f"{colour}PaletteColorLookupTableData" for colour in COLOURS),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in COLOURS),
    *("SequenceOfUltrasoundRegions", "PixelSpacing", "FrameTime", "CineRate", "RecommendedDisplayFrameRate"),
    *("FrameTimeVector", "FrameIncrementPointer", "PixelAspectRatio", "Modality", "SOPClassUID"),
    *GREY,
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("InstanceNumber", "SeriesInstanceUID", "ImageComments", "SpecificCharacterSet"),
)
"""All elements that are read from a file: none about the patient."""
ULTRASOUND = ("", "US", "IVUS", "OT")
"""What Modality (0008,0060) says of ultrasound, and of what does not say what it is."""
FRAME_TIME = 0x00181063
"""Tag of the one interval between all frames."""
VOLUME = "1.2.840.10008.5.1.4.1.1.6.2"
"""SOP class of Enhanced US Volume, whose frames are planes of a volume and no pictures of a probe (PS3.3 A.59)."""


class DicomSource(Recorded):
    """The frames of one file, or of a folder's files in the order of their InstanceNumber.

    Pixels keep the full frame; everything outside the region and outside the sector is exactly 0.

    Args:
        path: a file or folder.
        region: number of the ultrasound region, if there are several; `dicom_region.WHOLE` for the whole picture.
        typed: the user's own spacing.

    Raises:
        SourceError: if it cannot be read, or shows several regions and none was chosen.
    """

    def __init__(self, path: Path, *, region: int | None = None, typed: PixelSpacing | None = None) -> None:
        with damage_told(f"{path.name} is damaged, or its header makes no sense: export it again."):
            info, rows = self._open(path, region)
        super().__init__(info, typed, rows=rows)

    def _open(self, path: Path, region: int | None) -> tuple[SourceInfo, int]:
        """The source's description, and the height of what the probe drew."""
        read, left_out = _read_all(path)
        datasets = _in_order([dataset for dataset, _ in read])
        first = datasets[0]
        files = [DicomPixels(dataset, path.name) for dataset in datasets]
        self._places = [(file, index) for file in files for index in range(len(file))]
        self._times_s = _times_s(first) if len(files) == 1 else []
        self._clocked = len(files) == 1 or len(self._places) == len(files)
        pane = _common_pane(datasets, region, path.name)
        samples, several = self._samples(), regions_of(first)
        self._inside = _inside(samples, pane)
        rows = int(first.Rows) if pane.box is None else pane.box[3] - pane.box[1]
        view = View.SLICE if first.get("SOPClassUID") == VOLUME else View.NATIVE
        aspect = pixel_aspect(first) if pane.spacing is None else 1.0
        odd = [keyword for _, odds in read for keyword in odds]
        info = SourceInfo(
            origin=Origin(path.stem, view, simulated=_is_simulated(first)),
            rows=int(first.Rows),
            cols=int(first.Columns),
            spacing=pane.spacing,
            no_spacing_reason=pane.reason,
            levels=display_levels(np.stack(samples)),
            fps=_common_fps(datasets, self._times_s),
            notice=" ".join([*_told(path.name, first, files, aspect), *_lacking(path.name, left_out, odd)]),
            pixel_aspect=aspect,
            regions=several if len(several) > 1 else (),
        )
        return info, rows

    def read(self, index: int) -> Frame:
        """Frame `index`, from 0, with its time from FrameTimeVector (0018,1065) if there is one.

        Of several clips in a folder none has a time: nobody knows how long after another each was taken.

        Raises:
            IndexError: outside the source.
            FormatError: if this frame cannot be decoded.
        """
        frame = super().read(index)
        if not self._clocked:
            return replace(frame, time_s=None)
        return replace(frame, time_s=self._times_s[index]) if self._times_s else frame

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
        """Decoded frames from all over the clip; a broken one is left out, unless all are broken."""
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
    """The picture of one DICOM file, with the elements needed to show it.

    Raises:
        FormatError: if it is not a DICOM file, or has no picture.
    """
    dataset, _ = _read(path)
    if not all(dataset.get(keyword) for keyword in PICTURE):
        raise FormatError(f"{path.name} holds no picture, or was cut short: give an ultrasound image or clip.")
    return dataset


def _read(path: Path) -> tuple[pydicom.FileDataset, list[str]]:
    """The elements that can be read, and the names of unreadable ones that the picture does not need."""
    try:
        with damage_told(f"{path.name} is a damaged DICOM file: copy it again."):
            dataset = pydicom.dcmread(path, specific_tags=list(READ))
            return dataset, _without_odd(dataset)
    except InvalidDicomError as error:
        raise FormatError(f"{path.name} is not a DICOM file: give another file.") from error


def _without_odd(dataset: pydicom.Dataset) -> list[str]:
    """Remove senseless elements, in sequences too: a comma in one number is no reason to lose the picture."""
    odd: list[str] = []
    for tag in list(dataset.keys()):
        keyword = keyword_for_tag(tag)
        try:
            value = dataset[tag].value
            _numbers(dataset[tag])
        except DAMAGE:
            if keyword in PICTURE:
                raise
            del dataset[tag]
            odd.append(keyword)
            continue
        if isinstance(value, pydicom.Sequence):
            odd.extend(name for item in value for name in _without_odd(item))
    return odd


def _numbers(element: pydicom.DataElement) -> None:
    """Refuse text in place of a number, which pydicom keeps as it is.

    Raises:
        ValueError: if a value is not a number.
    """
    if element.VR in ("DS", "IS") and element.value is not None:
        for value in element.value if isinstance(element.value, MultiValue) else (element.value,):
            float(value)


def _read_all(path: Path) -> tuple[list[tuple[pydicom.FileDataset, list[str]]], int]:
    """The files that hold a picture, and the number of files without one, such as reports in an export.

    Raises:
        FormatError: if none holds a picture.
    """
    files = clip_files(path)
    damaged = _damaged(path)
    if len(files) == 1:
        dataset = read_dicom(files[0])
        return [(dataset, _read(files[0])[1])], damaged
    read = [_read(file) for file in files]
    shown = [(dataset, odd) for dataset, odd in read if all(dataset.get(keyword) for keyword in PICTURE)]
    if not shown:
        raise FormatError(f"{path.name} holds no picture: give an ultrasound image or clip.")
    return shown, len(read) - len(shown) + damaged


def _damaged(path: Path) -> int:
    """Number of a folder's files that are named like DICOM and are none, as a copy that broke off leaves them."""
    if not path.is_dir():
        return 0
    named = (file for file in path.iterdir() if suffix_of(file) in DICOM and not file.name.startswith("."))
    return sum(not is_dicom(file) for file in named)


def clip_files(path: Path) -> list[Path]:
    """The DICOM files of a file, of a folder, or of a disc with its table of contents, DICOMDIR.

    Raises:
        ChoiceError: if a disc holds too many.
    """
    folder = path.parent if path.name == DICOMDIR and path.is_file() else path
    if not (folder.is_dir() and (folder / DICOMDIR).is_file()):
        return dicom_files(path) or [path]
    found = [file for file in folder.rglob("*") if file.name != DICOMDIR and is_dicom(file)]
    if len(found) > MOST:
        raise ChoiceError(f"{folder.name} holds {len(found)} DICOM files, more than one clip: open the folder of one.")
    return sorted(found, key=lambda file: file.as_posix()) or [path]


def _told(name: str, first: pydicom.FileDataset, files: Sequence[DicomPixels], aspect: float) -> list[str]:
    """What the user has to know about pictures of other kinds, more pictures than stated, and pixels not square."""
    sentences = []
    modality = str(first.get("Modality") or "").strip()
    if modality not in ULTRASOUND:
        sentences.append(f"{name} says that it is {modality}, no ultrasound.")
    if len(files) > 1 and any(len(file) > 1 for file in files):
        sentences.append(f"{name} holds {len(files)} clips, which are shown one after another, without times.")
    if any(file.more for file in files):
        sentences.append(f"{name} holds more pictures than it states: the others are left out.")
    if any(file.bent for file in files) and first.PhotometricInterpretation != "MONOCHROME1":
        sentences.append(
            f"The grey values of {name} are not shown as stored, but as its header says (window or table)."
        )
    return [*sentences, *filter(None, [shape_words(name, aspect)])]


def _lacking(name: str, left_out: int, odd: list[str]) -> list[str]:
    """What the user has to know about files and elements that were not read."""
    sentences = []
    if left_out:
        files = "1 file that holds" if left_out == 1 else f"{left_out} files that hold"
        sentences.append(f"{files} no picture is left out of {name}.")
    if odd:
        sentences.append(f"{name} states a {' and a '.join(sorted(set(odd)))} that cannot be read.")
    return sentences


def _in_order(datasets: list[pydicom.FileDataset]) -> list[pydicom.FileDataset]:
    """The files of one clip by InstanceNumber; in the given order if that is missing."""
    if len({dataset.get("SeriesInstanceUID") for dataset in datasets}) > 1:
        raise ChoiceError("This folder holds several DICOM series: name one file, or a folder of one series.")
    alike = ("Rows", "Columns", "PhotometricInterpretation", "BitsStored", "PixelRepresentation")
    if len({tuple(str(dataset.get(keyword)) for keyword in alike) for dataset in datasets}) > 1:
        raise FormatError("The DICOM files of this folder have different sizes or grey values: name one file.")
    return sorted(datasets, key=lambda dataset: int(dataset.get("InstanceNumber") or 0))


def _common_pane(datasets: Sequence[pydicom.FileDataset], region: int | None, name: str) -> Pane:
    """The pane that all files share; scales that differ only by rounding count as one."""
    first, *others = (pane_of(dataset, region, name) for dataset in datasets)
    if not all(first.is_like(other) for other in others):
        raise FormatError(f"The DICOM files of {name} have different scales or regions: name one file.")
    return first


def _inside(samples: list[Pixels], pane: Pane) -> Mask:
    """Mask that is 1 inside the region and the sector."""
    rows, cols = samples[0].shape
    inside = np.zeros((rows, cols), np.uint8)
    x0, y0, x1, y1 = pane.box or (0, 0, cols, rows)
    inside[y0:y1, x0:x1] = sector_mask([sample[y0:y1, x0:x1] for sample in samples])
    return inside


def _common_fps(datasets: Sequence[pydicom.FileDataset], times_s: Sequence[float]) -> float | None:
    """The rate that all files of a clip state; none if they differ."""
    rates = {_fps(dataset, times_s) for dataset in datasets}
    return rates.pop() if len(rates) == 1 else None


def _fps(dataset: pydicom.FileDataset, times_s: Sequence[float]) -> float | None:
    """Frames per second: FrameTime (0018,1063) in ms, CineRate (0018,0040), RecommendedDisplayFrameRate (0008,2144)."""
    if len(times_s) > 1 and times_s[-1] > 0:
        return (len(times_s) - 1) / times_s[-1]
    frame_ms = _number(dataset, "FrameTime")
    rate = 1000 / frame_ms if frame_ms > 0 else _number(dataset, "CineRate")
    rate = rate or _number(dataset, "RecommendedDisplayFrameRate")
    return rate if 0 < rate < 1e4 and int(dataset.get("NumberOfFrames") or 1) > 1 else None


def _number(dataset: pydicom.FileDataset, keyword: str) -> float:
    """The number in an element; 0 if it holds none, or several."""
    try:
        value = float(dataset.get(keyword) or 0)
    except (TypeError, ValueError):
        return 0.0
    return value if math.isfinite(value) else 0.0


def _times_s(dataset: pydicom.FileDataset) -> list[float]:
    """Time of each frame, from FrameTimeVector: milliseconds since the previous one, of the first frame 0.

    FrameIncrementPointer (0028,0009) says whether the vector is the one of two statements that counts.
    """
    stated, pointer = dataset.get("FrameTimeVector"), dataset.get("FrameIncrementPointer")
    steps = [float(step) for step in stated] if isinstance(stated, MultiValue) else []
    if len(steps) != int(dataset.get("NumberOfFrames") or 1) or not all(0 <= step < math.inf for step in steps):
        return []
    if pointer == FRAME_TIME or not sum(steps[1:]):
        return []
    return [total / 1e3 for total in accumulate(steps[1:], initial=0.0)]


def _is_simulated(dataset: pydicom.FileDataset) -> bool:
    return str(dataset.get("ImageComments") or "").startswith("SIMULATED")
