"""Data sets described by patterns, 2D sets without scale, manifests, and Raidionics' masks."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from training.cli import main
from training.cohort.cases import Case, read_cases, write_cases
from training.datasets.pictures import PictureSet, find_cases
from training.datasets.raidionics import with_masks
from training.slicing.slices import read_slices


def _cases(tmp_path: Path, *options: str) -> list[Case]:
    assert main(["cases", *options, "--out", str(tmp_path / "cases.csv")]) == 0
    return read_cases(tmp_path / "cases.csv")


def test_curious_by_patterns(resect: Path, tmp_path: Path):
    """A mask with another file name is matched by the patient that both paths name."""
    images, masks = f"{resect}/NIFTI/*/US/*-before.nii.gz", f"{tmp_path}/RESECT_segmentation/*/*-US-before-tumor.nii.gz"
    cases = _cases(tmp_path, "--curious", images, masks, r"Case(\d+)")
    assert [(case.patient, case.exclude) for case in cases] == [(f"CuRIOUS-SEG-{n}", False) for n in (1, 11, 2)]
    assert all(case.us_label.name == f"{case.us.name[:-7]}-tumor.nii.gz" for case in cases)
    several = _cases(
        tmp_path, "--curious", images, f"{tmp_path}/RESECT_segmentation/*/*-US-before-*.nii.gz", r"Case(\d+)"
    )
    assert all(case.reason.startswith("2 masks fit") for case in several)


def test_without_a_patient_a_picture_is_not_used(bratious: Path, tmp_path: Path):
    cases = _cases(tmp_path, "--bratious", str(bratious), r"(p01)", "--pixel-mm", "0.2", "--cache", str(tmp_path / "c"))
    assert [(case.case, case.patient, case.exclude) for case in cases] == [
        ("BraTioUS-p01_a", "BraTioUS-p01", False),
        ("BraTioUS-p01_b", "BraTioUS-p01", False),
        ("BraTioUS-p02_a", "", True),
    ]
    assert "finds no patient" in cases[-1].reason


def test_pictures_without_scale_are_refused_unless_one_is_given(bratious: Path, tmp_path: Path, capsys):
    where = ("--bratious", str(bratious), r"p\d+")
    cases = _cases(tmp_path, *where)
    assert all(case.exclude and "no scale" in case.reason and "--pixel-mm" in case.reason for case in cases)
    assert main(["slice", str(tmp_path / "cases.csv"), "--out", str(tmp_path / "store")]) == 2
    assert "all are excluded" in capsys.readouterr().err

    cases = _cases(tmp_path, *where, "--pixel-mm", "0.2", "--cache", str(tmp_path / "cache"))
    assert main(["slice", str(tmp_path / "cases.csv"), "--out", str(tmp_path / "store")]) == 0
    rows = read_slices(tmp_path / "store")
    assert [(row.patient, row.rows, row.cols) for row in rows] == [
        ("BraTioUS-p01", 60, 80),
        ("BraTioUS-p01", 60, 80),
        ("BraTioUS-p02", 60, 80),
    ]
    assert all(row.area_mm2 == pytest.approx(100 * 0.2 * 0.2) for row in rows)
    shown = sitk.GetArrayFromImage(sitk.ReadImage(str(rows[1].image(tmp_path / "store"))))
    original = sitk.ReadImage(str(bratious / "imagesBraTioUS-public-dataset" / "p01_b.nii.gz"))
    np.testing.assert_array_equal(shown, sitk.GetArrayFromImage(original))


@pytest.mark.parametrize("suffix", [".nii.gz", ".png"])
def test_pictures_of_one_name_in_two_folders_stay_two_patients(tmp_path: Path, suffix: str):
    """Their calibrated copies must not replace each other."""
    for number, patient in enumerate(("p01", "p02")):
        for kind, value in (("images", 50 + number), ("masks", 1)):
            pixels = np.zeros((60, 80), np.uint8)
            pixels[10:30, 10 : 20 + number] = value
            folder = tmp_path / kind / patient
            folder.mkdir(parents=True)
            sitk.WriteImage(sitk.GetImageFromArray(pixels), str(folder / f"a{suffix}"))
    chosen = PictureSet("S", f"{tmp_path}/images/*/*", f"{tmp_path}/masks/*/*", r"p\d+")
    cases = find_cases(chosen, tmp_path / "cache", 0.2)
    read = [
        (case.patient, *(sitk.GetArrayFromImage(sitk.ReadImage(str(it))) for it in (case.us, case.us_label)))
        for case in cases
    ]
    assert [(patient, us.max(), mask.sum()) for patient, us, mask in read] == [("S-p01", 50, 200), ("S-p02", 51, 220)]


def test_a_picture_without_a_mask_never_gets_that_of_another_picture(tmp_path: Path):
    for folder, name in (("images", "a"), ("images", "b"), ("masks", "a")):
        (tmp_path / folder / "p01").mkdir(parents=True, exist_ok=True)
        pixels = np.zeros((60, 80), np.uint8)
        pixels[10:30, 10:20] = 1
        sitk.WriteImage(sitk.GetImageFromArray(pixels), str(tmp_path / folder / "p01" / f"{name}.nii.gz"))
    chosen = PictureSet("S", f"{tmp_path}/images/*/*", f"{tmp_path}/masks/*/*", r"p\d+")
    kept, left = find_cases(chosen, tmp_path / "cache", 0.2)
    assert (kept.case, kept.exclude) == ("S-p01-a", False)
    assert left.exclude
    assert left.reason.startswith("0 masks fit b.nii.gz")


def test_a_case_table_cannot_bring_in_a_picture_without_scale(bratious: Path, tmp_path: Path, capsys):
    images, labels = (bratious / f"{kind}BraTioUS-public-dataset" / "p01_b.nii.gz" for kind in ("images", "labels"))
    write_cases([Case("one", "P", us=images, us_label=labels)], tmp_path / "cases.csv")
    assert main(["slice", str(tmp_path / "cases.csv"), "--out", str(tmp_path / "store")]) == 2
    assert "has no scale" in capsys.readouterr().err


def test_a_manifest_is_read_from_where_it_lies(resect: Path, tmp_path: Path):
    folder = tmp_path / "mine"
    shutil.copytree(resect / "NIFTI/Case1/US", folder / "us")
    shutil.copytree(tmp_path / "RESECT_segmentation/Case1", folder / "masks")
    us, mask = "us/Case1-US-before.nii.gz", "masks/Case1-US-before-tumor.nii.gz"
    (folder / "mine.csv").write_text(
        f"case,patient,us,us_label,exclude,reason\nA,P1,{us},{mask},,\nB,,{us},{mask},,\nC,P3,us/gone.nii.gz,{mask},,\n"
        f"D,P4,{us},,,\nE,P5,{us},{mask},1,blurred\n"
    )
    cases = {case.case: case for case in _cases(tmp_path, "--folder", str(folder / "mine.csv"))}
    assert cases["A"].us.is_file()
    assert cases["A"].dataset == "mine"
    assert not cases["A"].exclude
    reasons = {name: case.reason for name, case in cases.items() if case.exclude}
    assert reasons["B"] == "no patient"
    assert reasons["C"].startswith("there is no file")
    assert reasons["D"] == "no tumour mask"
    assert reasons["E"] == "blurred"


@pytest.mark.parametrize(
    ("cells", "reason", "more"),
    [
        ("before,1,Glioblastoma", "", ()),
        (",,", "", ()),
        ("after,1,Glioblastoma", "resection has begun (after)", ("resection",)),
        ("pre-dura,0,Glioblastoma", "operated before", ("reoperations",)),
        ("pre-dura,1,Meningioma", "neither glioma nor metastasis: Meningioma", ("other-tumours",)),
        ("befor,1,Glioblastoma", "unknown phase 'befor'", None),
    ],
)
def test_a_manifests_phase_surgery_and_diagnosis_decide(resect: Path, tmp_path: Path, cells, reason, more):
    us, mask = (
        resect / "NIFTI/Case1/US/Case1-US-before.nii.gz",
        tmp_path / "RESECT_segmentation/Case1/Case1-US-before-tumor.nii.gz",
    )
    manifest = tmp_path / "mine.csv"
    text = f"case,patient,us,us_label,phase,first_surgery,diagnosis\nÄ,P1,{us},{mask},{cells}\n".replace(",", ";")
    manifest.write_bytes(text.encode("cp1252"))
    (case,) = _cases(tmp_path, "--folder", str(manifest))
    assert case.case == "Ä"
    assert case.exclude == bool(reason)
    assert case.reason.startswith(reason)
    if more:
        (case,) = _cases(tmp_path, "--folder", str(manifest), "--include", *more)
        assert not case.exclude


def test_a_manifest_without_patients_is_refused(tmp_path: Path, capsys):
    (tmp_path / "mine.csv").write_text("case,patient,us\nA,,a.nii\n")
    assert main(["cases", "--folder", str(tmp_path / "mine.csv"), "--out", str(tmp_path / "cases.csv")]) == 2
    assert "names no patient" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["labels_Tumor.nii.gz", "T1/input_t1gd_annotation-Tumor.nii.gz"])
def test_raidionics_masks_complete_mri_without_one(tmp_path: Path, name: str):
    for file in (name, "pred_Tumor.nii.gz", "labels_Brain.nii.gz"):
        path = tmp_path / "raidionics" / "Case1" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    mri = (Path("t1.nii.gz"),)
    lacking = Case("Case1", "P1", us=Path("us"), mri=mri, exclude=True, reason="no tumour mask")
    other = Case("Case2", "P2", us=Path("us"), mri=mri, exclude=True, reason="no tumour mask")
    poor = Case("Case1", "P1", us=Path("us"), mri=mri, exclude=True, reason="blurred")
    done, left, still = with_masks([lacking, other, poor], tmp_path / "raidionics")
    assert done.mri_label == tmp_path / "raidionics" / "Case1" / name
    assert not done.exclude
    assert left == other
    assert still.exclude
    assert still.mri_label


def test_of_two_raidionics_masks_none_is_guessed(tmp_path: Path):
    """Masks that differ in one folder, and one mask of a patient with two sessions: either could be the other MRI's."""
    for name, said in (
        ("Case1/T1", b"1"),
        ("Case1/FLAIR", b"2"),
        ("Case2/T1", b"1"),
        ("Case2/copy", b"1"),
        ("P3", b"1"),
    ):
        path = tmp_path / name / "labels_Tumor.nii.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(said)
    names = {"Case1": "P1", "Case2": "P2", "Case3": "P3", "Case4": "P3"}
    cases = [Case(case, patient, us=Path("us"), mri=(Path(f"{case}.nii.gz"),)) for case, patient in names.items()]
    differ, alike, first, second = with_masks(cases, tmp_path)
    assert differ.exclude
    assert "could both be meant, and differ" in differ.reason
    assert alike.mri_label == tmp_path / "Case2/T1/labels_Tumor.nii.gz"
    assert (first.mri_label, second.mri_label) == (None, None)
    one_mri = [replace(case, mri=(Path("t1.nii.gz"),)) for case in cases[2:]]
    assert {case.mri_label for case in with_masks(one_mri, tmp_path)} == {tmp_path / "P3/labels_Tumor.nii.gz"}


def test_two_cases_of_one_name_are_refused(resect: Path, tmp_path: Path, capsys):
    for name in ("one", "two"):
        shutil.copytree(resect / "NIFTI/Case1/US", tmp_path / name / "Case1")
    both = f"{tmp_path}/*/Case1/*.nii.gz"
    command = ["cases", "--images", "Mine", both, both, r"Case\d+", "--out", str(tmp_path / "cases.csv")]
    assert main(command) == 2
    assert "Two cases would be called Mine-Case1-US-before" in capsys.readouterr().err


def test_naming_no_set_is_refused(tmp_path: Path, capsys):
    assert main(["cases", "--out", str(tmp_path / "cases.csv")]) == 2
    assert "No data set was named" in capsys.readouterr().err


@pytest.fixture
def nnunet_raw(tmp_path: Path) -> Path:
    """Dataset321_Own: two 2D slices of one patient and one of another, 0.2 × 0.3 mm, as nnU-Net's users have them."""
    root = tmp_path / "Dataset321_Own"
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    for at, name in enumerate(("p1_a", "p1_b", "p2_a")):
        for kind, file in (("imagesTr", f"{name}_0000.nii.gz"), ("labelsTr", f"{name}.nii.gz")):
            pixels = np.zeros((20, 30), np.uint8)
            pixels[3 : 9 + at, 3:23] = 0 if kind == "labelsTr" else 40
            pixels[4 : 8 + at, 5:15] = 1 if kind == "labelsTr" else 90
            image = sitk.GetImageFromArray(pixels)
            image.SetSpacing((0.3, 0.2))
            sitk.WriteImage(image, str(root / kind / file))
    told = {"channel_names": {"0": "US"}, "labels": {"background": 0, "tumour": 1}, "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(told | {"numTraining": 3}))
    return root


def test_a_data_set_of_nnunets_is_taken_as_it_is(nnunet_raw: Path, tmp_path: Path):
    cases = _cases(tmp_path, "--nnunet", str(nnunet_raw), r"p\d+")
    assert [(case.case, case.patient) for case in cases] == [
        ("Own-p1_a", "Own-p1"),
        ("Own-p1_b", "Own-p1"),
        ("Own-p2_a", "Own-p2"),
    ]
    assert main(["slice", str(tmp_path / "cases.csv"), "--out", str(tmp_path / "store")]) == 0
    for row, rows in zip(read_slices(tmp_path / "store"), (4, 5, 6), strict=True):
        assert (row.rows, row.cols, row.row_mm, row.col_mm) == pytest.approx((20, 30, 0.2, 0.3))
        assert row.area_mm2 == pytest.approx(rows * 10 * 0.06)
        theirs = nnunet_raw / "imagesTr" / f"{row.case.removeprefix('Own-')}_0000.nii.gz"
        shown = sitk.GetArrayFromImage(sitk.ReadImage(str(row.image(tmp_path / "store"))))
        np.testing.assert_array_equal(shown, sitk.GetArrayFromImage(sitk.ReadImage(str(theirs))))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"channel_names": {"0": "US", "1": "FLAIR"}}, "has 2 channels"),
        ({"labels": {"background": 0, "tumour": 1, "cavity": 2}}, "has the labels background, tumour, cavity"),
        (None, "There is no"),
    ],
)
def test_a_data_set_of_other_channels_or_labels_is_refused(nnunet_raw: Path, change, words: str, tmp_path, capsys):
    path = nnunet_raw / "dataset.json"
    if change is None:
        path.unlink()
    else:
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert main(["cases", "--nnunet", str(nnunet_raw), r"p\d+", "--out", str(tmp_path / "c.csv")]) == 2
    assert words in capsys.readouterr().err
