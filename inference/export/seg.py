"""The mask of a captured frame as DICOM SEG, beside the de-identified frame it belongs to."""

from datetime import date, time

from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import Segmentation, SegmentDescription
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from inference.export import words
from inference.outcome import Tumour
from inference.safety import INTENDED_USE

DUMMY_DATE = date(1900, 1, 1)
"""ContentDate has to have a value; PS3.15 lets a dummy stand for one that would point to an operation."""
_LONG_STRING = 64
"""Characters of DICOM's LO."""


def seg_of(tumour: Tumour, image: Dataset) -> Dataset:
    """The mask as a binary DICOM SEG of one segment.

    The scale stands in the frame it refers to, and here in words: pixel measures without a slice thickness, which a
    single picture hasn't, are valid, but highdicom cannot read them back; a made-up thickness is out of the question.

    Args:
        tumour: what was segmented.
        image: its frame as written by `inference.export.dicom`: highdicom copies patient and study out of it.
    """
    seg = Segmentation(
        source_images=[image],
        pixel_array=tumour.mask[None],
        segmentation_type="BINARY",
        segment_descriptions=[_segment(tumour)],
        series_instance_uid=generate_uid(),
        series_number=2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=image.Manufacturer,
        manufacturer_model_name=_model(tumour),
        software_versions=image.SoftwareVersions,
        device_serial_number=tumour.analysis.model_sha256,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        content_label="TUMOUR",
        content_description=INTENDED_USE,
        content_date=DUMMY_DATE,
        content_time=time(),
        series_description=INTENDED_USE,
    )
    seg.PatientOrientation = ""
    _strip_dates(seg)
    return seg


def _strip_dates(seg: Segmentation) -> None:
    """Take off the moment of export, which may be that of the operation, and equipment that we are not."""
    del seg.InstanceCreationDate, seg.InstanceCreationTime
    library = seg.ContributingEquipmentSequence[-1]
    del library.ContributionDateTime
    seg.ContributingEquipmentSequence = [library]


def _model(tumour: Tumour) -> str:
    """The model's name as a DICOM LO, in which a backslash would begin a second value."""
    return tumour.analysis.model.replace("\\", "/")[:_LONG_STRING]


def _segment(tumour: Tumour) -> SegmentDescription:
    analysis = tumour.analysis
    segment = SegmentDescription(
        segment_number=1,
        segment_label="Tumour",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type="AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            name=_model(tumour),
            family=codes.DCM.ArtificialIntelligence,
            version=analysis.model_sha256,
        ),
    )
    # Without the reason for an unknown scale: it may name the source's file, and that a patient.
    scale = () if tumour.frame.spacing is None else (words.scale(tumour.frame),)
    said = (words.answer(tumour), *words.warnings(tumour), *scale, *words.demonstration(tumour))
    segment.SegmentDescription = ". ".join([*said, INTENDED_USE])
    return segment
