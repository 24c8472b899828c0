"""DICOM files, read whole or refused: pydicom reads a truncated file without complaint."""

from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from inference.errors import FormatError, NotFoundError
from inference.sources import complaints
from inference.sources.complaints import heard
from inference.sources.dicom_pixels import damage_told


def read_dicom(path: Path, *, header_only: bool = False) -> pydicom.FileDataset:
    """One file, with or without its pixels.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it is not DICOM, or damaged.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.")
    try:
        with damage_told(f"{path} is a damaged DICOM file: copy it again."):
            dataset = pydicom.dcmread(path, stop_before_pixels=header_only)
            for element in dataset.iterall():
                _ = element.value  # convert now, so that damage is reported as such
    except InvalidDicomError as error:
        raise FormatError(f"{path} is not a DICOM file.") from error
    return dataset


def pixels_of(dataset: pydicom.FileDataset, path: Path) -> NDArray[np.generic]:
    """All its frames, as pydicom gives them.

    Raises:
        FormatError: if they cannot be decoded, as in a file that was cut short.
    """
    with heard(), damage_told(f"{path} cannot be decoded: is it whole?"):
        complaints.new()
        pixels: NDArray[np.generic] = dataset.pixel_array
        if complaints.is_partial(complaints.new(), dataset.PixelData):
            raise FormatError(f"{path} is damaged, and a part of a picture is missing: copy it again.")
    return pixels
