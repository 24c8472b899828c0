"""Finds DICOM series by their headers: the folder names drop underscores, and the dates mean nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inference.errors import FormatError
from training.io.dicom import read_dicom


@dataclass(frozen=True, slots=True)
class Series:
    """One folder of DICOM files.

    Attributes:
        files: sorted by name.
        patient: PatientID (0010,0020).
        study: StudyInstanceUID (0020,000D).
        description: SeriesDescription (0008,103E).
        modality: (0008,0060).
        world: FrameOfReferenceUID (0020,0052); empty where it is not stated.
        damage: the error message if the header cannot be read; the other texts are then empty.
    """

    files: tuple[Path, ...]
    patient: str = ""
    study: str = ""
    description: str = ""
    modality: str = ""
    world: str = ""
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
        names = ("PatientID", "StudyInstanceUID", "SeriesDescription", "Modality", "FrameOfReferenceUID")
        yield Series(tuple(files), *(str(header.get(name) or "").strip() for name in names))
