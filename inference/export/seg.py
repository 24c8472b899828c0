"""The mask of a captured frame as DICOM SEG, to go with the de-identified frame."""

from datetime import date, time

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import Segmentation, SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat

from inference.export import words
from inference.outcome import Tumour
from inference.safety import INTENDED_USE
from inference.spacing import PixelSpacing

DUMMY_DATE = date(1900, 1, 1)
"""ContentDate needs a value; PS3.15 allows a dummy in place of a date that would point to an operation."""
NOMINAL_MM = 1
"""SliceThickness, which programs need to place a mask: a volume in mm³ then has the same number as the area in mm²."""
COORDINATES = "Coordinates of the picture, not of the patient; a slice thickness of 1 mm is nominal"
_LONG_STRING, _SHORT_TEXT = 64, 1024
"""Characters that a DICOM LO and ST can hold."""


def seg_of(tumour: Tumour, image: Dataset, phase: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Dataset:
    """The mask as a binary DICOM SEG: segment 1 is the tumour; segment 2, where one is seen, the resection cavity.

    If the scale is known, the mask has a frame of reference of its own, rows along y and columns along x, as 3D Slicer
    and dcmqi need it. The coordinates are the picture's, not the patient's, and the thickness is nominal: the
    segment's description says both. Without a scale there are no coordinates, and those programs refuse the file.

    Args:
        tumour: the segmented outcome.
        image: its frame as written by `inference.export.dicom`; highdicom copies patient and study from it.
        phase: the result of `safety.of_phase` for the phase of surgery.
        notes: further lines that go into every export, such as that the user marked the contour as wrong.
    """
    labels = tumour.mask if tumour.cavity is None else tumour.mask + 2 * tumour.cavity.mask
    # Leave out why the scale is unknown: that sentence may name the source's file, and the file name a patient.
    scale = () if tumour.frame.spacing is None else (words.scale(tumour.frame), COORDINATES)
    said = (words.answer(tumour), *words.demonstration(tumour), *notes, *words.warnings(tumour, phase), *scale)
    seg = segmentation_of(tumour, image, labels[None], ". ".join(one.rstrip(".") for one in said))
    if tumour.frame.spacing is not None:
        _place(seg, tumour.frame.spacing)
    return seg


def segmentation_of(tumour: Tumour, image: Dataset, labels: NDArray[np.uint8], said: str) -> Segmentation:
    """A mask as a binary DICOM SEG without coordinates.

    Args:
        tumour: an answer of the model that segmented them.
        image: one frame, as written by this program.
        labels: (1, rows, cols) 1 for tumour, 2 for resection cavity.
        said: the description of the tumour's segment; what DICOM has no room for is left out at its end.
    """
    segments = [_segment(tumour, said), *([_cavity(tumour)] if labels.max() > 1 else [])]
    seg = Segmentation(
        source_images=[image],
        pixel_array=labels,
        segmentation_type="BINARY",
        segment_descriptions=segments,
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
    seg.ContentCreatorName = ""
    _strip_dates(seg)
    return seg


def _place(seg: Segmentation, spacing: PixelSpacing) -> None:
    """Add the picture's coordinates (PS3.3 C.7.6.16.2.1 to .4): (0, 0) mm is the centre of its first pixel."""
    seg.FrameOfReferenceUID = generate_uid()
    seg.PositionReferenceIndicator = ""
    measures, orientation, position = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [DSfloat(spacing.row_mm, auto_format=True), DSfloat(spacing.col_mm, auto_format=True)]
    measures.SliceThickness = NOMINAL_MM
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    position.ImagePositionPatient = [0, 0, 0]
    shared = seg.SharedFunctionalGroupsSequence[0]
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [orientation]
    for frame in seg.PerFrameFunctionalGroupsSequence:  # one a segment, all in one place
        frame.PlanePositionSequence = [position]


def _strip_dates(seg: Segmentation) -> None:
    """Remove the time of export, which may be that of the operation, and equipment that is not ours."""
    del seg.InstanceCreationDate, seg.InstanceCreationTime
    library = seg.ContributingEquipmentSequence[-1]
    del library.ContributionDateTime
    seg.ContributingEquipmentSequence = [library]


def _model(tumour: Tumour) -> str:
    """The model's name as a DICOM LO, where a backslash would start a second value."""
    return tumour.analysis.model.replace("\\", "/")[:_LONG_STRING]


def _segment(tumour: Tumour, said: str) -> SegmentDescription:
    segment = _described(tumour, 1, "Tumour", codes.SCT.Neoplasm)
    room = _SHORT_TEXT - len(f". {INTENDED_USE}")
    said = said.rstrip(".")
    segment.SegmentDescription = f"{said if len(said) <= room else f'{said[: room - 1]}…'}. {INTENDED_USE}"
    return segment


def _cavity(tumour: Tumour) -> SegmentDescription:
    segment = _described(tumour, 2, "Resection cavity", codes.SCT.PostSurgicalAnatomy)
    segment.SegmentDescription = f"Resection cavity, no tumour: not measured. {INTENDED_USE}"
    return segment


def _described(tumour: Tumour, number: int, label: str, kind: Code) -> SegmentDescription:
    return SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=kind,
        algorithm_type="AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            name=_model(tumour),
            family=codes.DCM.ArtificialIntelligence,
            version=tumour.analysis.model_sha256,
        ),
    )
