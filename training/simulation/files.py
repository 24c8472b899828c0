"""Write simulated patients in the published layouts: RESECT volumes and masks (NIfTI), a calibrated sweep (DICOM)."""

import gzip
import hashlib
import io
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, JPEGBaseline8Bit, generate_uid

from training.io.files import written_aside
from training.simulation import CohortError

US_MULTIFRAME = UID("1.2.840.10008.5.1.4.1.1.3.1")
JPEG_QUALITY = 90
FRAME_TIME_MS = 33.33


def write_nifti(path: Path, image: nib.Nifti1Image) -> None:
    """Write a .nii.gz whose bytes depend on the content only (no time, no name in the gzip header)."""
    raw = image.to_bytes()
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=3, mtime=0) as stream:
        stream.write(raw)
    with written_aside(path) as aside:
        aside.write_bytes(packed.getvalue())


def resect_volume(data: NDArray[np.float32] | NDArray[np.int16], affine: NDArray[np.float64]) -> nib.Nifti1Image:
    """Headers as in RESECT: geometry in the sform only (sform_code 1, qform_code 0)."""
    image = nib.Nifti1Image(data, None)
    image.header.set_xyzt_units("mm")
    image.set_qform(affine, 0)
    image.set_sform(affine, 1)
    return image


def resect_mask(data: NDArray[np.uint8], affine: NDArray[np.float64]) -> nib.Nifti1Image:
    """Headers as in RESECT-SEG: uint8, geometry in the qform only (qform_code 1, sform_code 0)."""
    image = nib.Nifti1Image(data, None)
    image.header.set_xyzt_units("mm")
    image.set_sform(None, 0)
    image.set_qform(affine, 1)
    return image


def sweep_mask(truth: NDArray[np.uint8], pixel_mm: float, step_mm: float) -> nib.Nifti1Image:
    """Truth of a sweep, (frames, rows, cols) in, as (cols, rows, frames) with mm spacing."""
    affine = np.diag([pixel_mm, pixel_mm, step_mm, 1.0])
    image = nib.Nifti1Image(np.ascontiguousarray(truth.transpose(2, 1, 0)), affine)
    image.header.set_xyzt_units("mm")
    return image


def write_sweep(path: Path, frames: NDArray[np.uint8], pixel_mm: float, name: str) -> None:
    """Write frames (frames, rows, cols) as a JPEG multi-frame ultrasound DICOM with one calibrated 2D region.

    Identifiers come from the pixels and the name, so equal input gives equal bytes.
    """
    jpeg = [_jpeg(frame) for frame in frames]
    digest = hashlib.sha256(name.encode() + b"".join(jpeg)).hexdigest()
    sop = generate_uid(entropy_srcs=["sop", digest])
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = US_MULTIFRAME
    meta.MediaStorageSOPInstanceUID = sop
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    meta.ImplementationClassUID = generate_uid(entropy_srcs=["ius simulation"])
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    _identify(data, digest, name)
    data.SOPClassUID, data.SOPInstanceUID = US_MULTIFRAME, sop
    _describe_pixels(data, frames, sum(map(len, jpeg)))
    data.SequenceOfUltrasoundRegions = Sequence([_region(frames.shape[1], frames.shape[2], pixel_mm)])
    data.PixelData = encapsulate(jpeg)
    data["PixelData"].is_undefined_length = True
    with written_aside(path) as aside:
        data.save_as(aside, enforce_file_format=True)


def _jpeg(frame: NDArray[np.uint8]) -> bytes:
    done, code = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise CohortError("OpenCV could not encode a frame as JPEG: reinstall opencv-python-headless.")
    return code.tobytes()


def _identify(data: Dataset, digest: str, name: str) -> None:
    """Who and what: plainly simulated, nobody's data."""
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "SIMULATED^PATIENT", name, "", ""
    data.StudyInstanceUID = generate_uid(entropy_srcs=["study", digest])
    data.SeriesInstanceUID = generate_uid(entropy_srcs=["series", digest])
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "", "", "", ""
    data.ReferringPhysicianName = ""
    data.SeriesNumber, data.InstanceNumber = 1, 1
    data.Modality, data.Manufacturer, data.ManufacturerModelName = "US", "ius simulation", "stochastic B-mode"
    data.SeriesDescription = "SIMULATED native sweep"
    data.ImageComments = "SIMULATED ultrasound of a simulated brain. Research use only. Not for diagnosis or treatment."
    data.ImageType = ["ORIGINAL", "PRIMARY", "INTRAOPERATIVE", "0001"]
    data.BodyPartExamined = "BRAIN"


def _describe_pixels(data: Dataset, frames: NDArray[np.uint8], packed: int) -> None:
    data.NumberOfFrames, data.Rows, data.Columns = frames.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.FrameTime = FRAME_TIME_MS
    data.FrameIncrementPointer = 0x00181063
    data.CineRate, data.RecommendedDisplayFrameRate = 30, 30
    data.LossyImageCompression, data.LossyImageCompressionMethod = "01", "ISO_10918_1"
    data.LossyImageCompressionRatio = round(frames.nbytes / packed, 2)


def _region(rows: int, cols: int, pixel_mm: float) -> Dataset:
    """One 2D tissue region over the whole frame, in cm (PS3.3 C.8.5.5)."""
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = cols - 1, rows - 1
    region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection = 3, 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = pixel_mm / 10.0
    return region
