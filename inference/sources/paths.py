"""What a path is, before any library is loaded for it."""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".mpg", ".mpeg", ".webm", ".wmv")
RECORDS = (".mcap",)
DICOM = (".dcm", ".dicom")
DICOMDIR = "DICOMDIR"
"""The table of contents of a disc of DICOM files (PS3.10)."""
SEQUENCES = (".igs.mha", ".igs.mhd", ".igs.nrrd", ".igs.nhdr", ".seq.nrrd", ".seq.nhdr")
SEQUENCE_FIELD = re.compile(rb"^(Seq_Frame\d+_|kinds\s*[:=].*\b(list|time)\b)", re.IGNORECASE | re.MULTILINE)
"""What the header of a tracked sequence holds and that of a volume doesn't."""
VOLUME_FIELD = re.compile(rb"^kinds\s*=\s*domain\s+domain\s+domain\s*$", re.IGNORECASE | re.MULTILINE)
"""PLUS writes the keys of one frame into volumes that it reconstructed, too."""
HEAD = 1 << 14
"""Bytes of a header in which it has to stand."""


def suffix_of(path: Path) -> str:
    """The suffix in small letters, .nii.gz as one."""
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()


def is_dicom(path: Path) -> bool:
    """Whether a file carries DICOM's mark after its preamble."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def dicom_files(path: Path) -> list[Path]:
    """The file itself, or the DICOM files of a folder in natural order; none if it is neither."""
    files = path.iterdir() if path.is_dir() else [path]
    return natural_order(file for file in files if is_dicom(file) and (file.name != DICOMDIR or file == path))


def is_sequence(path: Path) -> bool:
    """Whether a file is a sequence of PLUS or 3D Slicer: by name or, as older ones are named like volumes, header."""
    if path.name.lower().endswith(SEQUENCES):
        return True
    if suffix_of(path) not in (".mha", ".mhd", ".nrrd", ".nhdr") or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(HEAD)
    return SEQUENCE_FIELD.search(head) is not None and VOLUME_FIELD.search(head) is None


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """Paths by name, with the numbers in them compared as numbers: 2 before 10."""
    return sorted(paths, key=lambda path: [_part(part) for part in re.split(r"(\d+)", path.name)])


def _part(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() else (-1, text.lower())


def shown_address(url: str) -> str:
    """The address of a stream without user name and password; any other text as it is."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
