"""A captured frame as de-identified DICOM, built from scratch: no attribute of the source is ever copied.

UIDs are new and random, and the patient is a constant. Dates are left out, since they point to an operation.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from inference.export import words
from inference.export.capture import Capture
from inference.export.secondary_capture import capture_of_screen
from inference.files import replacing
from inference.frame import View
from inference.outcome import NothingFound, Tumour
from inference.safety import INTENDED_USE
from inference.version import __version__

PATIENT_NAME: Final = "ANONYMOUS^"
PATIENT_ID: Final = "ANONYMOUS"
"""The patient ID in every export."""
MANUFACTURER: Final = "ius"
_SPATIAL_2D, _TISSUE, _CENTIMETRES = 1, 1, 3
_FINE = 1000
"""The largest denominator of an aspect ratio."""


@dataclass(frozen=True, slots=True)
class DicomPair:
    """The files that were written.

    Attributes:
        image: the frame, Ultrasound Image Storage.
        seg: its mask, Segmentation Storage; None where there is no mask to write.
        no_seg: why there is no mask, one sentence; empty otherwise.
        report: the measurements, Comprehensive SR; None where there is no mask or no scale.
        picture: the frame with contour and words burnt in, Secondary Capture.
    """

    image: Path
    picture: Path
    seg: Path | None
    no_seg: str = ""
    report: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return tuple(file for file in (self.image, self.picture, self.seg, self.report) if file is not None)


def write_dicom_pair(capture: Capture, path: Path, *, study_uid: str | None = None) -> DicomPair:
    """Write a frame, itself and with its contour burnt in, its mask if there is one, measurements if there is a scale.

    The scale is written only if it is known: as the frame's ultrasound region, and in words beside the mask.

    Args:
        capture: the outcome.
        path: file for the frame, .dcm; the others get `_picture`, `_seg` and `_report` after its name.
        study_uid: the study of this session's earlier exports; None starts a new one.

    Raises:
        OutputError: if a file cannot be written.
    """
    image = image_of(capture, study_uid or generate_uid())
    save(image, path)
    picture = path.with_name(f"{path.stem}_picture.dcm")
    save(capture_of_screen(capture, image), picture)
    if not isinstance(capture.outcome, Tumour):
        what = "Only a cavity" if words.cavity(capture.outcome) else "Nothing"
        return DicomPair(path, picture, None, f"{what} was segmented in this frame, so no DICOM SEG was written.")
    from inference.export.seg import seg_of  # highdicom takes a second to import, so not at start

    beside = path.with_name(f"{path.stem}_seg.dcm")
    seg = seg_of(capture.outcome, image, capture.phase, capture.notes)
    save(seg, beside)
    if capture.outcome.frame.spacing is None:
        return DicomPair(path, picture, beside)
    from inference.export.sr import sr_of

    report = path.with_name(f"{path.stem}_report.dcm")
    save(sr_of(capture, image, seg), report)
    return DicomPair(path, picture, beside, report=report)


def image_of(capture: Capture, study_uid: str) -> Dataset:
    """The frame as displayed, as an 8-bit grey Ultrasound Image."""
    image = Dataset()
    _patient_and_study(image, study_uid)
    _series(image)
    _description(image, capture)
    _pixels(image, capture)
    _region(image, capture)
    return image


def _patient_and_study(image: Dataset, study_uid: str) -> None:
    """Set patient and study to constants; type 2 attributes stay empty."""
    image.SpecificCharacterSet = "ISO_IR 192"
    image.PatientName, image.PatientID = PATIENT_NAME, PATIENT_ID
    image.StudyInstanceUID = study_uid
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"):
        setattr(image, keyword, "")
    image.ReferringPhysicianName = ""


def _series(image: Dataset) -> None:
    image.Modality = "US"
    image.BodyPartExamined = "BRAIN"
    image.SeriesInstanceUID = generate_uid()
    image.SeriesNumber = image.InstanceNumber = 1
    image.SeriesDescription = INTENDED_USE
    image.Manufacturer = MANUFACTURER
    image.SoftwareVersions = __version__
    image.SOPClassUID = UltrasoundImageStorage
    image.SOPInstanceUID = generate_uid()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID


def _description(image: Dataset, capture: Capture) -> None:
    """Describe the frame without the source's name, which may be a patient's."""
    frame = capture.outcome.frame
    image.ImageType = ["DERIVED", "SECONDARY"]
    image.PatientOrientation = ""
    # Burnt-in text can name a patient just as an attribute can.
    image.PatientIdentityRemoved = "NO" if capture.text_kept else "YES"
    if not capture.text_kept:
        image.DeidentificationMethod = "Made new, no attribute copied; outside the sector black"
    said = ["SIMULATED"] if frame.origin.simulated else []
    said.append("Scale unknown." if frame.spacing is None else f"{words.scale(frame)}.")
    if frame.origin.view is View.SLICE:
        said.append("Reconstructed slice, not probe view.")
    if isinstance(capture.outcome, Tumour | NothingFound):
        said += capture.phase
    notes = [note for note in capture.notes if note not in said]
    image.ImageComments = "\r\n".join([*said, *notes, capture.outside_words, INTENDED_USE])
    black, white = capture.levels
    image.DerivationDescription = f"Grey values {black:g} to {white:g} shown as 0 to 255. {capture.outside_words}"


def _pixels(image: Dataset, capture: Capture) -> None:
    image.Rows, image.Columns = capture.pixels.shape
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit = 7
    image.PixelRepresentation = 0
    image.PixelData = capture.pixels.tobytes() + b"\0" * (capture.pixels.size % 2)


def _region(image: Dataset, capture: Capture) -> None:
    """Add the sector's bounding box with its scale in cm; add nothing if the scale is unknown."""
    frame = capture.outcome.frame
    if frame.spacing is None:
        return
    tissue = capture.inside
    if isinstance(capture.outcome, Tumour):
        tissue = np.maximum(tissue, capture.outcome.mask)
    x0, y0, width, height = cv2.boundingRect(tissue)
    region = Dataset()
    region.RegionSpatialFormat = _SPATIAL_2D
    region.RegionDataType = _TISSUE
    region.RegionFlags = 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = x0, y0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = x0 + width - 1, y0 + height - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = _CENTIMETRES
    region.PhysicalDeltaX = frame.spacing.col_mm / 10
    region.PhysicalDeltaY = frame.spacing.row_mm / 10
    image.SequenceOfUltrasoundRegions = [region]
    if words.distorted(frame):  # viewers draw by this alone (PS3.3 C.7.6.3.1.7)
        tall = Fraction(frame.spacing.row_mm / frame.spacing.col_mm).limit_denominator(_FINE)
        image.PixelAspectRatio = [tall.numerator, tall.denominator]


def save(dataset: Dataset, path: Path) -> None:
    """Write a data set as a file.

    Raises:
        OutputError: if it cannot be written.
    """
    with replacing(path) as aside:
        dcmwrite(aside, dataset, enforce_file_format=True)
