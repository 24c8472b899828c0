"""Masks of many frames of one picture file in one DICOM SEG, each with the number of its frame.

highdicom makes a SEG of several frames only where the picture has coordinates, which ultrasound of a moving probe has
not. So it makes one of a single frame, and the frames are put in here (PS3.3 A.51, C.7.6.16).
"""

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UltrasoundMultiFrameImageStorage, generate_uid


def put_frames(seg: Dataset, labels: NDArray[np.uint8]) -> None:
    """Replace a SEG's one frame by those of all masks that are not empty.

    Args:
        seg: a SEG of one frame, whose picture file becomes an Ultrasound Multi-frame Image of as many as `labels`.
        labels: (frames, rows, cols) the number of the segment that each pixel belongs to; 0 for none.
    """
    places = [
        (segment, number)
        for segment in range(1, len(seg.SegmentSequence) + 1)
        for number in range(len(labels))
        if (labels[number] == segment).any()
    ]
    template = seg.PerFrameFunctionalGroupsSequence[0]
    source = template.DerivationImageSequence[0].SourceImageSequence[0]
    for reference in (source, seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0]):
        reference.ReferencedSOPClassUID = UltrasoundMultiFrameImageStorage
    seg.PerFrameFunctionalGroupsSequence = [_groups(template, segment, number + 1) for segment, number in places]
    shared = seg.SharedFunctionalGroupsSequence[0]
    if "SegmentIdentificationSequence" in shared:
        del shared.SegmentIdentificationSequence
    _index(seg)
    seg.NumberOfFrames = len(places)
    seg.PixelData = _packed(labels, places)


def _groups(template: Dataset, segment: int, frame: int) -> Dataset:
    """What is said of one mask: its segment, and the frame of the picture file that it is of, from 1."""
    groups, content, identification = deepcopy(template), Dataset(), Dataset()
    identification.ReferencedSegmentNumber = segment
    groups.SegmentIdentificationSequence = [identification]
    content.DimensionIndexValues = [segment, frame]
    content.TemporalPositionIndex = frame
    groups.FrameContentSequence = [content]
    groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber = frame
    return groups


def _index(seg: Dataset) -> None:
    """The masks are in order of their segments, then of their frames."""
    organisation, uid = Dataset(), generate_uid()
    organisation.DimensionOrganizationUID = uid
    seg.DimensionOrganizationSequence = [organisation]
    seg.DimensionIndexSequence = [
        _dimension(uid, Tag("ReferencedSegmentNumber"), Tag("SegmentIdentificationSequence"), "Segment"),
        _dimension(uid, Tag("TemporalPositionIndex"), Tag("FrameContentSequence"), "Frame of the picture"),
    ]


def _dimension(uid: str, pointer: BaseTag, group: BaseTag, label: str) -> Dataset:
    dimension = Dataset()
    dimension.DimensionOrganizationUID = uid
    dimension.DimensionIndexPointer, dimension.FunctionalGroupPointer = pointer, group
    dimension.DimensionDescriptionLabel = label
    return dimension


def _packed(labels: NDArray[np.uint8], places: Sequence[tuple[int, int]]) -> bytes:
    """Eight pixels a byte, the first one in the lowest bit, without gaps between frames (PS3.5 8.1.1).

    Args:
        labels: (frames, rows, cols).
        places: segment and frame of each mask.
    """
    packed = bytearray()
    for at in range(0, len(places), 8):  # eight frames fill whole bytes; a long record's masks would fill the memory
        masks = np.stack([labels[number] == segment for segment, number in places[at : at + 8]])
        packed += np.packbits(masks.ravel(), bitorder="little").tobytes()
    return bytes(packed) + b"\0" * (len(packed) % 2)
