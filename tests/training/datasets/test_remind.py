"""ReMIND: frames in any order, masks matched to their MRI by header, the clinical table, damaged files."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from inference.errors import FormatError
from training.cli import main
from training.cohort.cases import Case, read_cases
from training.datasets.planes import read_segmentation, read_ultrasound

TWO = ((1, 50, "F", 4, "Glioblastoma", "No"), (2, 61, "M", 2, "Astrocytoma", "No"))


@pytest.fixture
def found(tmp_path: Path, remind, clinical) -> Callable[..., dict[str, Case]]:
    """A function that runs `ius-train cases` and reads its table."""

    def run(*options: str, rows=TWO) -> dict[str, Case]:
        table = tmp_path / "cases.csv"
        files = ["--remind", str(remind.root), "--clinical", str(clinical(*rows)), "--cache", str(tmp_path / "cache")]
        assert main(["cases", *files, *options, "--out", str(table)]) == 0
        return {case.case: case for case in read_cases(table)}

    return run


def test_frames_lie_where_their_positions_say(remind, found):
    image = sitk.ReadImage(str(found()["ReMIND-001-pre-dura"].us))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), np.arange(4 * 5 * 6).reshape(4, 5, 6))
    assert image.GetSpacing() == pytest.approx((0.125, 0.125, 0.5))
    stored = next(remind.root.glob("ReMIND-001/*Intraop*/*USpredura*/1-1.dcm"))
    dataset = pydicom.dcmread(stored)
    direction = np.array(dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient)
    for frame, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        first = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        # The pixel two columns to the right and one row down, PS3.3 C.7.6.2.1.1.
        point = first + 0.125 * (2 * direction[:3] + direction[3:]).astype(float)
        index = image.TransformPhysicalPointToIndex(point.tolist())
        assert image[index] == dataset.pixel_array[frame, 1, 2]


def test_post_dura_is_the_same_volume_whatever_the_order(found):
    cases = found()
    one, other = (sitk.ReadImage(str(cases[f"ReMIND-001-{phase}-dura"].us)) for phase in ("pre", "post"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(one), sitk.GetArrayFromImage(other))
    assert one.GetOrigin() == pytest.approx(other.GetOrigin())


def test_masks_are_joined_by_study_and_description_and_are_of_the_tumour(found):
    """Not tumor_target, not the intra-operative mask; empty planes are filled in; the crop keeps its place."""
    cases = found()
    case = cases["ReMIND-001-pre-dura"]
    assert case.patient == "ReMIND-001"
    assert [path.name for path in case.mri] == ["2D_AX_T2_FLAIR.nii.gz", "3D_AX_T1_postcontrast.nii.gz"]
    mri, mask = sitk.ReadImage(str(case.mri[1])), sitk.ReadImage(str(case.mri_label))
    assert sitk.GetArrayFromImage(mri)[:, 0, 0].tolist() == [2 * 100 * at + 5 for at in range(5)]  # not the later study
    assert mri.GetSpacing() == pytest.approx((1, 1, 2))
    on_mri = sitk.GetArrayFromImage(sitk.Resample(mask, mri, sitk.Transform(), sitk.sitkNearestNeighbor))
    expected = np.zeros((5, 8, 9), np.uint8)
    for plane in (1, 3):
        expected[plane, 2:5, 4:8] = 1
    expected[3, 6, 2] = 1  # the pixel of the frame that is stored first
    np.testing.assert_array_equal(on_mri, expected)
    assert cases["ReMIND-002-pre-dura"].reason == "There is no segmentation of its tumour before surgery."


@pytest.mark.parametrize(("asked", "names"), [("flair", ["2D_AX_T2_FLAIR"]), ("ce-t1", ["3D_AX_T1_postcontrast"])])
def test_the_mri_that_is_asked_for(found, asked: str, names: list[str]):
    case = found("--mri", asked)["ReMIND-001-pre-dura"]
    assert [path.name for path in case.mri] == [f"{name}.nii.gz" for name in names]


def test_an_mri_of_another_world_is_not_taken_and_a_masks_own_is_where_there_is_no_other(remind, found, capsys):
    remind.us("ReMIND-003", "US_pre_dura", [0, 1, 2, 3])
    remind.mr("ReMIND-003", "3D_SAG_T2_SPACE")
    remind.mr("ReMIND-003", "2D_AX_T2_FLAIR", world="9.9")
    remind.seg("ReMIND-003", "tumor", "3D_SAG_T2_SPACE")
    rows = (*TWO, (3, 40, "F", 2, "Oligodendroglioma", "No"))
    flair = found("--mri", "flair", rows=rows)["ReMIND-003-pre-dura"]
    assert flair.exclude
    assert "no flair MRI in the world of its mask's, 3D_SAG_T2_SPACE: --mri own takes that one" in flair.reason
    for asked in ("own", "both"):
        own = found("--mri", asked, rows=rows)["ReMIND-003-pre-dura"]
        assert [path.name for path in own.mri] == ["3D_SAG_T2_SPACE.nii.gz"]
        assert not own.exclude
    assert "mri (3D_SAG_T2_SPACE)" in capsys.readouterr().out
    remind.mr("ReMIND-003", "3D_AX_T1_postcontrast")
    assert [path.name for path in found(rows=rows)["ReMIND-003-pre-dura"].mri] == ["3D_AX_T1_postcontrast.nii.gz"]


@pytest.mark.parametrize("drawn_on", [1, 2])
def test_series_of_one_description_are_told_apart_by_uid(remind, found, drawn_on: int):
    """Two FLAIR of one study; they keep a file each, and the mask's is the one that its header names."""
    remind.us("ReMIND-003", "US_pre_dura", [0, 1, 2, 3])
    for number in (1, 2):
        remind.mr("ReMIND-003", "2D_AX_T2_FLAIR", value=10 * number, uid=f"1.2.{number}")
    remind.seg("ReMIND-003", "tumor", "2D_AX_T2_FLAIR", uid=f"1.2.{drawn_on}")
    case = found("--mri", "own", rows=(*TWO, (3, 40, "F", 2, "Glioma", "No")))["ReMIND-003-pre-dura"]
    assert not case.exclude
    (mri,) = case.mri
    assert mri.name == f"2D_AX_T2_FLAIR-1-2-{drawn_on}.nii.gz"
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(mri)))[0, 0, 0] == 2 * 10 * drawn_on + 5


def test_a_mask_that_names_neither_of_two_mri_is_not_guessed(remind, found):
    remind.us("ReMIND-003", "US_pre_dura", [0, 1, 2, 3])
    for number in (1, 2):
        remind.mr("ReMIND-003", "2D_AX_T2_FLAIR", uid=f"1.2.{number}")
    remind.seg("ReMIND-003", "tumor", "2D_AX_T2_FLAIR")
    case = found(rows=(*TWO, (3, 40, "F", 2, "Glioma", "No")))["ReMIND-003-pre-dura"]
    assert case.exclude
    assert "is there 2 times, and the segmentation names none of them by UID" in case.reason


def restudied(folder: Path, **tags: str) -> None:
    """Write tags into every file of a folder."""
    for path in folder.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        for name, value in tags.items():
            setattr(dataset, name, value)
        dataset.save_as(path)


DRAWN_TWICE = (
    "drawn in 2 MRI studies before surgery, and neither the ultrasound's frame of reference nor the studies' dates"
)


@pytest.mark.parametrize(
    ("first", "second", "us", "taken"),
    [
        ({}, {}, {}, None),
        ({"StudyTime": "0900"}, {"StudyTime": "1500"}, {"StudyTime": "1200"}, None),
        ({"StudyDate": "20200101"}, {"StudyDate": "20200301"}, {"StudyDate": "20200302"}, "second"),
        ({"StudyDate": "20200101"}, {"StudyDate": "20200401"}, {"StudyDate": "20200302"}, "first"),
        ({"StudyDate": "20200101"}, {"StudyDate": "20200302"}, {"StudyDate": "20200302"}, None),
        ({"FrameOfReferenceUID": "1.7"}, {}, {"FrameOfReferenceUID": "1.7"}, "first"),
        ({"StudyDescription": "Preop"}, {"StudyDescription": "Intraop"}, {}, "first"),
    ],
    ids=["nothing", "one day for all", "the last before", "one after", "the same day", "world", "intra-operative"],
)
def test_of_tumours_in_two_studies_the_ultrasounds_own_is_taken_or_none(remind, found, first, second, us, taken):
    """Both MRI have one description: by that alone, the one that came first in the folder was taken."""
    remind.us("ReMIND-003", "US_pre_dura", [0, 1, 2, 3])
    for value, (study, tags) in enumerate((("1.1", first), ("1.2", second)), start=1):
        remind.mr("ReMIND-003", "3D_AX_T1_postcontrast", study, value=value, uid=f"{study}.5")
        remind.seg("ReMIND-003", "tumor", "3D_AX_T1_postcontrast", study, uid=f"{study}.5")
        for path in (remind.root / "ReMIND-003").rglob("*.dcm"):
            if pydicom.dcmread(path).StudyInstanceUID == study:
                restudied(path.parent, **tags)
    restudied(next((remind.root / "ReMIND-003").glob("*/*USpredura*")), **us)
    case = found("--mri", "own", rows=(*TWO, (3, 40, "F", 2, "Glioma", "No")))["ReMIND-003-pre-dura"]
    assert case.exclude == (taken is None), case.reason
    if taken is None:
        assert DRAWN_TWICE in case.reason
    else:
        grey = sitk.GetArrayFromImage(sitk.ReadImage(str(case.mri[0])))[0, 0, 0]
        assert grey == 2 * {"first": 1, "second": 2}[taken] + 5


def test_of_two_tumours_on_one_mri_none_is_left_out(remind, found):
    (one,) = remind.root.glob("ReMIND-001/*Preop*/*-tumor seg*")
    shutil.copytree(one, one.with_name("2.000000-tumor-second"))
    case = found()["ReMIND-001-pre-dura"]
    assert case.exclude
    assert "2 segmentations of its tumour on '3D_AX_T1_postcontrast'" in case.reason


def test_planes_of_a_mask_that_do_not_touch_are_no_mask(remind):
    """With a thickness of 1 mm and no distance, planes 4 mm apart would leave three of four planes empty."""
    (path,) = (path for path in remind.root.rglob("*.dcm") if "tumorresidual" in str(path))
    dataset = pydicom.dcmread(path)
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert sitk.GetArrayFromImage(read_segmentation(path)).any(axis=(1, 2)).tolist() == [True, False, True]
    del measures.SpacingBetweenSlices
    measures.SliceThickness = 1.0
    dataset.save_as(path)
    with pytest.raises(FormatError, match="no two of them touch"):
        read_segmentation(path)


def test_us_pre_imri_is_excluded_with_the_reason_and_not_converted(found):
    case = found()["ReMIND-001-pre-imri"]
    assert case.exclude
    assert "after resection" in case.reason
    assert case.us is None
    assert found("--convert-excluded")["ReMIND-001-pre-imri"].us.is_file()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((1, 1, "F", 1, "Glioblastoma", "Yes"), "operated before"),
        ((1, 1, "F", 1, "Gliosis", "No"), "neither glioma nor metastasis: Gliosis"),
        ((1, 1, "F", 1, "Metastasis (lung)", "no"), ""),
        (("001", 1, "F", 1, "Oligodendroglioma", 0), ""),
        ((1, 1, "F", 1, "Ganglioglioma", None), "not known whether"),
        ((7, 1, "F", 1, "Glioblastoma", "No"), "not in the clinical table"),
    ],
)
def test_the_clinical_table_decides(found, row, reason: str):
    case = found(rows=(row,))["ReMIND-001-pre-dura"]
    assert case.exclude == bool(reason)
    assert reason in case.reason
    if row[0] in (1, "001"):
        assert case.diagnosis == row[4]


def test_more_than_the_paper_took_can_be_included(found):
    rows = ((1, 1, "F", 1, "Meningioma", "Yes"),)
    reasons = [found(*more, rows=rows)["ReMIND-001-pre-dura"].reason for more in ((), ("--include", "reoperations"))]
    assert reasons[0].startswith("operated before")
    assert reasons[1].startswith("neither glioma nor metastasis: Meningioma")
    assert not found("--include", "reoperations", "other-tumours", rows=rows)["ReMIND-001-pre-dura"].exclude


def test_the_papers_count_stands_beside_ours(found, capsys):
    found()
    said = capsys.readouterr().out
    assert "The paper took 103 volumes of 55 patients of ReMIND, here it is 2 of 1" in said


def test_a_truncated_file_stops_its_case_only(remind, found, truncated, capsys):
    truncated(next(remind.root.glob("ReMIND-001/*Intraop*/*USpredura*/1-1.dcm")))
    cases = found()
    broken = cases["ReMIND-001-pre-dura"]
    assert broken.exclude
    assert broken.reason.endswith("1-1.dcm cannot be decoded: is it whole?")
    assert not cases["ReMIND-001-post-dura"].exclude
    assert f"not used: {broken.reason}" in capsys.readouterr().out


def test_a_file_cut_in_its_header_or_without_patient_is_told(remind, found):
    path = next(remind.root.glob("ReMIND-001/*Intraop*/*USpredura*/1-1.dcm"))
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"CS\x02\x00US") + 2])
    nameless = next(remind.root.glob("ReMIND-001/*Intraop*/*USpostdura*/1-1.dcm"))
    dataset = pydicom.dcmread(nameless)
    dataset.PatientID = ""
    dataset.save_as(nameless)
    cases = found()
    reasons = [case.reason for case in cases.values() if "unreadable" in case.case]
    assert len(reasons) == 2
    assert any("no PatientID" in reason for reason in reasons)
    assert not any(case.phase == "pre-dura" for case in cases.values() if case.patient == "ReMIND-001")


def test_frames_that_miss_one_are_no_volume(remind):
    remind.us("ReMIND-009", "US_pre_dura", [0, 1, 3])
    with pytest.raises(FormatError, match="not evenly stacked"):
        read_ultrasound(next(remind.root.glob("ReMIND-009/*/*/1-1.dcm")))


def test_nothing_is_converted_twice_and_receipts_say_from_what(tmp_path: Path, found):
    first = found()
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.nii.gz")}
    assert len(stamps) == 5
    assert all(path.with_name(f"{path.name}.json").is_file() for path in stamps)
    assert found() == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.nii.gz")} == stamps
