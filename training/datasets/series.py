"""Finds DICOM series by their headers: the folder names drop underscores, and the dates mean nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from inference.errors import FormatError
from training.io.dicom import read_dicom


@dataclass(frozen=True, slots=True)
class Series:
    """One folder of DICOM files.

    Attributes:
        files: sorted by name.
        patient: PatientID (0010,0020).
        study: StudyInstanceUID (0020,000D).
        study_said: StudyDescription (0008,1030).
        day: StudyDate (0008,0020), YYYYMMDD; empty where it is not stated.
        time: StudyTime (0008,0030), HHMMSS with a fraction; the same.
        description: SeriesDescription (0008,103E).
        modality: (0008,0060).
        world: FrameOfReferenceUID (0020,0052); empty where it is not stated.
        uid: SeriesInstanceUID (0020,000E), which tells series of one description apart.
        refers_to: the series that a segmentation says it was drawn on (0008,1115).
        damage: the error message if the header cannot be read; the other texts are then empty.
    """

    files: tuple[Path, ...]
    patient: str = ""
    study: str = ""
    study_said: str = ""
    day: str = ""
    time: str = ""
    description: str = ""
    modality: str = ""
    world: str = ""
    uid: str = ""
    refers_to: tuple[str, ...] = ()
    damage: str = ""


def find_series(root: Path) -> Iterator[Series]:
    """Every folder below `root` that holds DICOM files, described by the header of its first file."""
    folders: dict[Path, list[Path]] = {}
    for path in sorted(root.rglob("*.dcm")):
        folders.setdefault(path.parent, []).append(path)
    for files in folders.values():
        try:
            header = read_dicom(files[0], header_only=True)
        except FormatError as error:
            yield Series(tuple(files), damage=str(error))
            continue
        yield _described(tuple(files), header)


def _described(files: tuple[Path, ...], header: Dataset) -> Series:
    """A series as one of its headers describes it."""

    def text(name: str) -> str:
        return str(header.get(name) or "").strip()

    return Series(
        files,
        patient=text("PatientID"),
        study=text("StudyInstanceUID"),
        study_said=text("StudyDescription"),
        day=text("StudyDate"),
        time=text("StudyTime"),
        description=text("SeriesDescription"),
        modality=text("Modality"),
        world=text("FrameOfReferenceUID"),
        uid=text("SeriesInstanceUID"),
        refers_to=tuple(str(one.get("SeriesInstanceUID")) for one in header.get("ReferencedSeriesSequence") or ()),
    )
