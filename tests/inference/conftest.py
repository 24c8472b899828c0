"""Files as scanners, libraries and accidents write them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage, generate_uid

from inference.sources import open_here as open_source
from inference.sources.base import RecordedSource

OBLIQUE = (0.8, -0.6, 0.0, 0.48, 0.64, -0.6, 0.36, 0.48, 0.8)
"""Row-major directions of a grid that is turned about two axes."""


@pytest.fixture(scope="session")
def real_dicom() -> Callable[[str], str]:
    """Path of a real file of pydicom or pydicom-data, which ship in their wheels."""

    def path(name: str) -> str:
        found = get_testdata_file(name, download=False)
        if found is None:
            pytest.skip(f"{name} is not in this pydicom-data")
        return str(found)

    return path


@pytest.fixture
def write_volume(tmp_path: Path) -> Callable[..., Path]:
    """Writes a volume with SimpleITK, oblique and anisotropic unless told otherwise."""

    def write(
        name: str,
        voxels: NDArray[Any],
        spacing: Sequence[float] = (0.3, 0.5, 1.25),
        direction: Sequence[float] = OBLIQUE,
    ) -> Path:
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing(list(spacing[: voxels.ndim]))
        if voxels.ndim == 3:
            image.SetDirection(list(direction))
            image.SetOrigin((-12.5, 7.25, 40.0))
        path = tmp_path / name
        sitk.WriteImage(image, str(path))
        return path

    return write


@pytest.fixture
def open_bytes(tmp_path: Path) -> Callable[..., RecordedSource]:
    """Opens bytes as a file of some name."""

    def opened(name: str, data: bytes, **options: Any) -> RecordedSource:
        path = tmp_path / name
        path.write_bytes(data)
        return open_source(str(path), **options)

    return opened


def region(box: tuple[int, int, int, int] = (10, 5, 99, 74), **changes: Any) -> Dataset:
    """A calibrated 2D tissue region, corners inclusive, with some elements changed or (None) left out."""
    x0, y0, x1, y1 = box
    elements: dict[str, Any] = {
        "RegionSpatialFormat": 1,
        "RegionDataType": 1,
        "RegionLocationMinX0": x0,
        "RegionLocationMinY0": y0,
        "RegionLocationMaxX1": x1,
        "RegionLocationMaxY1": y1,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.02,
        "PhysicalDeltaY": 0.03,
    }
    item = Dataset()
    for keyword, value in {**elements, **changes}.items():
        if value is not None:
            setattr(item, keyword, value)
    return item


@pytest.fixture
def us_region() -> Callable[..., Dataset]:
    """Makes an ultrasound region."""
    return region


@pytest.fixture
def write_dicom(tmp_path: Path) -> Callable[..., Path]:
    """Writes an uncompressed grey multi-frame ultrasound clip."""

    def write(name: str, frames: NDArray[np.uint8], regions: Sequence[Dataset] = (), **elements: Any) -> Path:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.SOPClassUID = UltrasoundMultiFrameImageStorage
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
        dataset.SeriesInstanceUID = "1.2.3"
        dataset.PatientName = "Doe^Jane"
        dataset.PatientID = "0815"
        dataset.NumberOfFrames, dataset.Rows, dataset.Columns = frames.shape
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 8
        dataset.HighBit = 7
        dataset.PixelRepresentation = 0
        dataset.PixelData = frames.tobytes() + b"\0" * (frames.size % 2)
        if regions:
            dataset.SequenceOfUltrasoundRegions = DicomSequence(regions)
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        path = tmp_path / name
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def fan() -> NDArray[np.uint8]:
    """(90, 120) speckle inside a fan, 40 to 250, exactly 0 outside."""
    y, x = np.mgrid[:90, :120].astype(float)
    down, across = y + 20, x - 59.5
    radius = np.hypot(down, across)
    inside = (np.abs(np.arctan2(across, down)) < 0.6) & (radius > 28) & (radius < 90)
    speckle = np.random.default_rng(1).integers(40, 251, inside.shape)
    return np.where(inside, speckle, 0).astype(np.uint8)
