"""Palettes of DICOM pictures, in the forms that scanners write.

Tables of 16-bit words hold 8-bit colours in either byte, or in the upper one as the standard says; tables of bytes may
belong to 16-bit indices (PS3.3 C.7.6.3.1.5 and .6).
"""

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

COLOURS = ("Red", "Green", "Blue")


def coloured(index: NDArray[np.generic], dataset: Dataset) -> NDArray[np.uint8]:
    """The (rows, cols, 3) 8-bit colours that a palette assigns to the indices.

    Raises:
        AttributeError: if there is no palette, or only part of one.
        ValueError: if the palette makes no sense.
    """
    if f"Segmented{COLOURS[0]}PaletteColorLookupTableData" in dataset:
        return _eight_bits(apply_color_lut(index, dataset))
    tables = np.stack([_table(dataset, colour) for colour in COLOURS])
    first = int(dataset.RedPaletteColorLookupTableDescriptor[1])
    places = np.clip(index.astype(np.int64) - first, 0, tables.shape[1] - 1)
    return _eight_bits(np.moveaxis(tables[:, places], 0, -1), int(tables.max()))


def _table(dataset: Dataset, colour: str) -> NDArray[np.uint16]:
    count = int(getattr(dataset, f"{colour}PaletteColorLookupTableDescriptor")[0]) or 1 << 16
    data = getattr(dataset, f"{colour}PaletteColorLookupTableData")
    if len(data) >= 2 * count:
        big = not dataset.original_encoding[1]
        return np.frombuffer(data, ">u2" if big else "<u2", count).astype(np.uint16)
    if len(data) < count:
        raise ValueError(f"a palette of {count} colours holds {len(data)} bytes")
    return np.frombuffer(data, np.uint8, count).astype(np.uint16)


def _eight_bits(colours: NDArray[np.generic], brightest: int | None = None) -> NDArray[np.uint8]:
    """8-bit colours stay as they are; of 16-bit colours an 8-bit display shows the upper byte."""
    if colours.dtype == np.uint8:
        return colours.astype(np.uint8, copy=False)
    low = (int(colours.max()) if brightest is None else brightest) <= 255
    return (colours if low else np.right_shift(colours.astype(np.uint16), 8)).astype(np.uint8)
