"""Small whole files of every format that is read, made by code; and what time, discs and networks do to them."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from inference.frame import Frame, Origin, View
from inference.recording.entries import opening_of, picture_of
from inference.recording.writer import RecordFile
from inference.source_info import SourceInfo
from inference.spacing import PixelSpacing, Provenance

Pixels = NDArray[np.uint8]
JPEG2000 = UID("1.2.840.10008.1.2.4.91")
SPACING = 0.3
"""mm a pixel of every file that states one."""
SHAPE = (3, 96, 128)


def frames() -> Pixels:
    """(frames, rows, cols) speckle."""
    noise = np.random.default_rng(0).integers(20, 220, SHAPE).astype(np.uint8)
    return np.stack([cv2.GaussianBlur(frame, (7, 7), 2) for frame in noise]).astype(np.uint8)


def _itk(name: str, *, packed: bool = False) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        image = sitk.GetImageFromArray(frames())
        image.SetSpacing((SPACING, SPACING, 1.0))
        sitk.WriteImage(image, str(folder / name), packed)
        return folder / name

    return write


def _nifti(name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        nib.Nifti1Image(frames().T, np.diag([SPACING, SPACING, 1.0, 1.0])).to_filename(folder / name)
        return folder / name

    return write


def _picture(name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        assert cv2.imwrite(str(folder / name), frames()[0])
        return folder / name

    return write


def _pages(folder: Path) -> Path:
    assert cv2.imwritemulti(str(folder / "a.tif"), list(frames()))
    return folder / "a.tif"


def _video(name: str, codec: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        writer = cv2.VideoWriter(str(folder / name), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 25.0, SHAPE[:0:-1])
        for frame in np.concatenate([frames()] * 4):
            writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
        writer.release()
        return folder / name

    return write


def _dicom(name: str, syntax: UID) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = syntax
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = UltrasoundMultiFrameImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(entropy_srcs=["fuzz"])
        data.NumberOfFrames, data.Rows, data.Columns = SHAPE
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 8
        data.HighBit, data.PixelRepresentation = 7, 0
        data.PixelSpacing = [SPACING, SPACING]
        data.PixelData = frames().tobytes()
        if syntax == JPEGBaseline8Bit:
            data.PixelData = encapsulate([cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames()])
            data["PixelData"].is_undefined_length = True
        elif syntax == JPEG2000:
            packed = [cv2.imencode(".jp2", frame)[1].tobytes() for frame in frames()]
            data.PixelData = encapsulate([one[one.index(b"\xff\x4f\xff\x51") :] for one in packed])
            data["PixelData"].is_undefined_length = True
        elif syntax not in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
            data.compress(syntax, frames())
        pydicom.dcmwrite(folder / name, data, enforce_file_format=True)
        return folder / name

    return write


def _record(folder: Path) -> Path:
    path, origin = folder / "a.mcap", Origin("probe", View.NATIVE, live=True)
    spacing = PixelSpacing(SPACING, SPACING, Provenance.HEADER)
    file = RecordFile(path, opening_of(SourceInfo(origin, *SHAPE[1:], spacing, "", (0.0, 255.0))))
    for number, pixels in enumerate(frames()):
        file.append(picture_of(Frame(number, pixels, spacing, number / 25, origin), number, 0.0))
    file.close()
    return path


def _sequence(folder: Path) -> Path:
    lines = ["ObjectType = Image", "NDims = 3", f"DimSize = {SHAPE[2]} {SHAPE[1]} {SHAPE[0]}", "BinaryData = True"]
    lines += ["ElementType = MET_UCHAR", f"ElementSpacing = {SPACING} {SPACING} 1", "Kinds = domain domain list"]
    lines += [f"Seq_Frame{number:04}_ImageStatus = OK" for number in range(SHAPE[0])]
    lines += [f"Seq_Frame{number:04}_Timestamp = {number / 25}" for number in range(SHAPE[0])]
    path = folder / "a.igs.mha"
    path.write_bytes("\n".join([*lines, "ElementDataFile = LOCAL\n"]).encode() + frames().tobytes())
    return path


FORMATS: dict[str, Callable[[Path], Path]] = {
    "nifti": _nifti("a.nii"),
    "nifti-gz": _nifti("a.nii.gz"),
    "nrrd": _itk("a.nrrd"),
    "nrrd-gz": _itk("b.nrrd", packed=True),
    "mha": _itk("a.mha"),
    "mha-z": _itk("b.mha", packed=True),
    "sequence": _sequence,
    "png": _picture("a.png"),
    "jpeg": _picture("a.jpg"),
    "bmp": _picture("a.bmp"),
    "tiff": _pages,
    "avi": _video("a.avi", "MJPG"),
    "mp4": _video("a.mp4", "mp4v"),
    "mkv": _video("a.mkv", "MJPG"),
    "dicom": _dicom("a.dcm", ExplicitVRLittleEndian),
    "dicom-jpeg": _dicom("b.dcm", JPEGBaseline8Bit),
    "dicom-j2k": _dicom("c.dcm", JPEG2000),
    "dicom-jls": _dicom("d.dcm", UID("1.2.840.10008.1.2.4.80")),
    "dicom-deflated": _dicom("e.dcm", DeflatedExplicitVRLittleEndian),
    "record": _record,
}
"""What writes a whole file of a format into a folder."""

NUMBERS = [
    b"0",
    b"-1",
    b"1e-300",
    b"1e300",
    b"nan",
    b"inf",
    b"99999999999",
    b"0.0003",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
]


def mutated(data: bytes, seed: int) -> bytes:
    """The file after one accident, always the same one for a seed: more of them in the first kilobyte, the header."""
    generator = np.random.default_rng(seed)
    changed = bytearray(data)
    reach = len(changed) if generator.random() < 0.4 else min(len(changed), 1024)
    for _ in range(int(generator.integers(1, 5))):
        at = int(generator.integers(reach))
        match int(generator.integers(6)):
            case 0:
                changed[at] ^= 1 << int(generator.integers(8))
            case 1:
                changed[at] = int(generator.integers(256))
            case 2:
                number = NUMBERS[int(generator.integers(len(NUMBERS)))]
                changed[at : at + len(number)] = number
            case 3:
                del changed[at : at + int(generator.integers(1, 64))]
            case 4:
                changed[at:at] = bytes(generator.integers(0, 256, int(generator.integers(1, 64)), dtype=np.uint8))
            case _:
                del changed[max(1, int(generator.integers(len(changed)))) :]
        reach = min(reach, len(changed))
        if reach == 0:
            break
    return bytes(changed)


def bombs() -> dict[str, bytes]:
    """Small files that would grow to gigabytes."""
    header = nib.Nifti1Header()
    header.set_data_shape((2000, 2000, 1000))
    header.set_data_dtype(np.uint8)
    zeros = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    begun = zeros.compress(bytes(header.binaryblock))
    packed = begun + b"".join(zeros.compress(bytes(1 << 24)) for _ in range(64)) + zeros.flush()
    nrrd = b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2000 2000 1000\nencoding: gzip\nspacings: .3 .3 1\n\n"
    mha = b"NDims = 3\nDimSize = 2000 2000 1000\nElementType = MET_UCHAR\nCompressedData = True\n"
    mha += b"ElementDataFile = LOCAL\n"
    page = struct.pack("<4sI", b"II*\0", 8) + struct.pack("<HHHIIHHIII", 2, 256, 4, 1, 60000, 257, 4, 1, 60000, 0)
    return {"a.nii.gz": packed, "a.nrrd": nrrd + packed, "a.mha": mha + packed, "a.tif": page}
