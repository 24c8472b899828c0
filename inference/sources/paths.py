"""What kind of source a path is, found out before any library is loaded for it."""

import re
from collections.abc import Iterable
from pathlib import Path

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".mpg", ".mpeg", ".webm", ".wmv")
RECORDS = (".mcap",)
DICOM = (".dcm", ".dicom")
DICOMDIR = "DICOMDIR"
"""The table of contents of a disc of DICOM files (PS3.10)."""
SEQUENCES = (".igs.mha", ".igs.mhd", ".igs.nrrd", ".igs.nhdr", ".seq.nrrd", ".seq.nhdr")
SEQUENCE_FIELD = re.compile(rb"^(Seq_Frame\d+_|kinds\s*[:=].*\b(list|time)\b)", re.IGNORECASE | re.MULTILINE)
"""Found in the header of a tracked sequence, but not in that of a volume."""
VOLUME_FIELD = re.compile(rb"^kinds\s*=\s*domain\s+domain\s+domain\s*$", re.IGNORECASE | re.MULTILINE)
"""Marks a volume: PLUS writes the keys of one frame into the volumes it reconstructs, too."""
_QUERY = re.compile(r"[?#;]")
_SECRET = re.compile(r"(user|usr|login|pass|pwd|psw|token|key|auth|secret|sig)\w*?[=:][^/]*", re.IGNORECASE)
HEAD = 1 << 14
"""Bytes of a header that must contain these fields."""


def suffix_of(path: Path) -> str:
    """The suffix in lower case, with .nii.gz as one."""
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
    """Whether a file is a PLUS or 3D Slicer sequence: by name, or by header, as older ones are named like volumes."""
    if path.name.lower().endswith(SEQUENCES):
        return True
    if suffix_of(path) not in (".mha", ".mhd", ".nrrd", ".nhdr") or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(HEAD)
    return SEQUENCE_FIELD.search(head) is not None and VOLUME_FIELD.search(head) is None


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """Paths sorted by name, with the numbers in them compared as numbers: 2 before 10."""
    return sorted(paths, key=lambda path: [_part(part) for part in re.split(r"(\d+)", path.name)])


def _part(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() else (-1, text.lower())


def shown_address(url: str) -> str:
    """A stream's address without whatever may be a user name or password; any other text unchanged.

    Passwords stand before an @, and may hold any sign themselves; in the query; and, with some cameras, in the path:
    rtsp://camera/user=admin_password=secret_channel=1.
    """
    scheme, found, rest = url.partition("://")
    if not found:
        return url
    place = _QUERY.split(rest.rpartition("@")[2], maxsplit=1)[0]
    return f"{scheme}://{_SECRET.sub('…', place)}"
