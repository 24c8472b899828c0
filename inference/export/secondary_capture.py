"""The picture as people see it, as DICOM for every viewer: contour and words burnt in (PS3.3 A.8.1)."""

from dataclasses import replace

import cv2
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from inference.export.capture import Capture
from inference.export.picture import annotated

SERIES = 4
_SHARED = (
    *("SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName", "Manufacturer"),
    *("SoftwareVersions", "SeriesDescription", "BodyPartExamined", "ImageComments", "PatientIdentityRemoved"),
    *("DeidentificationMethod", "PatientOrientation"),
)
"""What it has in common with the frame that it shows, which was made new itself."""


def capture_of_screen(capture: Capture, image: Dataset) -> Dataset:
    """The frame with its contour and caption, in colour. It has no scale: a caption is not to be measured.

    Args:
        capture: the outcome.
        image: its frame as written by `inference.export.dicom`.
    """
    burnt = Dataset()
    for keyword in _SHARED:
        if keyword in image:
            setattr(burnt, keyword, image[keyword].value)
    burnt.file_meta = FileMetaDataset()
    burnt.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    burnt.SOPClassUID = burnt.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    burnt.SOPInstanceUID = burnt.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    burnt.SeriesInstanceUID = generate_uid()
    burnt.SeriesNumber, burnt.InstanceNumber = SERIES, 1
    burnt.Modality, burnt.ConversionType = "OT", "WSD"
    burnt.ImageType = ["DERIVED", "SECONDARY"]
    burnt.BurnedInAnnotation = "YES"
    burnt.DerivationDescription = f"Contour and words burnt in. {image.DerivationDescription}"
    burnt.SourceImageSequence = [_reference(image)]
    _pixels(burnt, _undated(capture))
    return burnt


def _undated(capture: Capture) -> Capture:
    """The same without the name of a record, which tells when the operation was, as no date of a DICOM may."""
    frame = capture.outcome.frame
    unnamed = replace(frame, origin=replace(frame.origin, record=False))
    return replace(capture, outcome=replace(capture.outcome, frame=unnamed), sector=capture.inside)


def _reference(image: Dataset) -> Dataset:
    source = Dataset()
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    return source


def _pixels(burnt: Dataset, capture: Capture) -> None:
    picture = cv2.cvtColor(annotated(capture), cv2.COLOR_BGR2RGB)
    burnt.Rows, burnt.Columns, burnt.SamplesPerPixel = picture.shape
    burnt.PhotometricInterpretation, burnt.PlanarConfiguration = "RGB", 0
    burnt.BitsAllocated = burnt.BitsStored = 8
    burnt.HighBit, burnt.PixelRepresentation = 7, 0
    burnt.PixelData = picture.tobytes() + b"\0" * (picture.size % 2)
