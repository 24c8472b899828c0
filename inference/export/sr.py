"""The measurements on a captured frame as a DICOM structured report (PS3.16 TID 1500), to go with frame and mask."""

from datetime import datetime

from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegmentationFrame,
    SourceImageForSegmentation,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from inference.export import words
from inference.export.capture import Capture
from inference.outcome import SizeState, Tumour
from inference.safety import INTENDED_USE
from inference.spacing import Provenance

SCHEME = "99IUS"
"""Coding scheme for the codes that no published scheme has."""
SIZE = Code("SIZE_STATE", SCHEME, "Size of the largest region against the model's limits")
SIZES = {
    SizeState.ABOVE_200: Code("ABOVE_200", SCHEME, "Above the model's limit: no size warning, not a promise"),
    SizeState.AT_MOST_200: Code("AT_MOST_200", SCHEME, "Small by the model's limit: contour unreliable"),
    SizeState.AT_MOST_35: Code("AT_MOST_35", SCHEME, "Very small by the model's limit: contour unreliable"),
}
EXTENT = Code("EXTENT", SCHEME, "Whether the contour is whole")
WHOLE = Code("WHOLE", SCHEME, "Whole within the picture")
CUT = Code("CUT", SCHEME, "Cut by the picture's edge: the area is a lower bound")
SCALE = Code("SCALE_ORIGIN", SCHEME, "Origin of the scale")
_DUMMY = datetime(1900, 1, 1)  # noqa: DTZ001 - a dummy in place of a time that would point to an operation


def sr_of(capture: Capture, image: Dataset, seg: Dataset) -> Dataset:
    """Report the mask's area and its largest region's diameters, with size state, model and the scale's origin.

    Args:
        capture: a tumour on a frame with a scale, and the notes that go into every export.
        image: its frame as written by `inference.export.dicom`.
        seg: its mask as written by `inference.export.seg`.

    Raises:
        ValueError: if nothing was segmented or the frame has no scale, so there is nothing in mm to report.
    """
    tumour = capture.outcome
    if not isinstance(tumour, Tumour) or tumour.frame.spacing is None or tumour.area_mm2 is None:
        raise ValueError("without a contour and a scale nothing was measured")
    group = PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=generate_uid(), identifier="Tumour"),
        referenced_segment=ReferencedSegmentationFrame(
            sop_class_uid=seg.SOPClassUID,
            sop_instance_uid=seg.SOPInstanceUID,
            frame_number=1,
            segment_number=1,
            source_image=SourceImageForSegmentation(image.SOPClassUID, image.SOPInstanceUID),
        ),
        finding_type=codes.SCT.Neoplasm,
        finding_category=codes.SCT.MorphologicallyAbnormalStructure,
        algorithm_id=AlgorithmIdentification(
            name=tumour.analysis.model,
            version=tumour.analysis.model_sha256,
            parameters=[*_said(tumour, capture.phase), *capture.notes],
        ),
        measurements=_measured(tumour, tumour.area_mm2),
        qualitative_evaluations=_judged(tumour, tumour.frame.spacing.provenance),
    )
    device = DeviceObserverIdentifyingAttributes(
        uid=generate_uid(), name=image.Manufacturer, manufacturer_name=image.Manufacturer
    )
    observer = ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    report = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer),
        procedure_reported=codes.SCT.Ultrasonography,
        imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport,
    )
    written = ComprehensiveSR(
        evidence=[image, seg],
        content=report,
        series_number=3,
        series_instance_uid=generate_uid(),
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=image.Manufacturer,
        is_complete=True,
        is_final=False,
        is_verified=False,
        content_date=_DUMMY.date(),
        content_time=_DUMMY.time(),
    )
    written.SeriesDescription, written.SoftwareVersions = INTENDED_USE, image.SoftwareVersions
    _mend(written, seg)
    return written


def _mend(report: ComprehensiveSR, seg: Dataset) -> None:
    """Remove the time of export, and the frame number that PS3.3 C.17.3.2.1 forbids next to a segment number."""
    del report.InstanceCreationDate, report.InstanceCreationTime
    library = report.ContributingEquipmentSequence[-1]
    del library.ContributionDateTime
    report.ContributingEquipmentSequence = [library]
    references = [item.value[0] for item in report.iterall() if item.keyword == "ReferencedSOPSequence"]
    for reference in references:
        if reference.ReferencedSOPInstanceUID == seg.SOPInstanceUID and "ReferencedSegmentNumber" in reference:
            del reference.ReferencedFrameNumber


def _measured(tumour: Tumour, area_mm2: float) -> list[Measurement]:
    """Area of the whole mask in mm²; diameters of the largest region in mm."""
    found = [Measurement(name=codes.SCT.Area, value=round(area_mm2, 2), unit=codes.UCUM.SquareMillimeter)]
    across = tumour.largest.diameters
    if across is not None:
        lengths = ((codes.SCT.LongAxis, across.longest_mm), (codes.SCT.ShortAxis, across.perpendicular_mm))
        found += [Measurement(name, round(length, 2), codes.UCUM.Millimeter) for name, length in lengths]
    return found


def _judged(tumour: Tumour, scale: Provenance) -> list[QualitativeEvaluation]:
    """Size state, whether the contour is whole, and where the scale comes from."""
    pairs = [
        (EXTENT, CUT if tumour.touches_edge else WHOLE),
        (SCALE, Code(scale.value.upper(), SCHEME, scale.words)),
    ]
    if tumour.size is not None:
        pairs.insert(0, (SIZE, SIZES[tumour.size]))
    return [QualitativeEvaluation(name=_coded(name), value=_coded(value)) for name, value in pairs]


def _coded(code: Code) -> CodedConcept:
    return CodedConcept(value=code.value, scheme_designator=code.scheme_designator, meaning=code.meaning)


def _said(tumour: Tumour, phase: tuple[str, ...]) -> list[str]:
    """The sentences that must accompany the numbers."""
    said = (*words.warnings(tumour, phase), words.scale(tumour.frame), f"mode {tumour.analysis.mode.value}")
    return [*_of_which(tumour), *said, *words.demonstration(tumour), INTENDED_USE]


def _of_which(tumour: Tumour) -> tuple[str, ...]:
    """Of which regions the numbers are; empty if there is only one."""
    count, largest = len(tumour.regions), tumour.largest.area_mm2
    if count == 1 or largest is None:
        return ()
    return (f"Area of {count} regions; size and axes are those of the largest, which has {largest:.2f} mm2",)
