"""How a DICOM file says that its grey values are to be shown, where that is otherwise than they are stored.

Of a picture in grey these count, in this order: modality LUT (PS3.3 C.11.1), VOI LUT or window (C.11.2), polarity
(C.7.6.3.1.2). The US Image module knows only the window, but exporters and archives write the others too.
"""

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing

from inference.errors import FormatError
from inference.frame import Pixels
from inference.sources.pixels import as_pixels

READ = (
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape"),
)
"""The elements that say so."""
SAME = 0.01
"""A curve that moves no grey value by more than this share of the range is none: windows of 254 for 256 are usual."""
MOST_BITS = 16
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_TOLD = ("PixelValueTransformationSequence", "FrameVOILUTSequence")
_BEYOND = 1e12
"""A value outside of every window."""


class GreyCurve:
    """The values shown for those stored.

    Args:
        dataset: the file; grey, with its header read.
        name: its name, for the sentences.

    Raises:
        FormatError: if it contradicts itself, or has a curve for each frame.
        ValueError: if a curve makes no sense; pydicom raises others of `dicom_pixels.DAMAGE` too.
    """

    def __init__(self, dataset: Dataset, name: str) -> None:
        bits, signed = int(dataset.BitsStored), bool(int(dataset.get("PixelRepresentation") or 0))
        self._lowest = -(1 << (bits - 1)) if signed else 0
        self._table: NDArray[np.generic] | None = None
        inverse = _is_inverse(dataset, name)
        told = _told(dataset, name)
        if not (inverse or any(keyword in told for keyword in READ)):
            return
        if bits > MOST_BITS:
            raise FormatError(f"{name} has grey values of {bits} bits and a curve for them: export it with 16 bits.")
        stored = np.arange(self._lowest, self._lowest + (1 << bits))
        shown = _shown(stored, told)
        shown = 1 - shown if inverse else shown
        if np.abs(shown - np.linspace(0, 1, len(stored))).max() > SAME:
            self._table = np.rint(shown * (len(stored) - 1)).astype(np.uint8 if bits <= 8 else np.uint16)

    @property
    def bent(self) -> bool:
        """Whether values are shown otherwise than they are stored."""
        return self._table is not None

    def __call__(self, grey: Pixels) -> Pixels:
        """The values to show."""
        if self._table is None:
            return grey
        places = np.clip(grey.astype(np.int64) - self._lowest, 0, len(self._table) - 1)
        return as_pixels(self._table[places])


def _is_inverse(dataset: Dataset, name: str) -> bool:
    """Whether the lowest value is white, which two elements say."""
    white = str(dataset.PhotometricInterpretation) == "MONOCHROME1"
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    if shape and (shape == "INVERSE") != white:
        zero = "white" if white else "black"
        raise FormatError(f"{name} says that 0 is {zero}, and that it is the opposite ({shape}): export it again.")
    return white


def _told(dataset: Dataset, name: str) -> Dataset:
    """What a file says of all its grey values, with what functional groups say of all frames (C.7.6.16.2)."""
    told = Dataset()
    told.update({dataset[keyword].tag: dataset[keyword] for keyword in READ if keyword in dataset})
    groups = [group for kind in _GROUPS for group in dataset.get(kind) or []]
    for sequence in _TOLD:
        items = [item for group in groups for item in group.get(sequence) or []]
        if any(item != items[0] for item in items):
            raise FormatError(f"{name} has other grey values for each frame: export its frames as they are shown.")
        told.update(items[0] if items else {})
    for keyword in ("BitsStored", "PixelRepresentation", "PhotometricInterpretation"):
        setattr(told, keyword, dataset.get(keyword) or 0)
    if "RescaleSlope" in told or "RescaleIntercept" in told:
        told.RescaleSlope, told.RescaleIntercept = told.get("RescaleSlope", 1), told.get("RescaleIntercept", 0)
    told.file_meta = dataset.file_meta
    return told


def _shown(stored: NDArray[np.int64], told: Dataset) -> NDArray[np.float64]:
    """The share of full brightness, 0 to 1, of each stored value."""
    values = apply_modality_lut(stored, told).astype(np.float64)
    low, high = values.min(), values.max()
    if "ModalityLUTSequence" in told:
        low, high = 0, _brightest(told.ModalityLUTSequence[0])
    if "VOILUTSequence" in told:
        values = apply_voi(np.rint(values).astype(np.int64), told)
        low, high = 0, _brightest(told.VOILUTSequence[0])
    elif told.get("WindowCenter") is not None and told.get("WindowWidth") is not None:
        values = apply_windowing(np.append(values, (-_BEYOND, _BEYOND)), told)
        values, (low, high) = values[:-2], values[-2:]
    if not abs(high - low) > 0:
        raise ValueError("a curve that has one value for all")
    share: NDArray[np.float64] = np.clip((values - low) / (high - low), 0, 1)
    return share


def _brightest(table: Dataset) -> int:
    """The greatest value of a look-up table, by the bits that it states (0028,3002)."""
    return (1 << int(table.LUTDescriptor[2])) - 1
