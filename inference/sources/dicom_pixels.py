"""Grey frames out of a DICOM file, one at a time."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.encaps import generate_frames
from pydicom.errors import BytesLengthException
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGBaseline8Bit

from inference.errors import FormatError
from inference.frame import ColourMap, Pixels
from inference.sources.colour import cells_coloured, colour_map
from inference.sources.pixels import as_pixels, luma

DAMAGE = (
    AttributeError,
    BytesLengthException,
    EOFError,
    LookupError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What pydicom and its decoders raise on damaged files; they have no base of their own."""


@contextmanager
def damage_told(sentence: str) -> Iterator[None]:
    """Turn what a damaged file makes pydicom raise into a `FormatError`, and hide its warnings about odd headers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DAMAGE as error:
        raise FormatError(sentence) from error


class DicomPixels:
    """The frames of one file, decoded when asked for.

    Args:
        dataset: the file, pixel data included.
        name: its name, for the sentences.

    Raises:
        FormatError: if it holds fewer bytes or frames than it states.
    """

    def __init__(self, dataset: FileDataset, name: str) -> None:
        self._dataset = dataset
        self._name = name
        self._count = int(dataset.get("NumberOfFrames") or 1)
        self._palette = dataset.PhotometricInterpretation == "PALETTE COLOR"
        self._encoded = self._frames()

    def __len__(self) -> int:
        """Number of frames."""
        return self._count

    def _frames(self) -> list[bytes]:
        """The encapsulated frames; empty for native pixel data, whose length is checked instead."""
        dataset = self._dataset
        if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
            encoded = list(generate_frames(dataset.PixelData, number_of_frames=self._count))
            if len(encoded) < self._count:
                raise FormatError(f"{self._name} holds {len(encoded)} of {self._count} frames: copy it again.")
            return encoded
        samples = 2 if dataset.PhotometricInterpretation == "YBR_FULL_422" else int(dataset.SamplesPerPixel)
        bits = dataset.Rows * dataset.Columns * samples * dataset.BitsAllocated * self._count
        if len(dataset.PixelData) < bits // 8:
            raise FormatError(f"{self._name} holds {len(dataset.PixelData)} of {bits // 8} bytes: copy it again.")
        return []

    def __call__(self, index: int) -> Pixels:
        """The (rows, cols) grey values of one frame.

        Raises:
            FormatError: if this frame cannot be decoded.
        """
        return self.seen(index)[0]

    def seen(self, index: int) -> tuple[Pixels, ColourMap | None]:
        """The same, and where it was coloured."""
        luma = self._jpeg_luma(index)
        grey, colour = self._any(index) if luma is None else (luma, self._jpeg_colour(index))
        if self._dataset.PhotometricInterpretation == "MONOCHROME1":
            grey = as_pixels((1 << int(self._dataset.BitsStored)) - 1 - grey)
        if grey.shape != (self._dataset.Rows, self._dataset.Columns):
            raise FormatError(f"Frame {index} of {self._name} has another size than the file states: export it again.")
        return grey, colour

    def _jpeg_luma(self, index: int) -> Pixels | None:
        """The Y channel of a baseline JPEG frame, without the way through RGB: 30 times as fast."""
        dataset = self._dataset
        if not self._encoded or dataset.file_meta.TransferSyntaxUID != JPEGBaseline8Bit:
            return None
        if dataset.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2", "YBR_FULL", "YBR_FULL_422"):
            return None
        grey = cv2.imdecode(np.frombuffer(self._encoded[index], np.uint8), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            raise FormatError(f"Frame {index} of {self._name} cannot be decoded: copy the file again.")
        return as_pixels(grey)

    def _jpeg_colour(self, index: int) -> ColourMap | None:
        """Decoded to a quarter: the codec skips what nobody looks at."""
        if self._dataset.SamplesPerPixel == 1:
            return None
        small = cv2.imdecode(np.frombuffer(self._encoded[index], np.uint8), cv2.IMREAD_REDUCED_COLOR_4)
        return None if small is None else cells_coloured(small.astype(np.uint8, copy=False), order="BGR")

    def _any(self, index: int) -> tuple[Pixels, ColourMap | None]:
        with damage_told(f"Frame {index} of {self._name} cannot be decoded: export it again."):
            values = pixel_array(self._dataset, index=index)
            if self._palette:
                values = _eight_bits(apply_color_lut(values, self._dataset))
        colour = colour_map(values)
        if values.ndim == 3:
            values = luma(values)
        if values.dtype == np.uint16 and int(self._dataset.BitsStored) <= 8:
            values = values.astype(np.uint8)
        return as_pixels(values), colour


def _eight_bits(colour: NDArray[np.generic]) -> NDArray[np.generic]:
    """A palette of 16 bits holds the colours of an 8-bit display in its upper half."""
    return colour if colour.dtype == np.uint8 else np.right_shift(colour.astype(np.uint16), 8).astype(np.uint8)
