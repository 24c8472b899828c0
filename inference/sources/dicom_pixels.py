"""Grey frames out of a DICOM file, one at a time."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate, generate_fragments, generate_frames
from pydicom.errors import BytesLengthException
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    RLELossless,
)

from inference.errors import FormatError
from inference.frame import ColourMap, Pixels
from inference.sources import complaints
from inference.sources.colour import colour_map
from inference.sources.dicom_grey import GreyCurve
from inference.sources.dicom_jpeg import colour_of, grey_of, is_transformed, is_ycbcr, luma_of
from inference.sources.dicom_palette import coloured
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
    struct.error,
    zlib.error,
)
"""Exceptions of pydicom and its decoders on damaged files; they share no base class."""
UID_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian)
NEWER = dict.fromkeys((f"1.2.840.10008.1.2.4.{number}" for number in (110, 111, 112)), "JPEG XL")
"""Transfer syntaxes that pydicom does not name yet."""
_NO_TABLE = b"\xfe\xff\x00\xe0\x00\x00\x00\x00"
"""An empty offset table."""


@contextmanager
def damage_told(sentence: str) -> Iterator[None]:
    """Turn pydicom's exceptions on a damaged file into a `FormatError`, and hide its warnings about odd headers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DAMAGE as error:
        raise FormatError(sentence) from error


class DicomPixels:
    """The frames of one file, decoded on demand.

    Attributes:
        more: it holds more frames than it states, which are not shown.
        bent: grey values are shown otherwise than they are stored, as it says.

    Args:
        dataset: the file, with its pixel data.
        name: name of the file, for the sentences.

    Raises:
        FormatError: if it holds fewer bytes or frames than it states, or its compression is not supported here.
    """

    def __init__(self, dataset: FileDataset, name: str) -> None:
        self._dataset = dataset
        self._name = name
        self._count = int(dataset.get("NumberOfFrames") or 1)
        self._interpretation = str(dataset.PhotometricInterpretation)
        self.more = False
        self._encoded = self._frames()
        self._curve = GreyCurve(dataset, name) if self._interpretation.startswith("MONOCHROME") else None
        self.bent = self._curve is not None and self._curve.bent
        self._jpeg = bool(self._encoded) and dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
        self._mislabelled: bool | None = None

    def __len__(self) -> int:
        """Number of frames."""
        return self._count

    def _frames(self) -> list[bytes]:
        """The encapsulated frames; empty for native pixel data, whose length is checked instead."""
        dataset = self._dataset
        syntax = dataset.file_meta.TransferSyntaxUID
        _check_syntax(syntax, self._name)
        if syntax.is_encapsulated:
            encoded = encapsulated(dataset.PixelData, self._count)
            if len(encoded) < self._count:
                raise FormatError(f"{self._name} holds {len(encoded)} of {self._count} frames: copy it again.")
            self.more = len(encoded) > self._count
            return encoded
        samples = 2 if self._interpretation == "YBR_FULL_422" else int(dataset.SamplesPerPixel)
        bits = dataset.Rows * dataset.Columns * samples * dataset.BitsAllocated * self._count
        if len(dataset.PixelData) < bits // 8:
            raise FormatError(f"{self._name} holds {len(dataset.PixelData)} of {bits // 8} bytes: copy it again.")
        self.more = len(dataset.PixelData) * self._count >= bits // 8 * (self._count + 1)
        return []

    def __call__(self, index: int) -> Pixels:
        """The (rows, cols) grey values of one frame.

        Raises:
            FormatError: if this frame cannot be decoded.
        """
        return self.seen(index)[0]

    def seen(self, index: int) -> tuple[Pixels, ColourMap | None]:
        """The grey values of one frame, and where it was coloured."""
        if self._encoded and not self._encoded[index]:
            raise FormatError(f"Frame {index} of {self._name} is empty: go on to the next.")
        luma = self._jpeg_luma(index)
        grey, colour = self._any(index) if luma is None else (luma, self._jpeg_colour(index))
        if self._curve is not None:
            grey = self._curve(grey)
        if grey.shape != (self._dataset.Rows, self._dataset.Columns):
            raise FormatError(f"Frame {index} of {self._name} has another size than the file states: export it again.")
        return grey, colour

    def _jpeg_luma(self, index: int) -> Pixels | None:
        """The Y channel of a baseline JPEG frame; None if it has none."""
        if not self._jpeg:
            return None
        frame = self._encoded[index]
        if self._interpretation == "RGB" and self._dataset.SamplesPerPixel == 3:
            if self._mislabelled is None:
                self._mislabelled = is_ycbcr(frame)
            if not self._mislabelled:
                return None
            grey = luma_of(frame)
        elif self._interpretation in ("MONOCHROME1", "MONOCHROME2", "YBR_FULL", "YBR_FULL_422"):
            grey = grey_of(frame)
        else:
            return None
        if grey is None:
            raise FormatError(f"Frame {index} of {self._name} cannot be decoded: copy the file again.")
        return as_pixels(grey)

    def _jpeg_colour(self, index: int) -> ColourMap | None:
        return None if self._dataset.SamplesPerPixel == 1 else colour_of(self._encoded[index])

    def _any(self, index: int) -> tuple[Pixels, ColourMap | None]:
        with damage_told(f"Frame {index} of {self._name} cannot be decoded: export it again."):
            complaints.new()
            values = self._decoded(index)
            if self._encoded and complaints.is_partial(complaints.new(), self._encoded[index]):
                raise ValueError("a part of the picture is missing")
            if self._interpretation == "PALETTE COLOR":
                values = coloured(values, self._dataset)
        if values.ndim == 3:
            values = self._of_display(values)
        colour = colour_map(values)
        if values.ndim == 3:
            values = luma(values)
        if values.dtype == np.uint16 and int(self._dataset.BitsStored) <= 8:
            values = values.astype(np.uint8)
        return as_pixels(values), colour

    def _decoded(self, index: int) -> NDArray[np.generic]:
        """One frame decoded by pydicom; of a compressed file it is given that frame alone, whatever the table says."""
        if not self._encoded:
            return self._lowered(pixel_array(self._dataset, index=index, bits_stored=self._highest()))
        single = Dataset()
        single.update({element.tag: element for element in self._dataset if element.tag.group == 0x0028})
        single.file_meta = self._dataset.file_meta
        single.NumberOfFrames = 1
        single.PixelData = encapsulate([self._encoded[index]])
        single["PixelData"].is_undefined_length = True
        syntax = single.file_meta.TransferSyntaxUID
        if syntax == RLELossless:
            return self._lowered(pixel_array(single, bits_stored=self._highest()))
        if syntax in JPEG2000TransferSyntaxes and is_transformed(self._encoded[index]):
            single.PhotometricInterpretation = "YBR_RCT"
        alone: NDArray[np.generic] = pixel_array(single)
        return alone

    def _highest(self) -> int:
        """The number of bits up to HighBit (0028,0102), where values end; BitsStored if that makes no sense."""
        stored, allocated = int(self._dataset.BitsStored), int(self._dataset.BitsAllocated)
        highest = int(self._dataset.get("HighBit", stored - 1)) + 1
        return highest if stored <= highest <= allocated else stored

    def _lowered(self, values: NDArray[Any]) -> NDArray[np.generic]:
        """The values without the bits below them, which are there where HighBit is not BitsStored - 1."""
        unused = self._highest() - int(self._dataset.BitsStored)
        lowered: NDArray[np.generic] = values >> unused if unused else values
        return lowered

    def _of_display(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """8-bit and 16-bit colours as they are; of deeper colours the upper bits."""
        if values.dtype in (np.uint8, np.uint16):
            return values
        if values.dtype != np.uint32:
            raise FormatError(f"{self._name} holds colours that may be negative: export it as RGB of 8 bits.")
        shift = np.uint32(max(0, int(self._dataset.BitsStored) - 16))
        upper: NDArray[np.generic] = (values.astype(np.uint32) >> shift).astype(np.uint16)
        return upper


def encapsulated(data: bytes, count: int) -> list[bytes]:
    """The compressed frames of pixel data.

    If there are as many items as frames, each item is a frame, whatever the offset table says: many tables are wrong.
    """
    items = list(generate_fragments(data[_table_end(data) :]))
    if len(items) == count:
        return items
    spaced = [item for item in items if item]
    if len(spaced) == count:
        return spaced
    try:
        frames = list(generate_frames(data, number_of_frames=count))
    except DAMAGE:
        frames = []
    if len(frames) == count:
        return frames
    return list(generate_frames(_NO_TABLE + data[_table_end(data) :], number_of_frames=count))


def _table_end(data: bytes) -> int:
    """Position where the offset table, which is the first item, ends."""
    return 8 + int.from_bytes(data[4:8], "little")


def _check_syntax(syntax: UID, name: str) -> None:
    """Refuse a compression that cannot be read, by name: the file is intact, and copying it again would not help."""
    if syntax in UID_NATIVE:
        return
    try:
        available = syntax.is_encapsulated and get_decoder(syntax).is_available
    except (NotImplementedError, ValueError):
        available = False
    if not available:
        kind = NEWER.get(syntax, syntax.name if syntax.name != syntax else f"transfer syntax {syntax}")
        raise FormatError(f"{name} is whole but compressed as {kind}, which is not read here: export it as JPEG.")
