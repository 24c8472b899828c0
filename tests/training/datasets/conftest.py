"""Small copies of the published data sets, written by code with every quirk of the real files."""

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from scipy.spatial.transform import Rotation

TURNED = Rotation.from_euler("zyx", [40, 10, -5], degrees=True).as_matrix()
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


def fan(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """A fan that fills about 30 % of the box: random float32 inside, exactly 0 outside."""
    i, j, k = np.indices(shape)
    inside = (np.abs(i - shape[0] / 2) < 0.25 + 0.42 * j) & (np.abs(k - shape[2] / 2) < 0.3 * shape[2])
    return np.where(inside, np.random.default_rng(seed).uniform(1, 160, shape), 0).astype(np.float32)


def save(path: Path, data: np.ndarray, affine: np.ndarray, form: str = "both") -> Path:
    """A NIfTI file whose geometry is in the sform, the qform, or both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(data, None if form != "both" else affine)
    if form == "sform":
        image.set_qform(affine, 0)
        image.set_sform(affine, 1)
    if form == "qform":
        image.set_sform(None, 0)
        image.set_qform(affine, 1)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


@pytest.fixture(name="save")
def saver() -> Callable[..., Path]:
    return save


@pytest.fixture
def resect(tmp_path: Path) -> Path:
    """RESECT and RESECT-SEG: cases 1, 2 and 11, the last without landmarks; masks lie 3e-5 mm off the pictures."""
    root = tmp_path / "RESECT"
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = TURNED * 0.3, (-10, 20, 5)
    shape = (40, 44, 36)
    mask = np.zeros(shape, np.uint8)
    mask[16:24, 22:32, 14:22] = 1
    for number in (1, 2, 11):
        case, here = f"Case{number}", root / "NIFTI" / f"Case{number}"
        phases = ("before", "during", "after") if number == 2 else ("before",)
        for phase in phases:
            save(here / "US" / f"{case}-US-{phase}.nii.gz", fan(shape, number), affine, "sform")
            (here / "US" / f"{case}-US-{phase}.nii.gz.md5").write_text("0")
        for sequence in ("T1", "FLAIR"):
            save(here / "MRI" / f"{case}-{sequence}.nii.gz", np.ones((8, 9, 10), np.float32), np.eye(4))
        jittered = affine.copy()
        jittered[:3, 3] += 3e-5
        masks = tmp_path / "RESECT_segmentation" / case
        save(masks / f"{case}-US-before-tumor.nii.gz", mask, jittered, "qform")
        save(masks / f"{case}-US-before-sulci.nii.gz", mask, jittered, "qform")
        save(masks / f"{case}-FLAIR-tumor.nii.gz", np.ones((8, 9, 10), np.uint8), np.eye(4), "qform")
        if number == 2:
            save(masks / f"{case}-US-after-resection.nii.gz", mask, jittered, "qform")
        if number != 11:
            folder = here / ("Landmarks" if number == 1 else "landmark")
            folder.mkdir()
            (folder / f"{case}-MRI-beforeUS.tag").write_text(
                f"MNI Tag Point File\nVolumes = 2;\n% Case {number}: MRI-beforeUS landmarks\n\nPoints =\n"
                ' 50.164402 -31.719656 34.845306 48.972829 -32.396878 34.952277 ""\n'
                ' 35.677616 -28.521465 30.143658 34.643011 -29.794062 29.574685 "";'
            )
            (folder / f"{case}-beforeUS-duringUS-full.tag").write_text("another pair of volumes")
    return root


def _file(modality: str, sop_class: str, patient: str, study: str, description: str) -> FileDataset:
    """A DICOM file with the tags that all files of the set have; every study has the same date."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PatientID, dataset.StudyDate = modality, patient, "19821225"
    dataset.StudyInstanceUID, dataset.SeriesDescription = study, description
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.FrameOfReferenceUID = "1.2.3.4"
    return dataset


def _pixels(dataset: FileDataset, pixels: np.ndarray, bits: int) -> None:
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    packed = np.packbits(pixels.ravel(), bitorder="little").tobytes() if bits == 1 else pixels.tobytes()
    dataset.PixelData = packed + b"\0" * (len(packed) % 2)


def _one(**tags: object) -> Sequence:
    item = Dataset()
    for name, value in tags.items():
        setattr(item, name, value)
    return Sequence([item])


def _frames(dataset: FileDataset, positions: list[np.ndarray], direction: np.ndarray, mm: tuple[float, float]) -> None:
    """Write the geometry into the functional groups only."""
    shared = Dataset()
    shared.PixelMeasuresSequence = _one(PixelSpacing=[mm[0], mm[0]], SpacingBetweenSlices=mm[1], SliceThickness=mm[1])
    shared.PlaneOrientationSequence = _one(ImageOrientationPatient=_rounded(direction[:, :2].T.ravel()))
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for position in positions:
        group = Dataset()
        group.PlanePositionSequence = _one(ImagePositionPatient=_rounded(position))
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 8) for value in values]


class Remind:
    """Writes a patient's series as TCIA's downloader lays them out: folder names without underscores."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.preop, self.intraop = generate_uid(), generate_uid()

    def folder(self, patient: str, study: str, description: str) -> Path:
        kind = "Preop" if study == self.preop else "Intraop"
        name = description.replace("_", "").replace(":", "")
        end = "90478" if study in (self.preop, self.intraop) else study
        folder = self.root / patient / f"12-25-1982-NA-{kind}-{end}" / f"1.000000-{name}-64615"
        folder.mkdir(parents=True)
        return folder

    def us(self, patient: str, description: str, order: list[int], shift: int = 0) -> np.ndarray:
        """Write four frames in the given order, some planes on; return the pixels (k, j, i) as they lie in space."""
        pixels = np.arange(4 * 5 * 6).reshape(4, 5, 6).astype(np.uint8)
        dataset = _file("US", SECONDARY_CAPTURE, patient, self.intraop, description)
        _pixels(dataset, pixels[order], 8)
        origin = np.array([12.0, -7.0, 30.0])
        _frames(dataset, [origin + 0.5 * (at + shift) * TURNED[:, 2] for at in order], TURNED, (0.125, 0.5))
        dataset.save_as(self.folder(patient, self.intraop, description) / "1-1.dcm", enforce_file_format=True)
        return pixels

    def mr(
        self, patient: str, description: str, study: str = "", world: str = "1.2.3.4", value: int = 0, uid: str = ""
    ) -> None:
        """Write five axial slices of 1 × 1 × 2 mm; their file names do not follow their positions."""
        study = study or self.preop
        folder = self.folder(patient, study, f"{description}{uid}")
        for name, at in enumerate([3, 0, 4, 1, 2], start=1):
            dataset = _file("MR", MR, patient, study, description)
            dataset.FrameOfReferenceUID, dataset.SeriesInstanceUID = world, uid or None
            _pixels(dataset, np.full((8, 9), 100 * at + value, np.uint16), 16)
            dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, 2 * at], [1, 0, 0, 0, 1, 0]
            dataset.PixelSpacing, dataset.RescaleSlope, dataset.RescaleIntercept = [1, 1], 2, 5
            dataset.save_as(folder / f"1-{name:03d}.dcm", enforce_file_format=True)

    def seg(self, patient: str, structure: str, reference: str, study: str = "", uid: str = "") -> None:
        """Write planes 3 and 1 of the MRI, in this order, cropped by two columns and a row; plane 2 is left out."""
        study = study or self.preop
        description = f"{structure} seg - MR ref: {reference}"
        dataset = _file("SEG", SEGMENTATION, patient, study, description)
        pixels = np.zeros((2, 6, 7), np.uint8)
        pixels[:, 1:4, 2:6] = 1
        pixels[0, 5, 0] = 1
        _pixels(dataset, pixels, 1)
        dataset.SegmentationType = "BINARY"
        if uid:
            dataset.ReferencedSeriesSequence = _one(SeriesInstanceUID=uid)
        dataset.SegmentSequence = _one(SegmentNumber=1, SegmentLabel=structure)
        _frames(dataset, [np.array([2.0, 1.0, 2.0 * at]) for at in (3, 1)], np.eye(3), (1.0, 2.0))
        dataset.save_as(self.folder(patient, study, description) / "1-1.dcm", enforce_file_format=True)


@pytest.fixture
def remind(tmp_path: Path) -> Remind:
    """Two patients: the first has everything, the second a structure that is not `tumor`."""
    writer = Remind(tmp_path / "ReMIND")
    for patient, structure in (("ReMIND-001", "tumor"), ("ReMIND-002", "tumor_residual")):
        writer.us(patient, "US_pre_dura", [2, 0, 3, 1])
        writer.mr(patient, "3D_AX_T1_postcontrast")
        writer.seg(patient, structure, "3D_AX_T1_postcontrast")
    writer.us("ReMIND-001", "US_post_dura", [3, 2, 1, 0])
    writer.us("ReMIND-001", "US_pre_imri", [0, 1, 2, 3])
    writer.mr("ReMIND-001", "2D_AX_T2_FLAIR")
    writer.seg("ReMIND-001", "tumor_target", "3D_AX_T1_postcontrast")
    writer.mr("ReMIND-001", "3D_AX_T1_postcontrast", writer.intraop, value=7)
    writer.seg("ReMIND-001", "tumor", "3D_AX_T1_postcontrast", writer.intraop)
    return writer


@pytest.fixture
def clinical(tmp_path: Path) -> Callable[..., Path]:
    """Writes ReMIND's clinical workbook."""

    def write(*rows: tuple[object, ...], title: str = "Reoperation") -> Path:
        from openpyxl import Workbook

        book = Workbook()
        book.active.append(["Case Number", "Age", "Sex", "WHO Grade", "Histopathology", title])
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / "clinical.xlsx")
        return tmp_path / "clinical.xlsx"

    return write


@pytest.fixture
def bratious(tmp_path: Path) -> Path:
    """Three 2D frames of two patients, pixels of 1 × 1 mm, one mask with a trailing axis."""
    root = tmp_path / "BraTioUS"
    for seed, name in enumerate(("p01_a", "p01_b", "p02_a")):
        grey = fan((80, 60, 3), seed)[:, :, 1]
        grey[30:50, 30:50] += 1
        mask = np.zeros((80, 60), np.uint8)
        mask[35:45, 40:50] = 1
        save(root / "imagesBraTioUS-public-dataset" / f"{name}.nii.gz", grey, np.eye(4))
        labels = root / "labelsBraTioUS-public-dataset"
        save(labels / f"{name}.nii.gz", mask[:, :, None] if name == "p01_b" else mask, np.eye(4))
    return root


@pytest.fixture
def truncated() -> Callable[[Path], None]:
    """Cuts a file short, in the middle of its pixels."""

    def cut(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) - len(content) // 20])

    return cut
