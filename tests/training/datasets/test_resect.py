"""RESECT, RESECT-SEG, EASY-RESECT and ReMIND2Reg on disk: quirks of names, headers and numbering."""

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from inference.errors import FormatError, NotFoundError
from training.cli import main
from training.cohort.cases import Case, read_cases
from training.datasets import easy_resect, remind2reg
from training.datasets.resect import find_cases
from training.registration.landmarks import read_landmarks
from training.slicing.store import read_left_out


def _by_name(cases: list[Case]) -> dict[str, Case]:
    return {case.case: case for case in cases}


def test_resect_with_all_its_quirks(resect: Path, tmp_path: Path):

    cases = _by_name(find_cases(resect, tmp_path / "RESECT_segmentation"))
    assert list(cases) == [
        "RESECT-Case1",
        "RESECT-Case2",
        "RESECT-Case2-during",
        "RESECT-Case2-after",
        "RESECT-Case11",
    ]
    first, second, last = (cases[f"RESECT-Case{number}"] for number in (1, 2, 11))
    assert first.us.name == "Case1-US-before.nii.gz"
    assert first.us_label.name == "Case1-US-before-tumor.nii.gz"
    assert first.mri_label.name == "Case1-FLAIR-tumor.nii.gz"
    assert [path.name for path in first.mri] == ["Case1-FLAIR.nii.gz", "Case1-T1.nii.gz"]
    assert first.landmarks.name == second.landmarks.name.replace("2", "1") == "Case1-MRI-beforeUS.tag"
    assert len(read_landmarks(second.landmarks).mri) == 2
    assert last.landmarks is None
    assert not last.exclude
    for phase in ("during", "after"):
        other = cases[f"RESECT-Case2-{phase}"]
        assert other.exclude
        assert phase in other.reason
        assert other.patient == "RESECT-Case2"
        assert other.landmarks is None


@pytest.mark.parametrize(
    ("asked", "names"), [("flair", ["FLAIR"]), ("ce-t1", ["T1"]), ("both", ["FLAIR", "T1"]), ("own", ["FLAIR"])]
)
def test_the_mri_that_is_asked_for(resect: Path, tmp_path: Path, asked: str, names: list[str]):
    table = tmp_path / "cases.csv"
    assert main(["cases", "--resect", str(resect), "--mri", asked, "--out", str(table)]) == 0
    assert [path.name for path in read_cases(table)[0].mri] == [f"Case1-{name}.nii.gz" for name in names]


def test_what_torch_em_downloads_is_the_same(resect: Path, tmp_path: Path):
    """RESECT with the volumes of all patients in one folder, CuRIOUS 2022 with a folder of each patient."""
    before = find_cases(resect, tmp_path / "RESECT_segmentation", sequences="own")
    resect_root, curious_root = tmp_path / "em" / "resect", tmp_path / "em" / "curious"
    for path in [*resect.rglob("*.nii.gz"), *(tmp_path / "RESECT_segmentation").rglob("*.nii.gz")]:
        drawn = path.is_relative_to(tmp_path / "RESECT_segmentation")
        case, kind = path.name.partition("-")[0], "US" if "-US-" in path.name else "MRI"
        for target in (resect_root / (f"labels/any/{case}" if drawn else f"images/{kind}"), curious_root / case):
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    for root in (resect_root, curious_root):
        after = find_cases(root, sequences="own")
        assert [(case.case, case.exclude) for case in after] == [(case.case, case.exclude) for case in before]
        for one, other in zip(after, before, strict=True):
            assert [path and path.name for path in (one.us, one.us_label, one.cavity_label, *one.mri)] == [
                path and path.name for path in (other.us, other.us_label, other.cavity_label, *other.mri)
            ]


def test_a_flat_rehost_gives_the_same_cases(resect: Path, tmp_path: Path):
    """A copy as dataset/CaseN/, with pictures, masks and landmarks in one folder."""
    for path in [*resect.rglob("*.*"), *(tmp_path / "RESECT_segmentation").rglob("*.*")]:
        case = next(part for part in path.parts[::-1] if part.startswith("Case") and "-" not in part)
        target = tmp_path / "flat" / "dataset" / case / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)

    flat = find_cases(tmp_path / "flat")
    tree = find_cases(resect, tmp_path / "RESECT_segmentation")

    def names(cases: list[Case]) -> list[tuple[object, ...]]:
        files = ("us", "us_label", "mri_label", "landmarks")
        return [(case.case, case.exclude, *(path and path.name for path in (getattr(case, name) for name in files)))
                for case in cases]  # fmt: skip

    assert names(flat) == names(tree)


def test_sform_qform_and_jitter_are_one_grid(resect: Path, tmp_path: Path):
    """RESECT keeps its geometry in the sform, RESECT-SEG in the qform, 3e-5 mm apart."""
    picture = nib.load(resect / "NIFTI/Case1/US/Case1-US-before.nii.gz")
    mask = nib.load(tmp_path / "RESECT_segmentation/Case1/Case1-US-before-tumor.nii.gz")
    assert (picture.header["sform_code"], picture.header["qform_code"]) == (1, 0)
    assert (mask.header["sform_code"], mask.header["qform_code"]) == (0, 1)
    assert 0 < np.abs(picture.affine - mask.affine).max() < 1e-4
    table, store = tmp_path / "cases.csv", tmp_path / "store"
    seg = str(tmp_path / "RESECT_segmentation")
    assert main(["cases", "--resect", str(resect), "--resect-seg", seg, "--out", str(table)]) == 0
    assert main(["slice", str(table), "--out", str(store)]) == 0
    assert read_left_out(store) == {}


def test_what_is_missing_is_told_per_patient(resect: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    shutil.rmtree(resect / "NIFTI/Case2/US")
    (tmp_path / "RESECT_segmentation/Case11/Case11-US-before-tumor.nii.gz").unlink()
    (tmp_path / "RESECT_segmentation/Case11/Case11-FLAIR-tumor.nii.gz").unlink()
    seg = str(tmp_path / "RESECT_segmentation")
    assert main(["cases", "--resect", str(resect), "--resect-seg", seg, "--out", str(tmp_path / "cases.csv")]) == 0
    told = capsys.readouterr().out
    assert told == (tmp_path / "cases.txt").read_text()
    lines = told.splitlines()
    assert lines[0].startswith("RESECT-Case1 ")
    assert lines[0].endswith("found: us, us_label, mri (Case1-FLAIR, Case1-T1), mri_label, landmarks")
    assert lines[1].endswith("not used: no ultrasound volume")
    assert lines[2].endswith(
        "found: us, mri (Case11-FLAIR, Case11-T1); missing: us_label, mri_label; not used: no tumour mask"
    )
    assert lines[-1].startswith("RESECT: 3 found, 1 used of 1 patients; 1 with an ultrasound mask")


def test_a_simulated_cohort_has_patients_of_its_own(resect: Path, tmp_path: Path):

    (tmp_path / "cohort.json").write_text(json.dumps({"simulated": True, "kind": "sealed", "seed": 2}))
    cases = find_cases(resect)
    assert {case.patient for case in cases} == {f"Simulated-sealed-2-Case{number}" for number in (1, 2, 11)}
    assert all(case.simulated for case in cases)


@pytest.mark.usefixtures("resect")
def test_easy_resect_has_resects_patients(tmp_path: Path):
    root = tmp_path / "EASY-RESECT"
    for name in ("US-before", "T1", "FLAIR"):
        target = root / "NIFTI" / "Case2" / f"Case2-{name}-resize.nii"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"")
    (case,) = easy_resect.find_cases(root, tmp_path / "RESECT_segmentation")
    assert (case.case, case.patient) == ("EASY-RESECT-Case2", "RESECT-Case2")
    assert [path.name for path in case.mri] == ["Case2-FLAIR-resize.nii", "Case2-T1-resize.nii"]
    assert case.us_label is None
    assert case.mri_label.name == "Case2-FLAIR-tumor.nii.gz"
    assert not case.exclude


def test_remind2reg_is_listed_and_not_used(tmp_path: Path):
    """Numbers have three or four digits; the volumes are from after resection, so they are excluded."""
    for name in ("ReMIND2Reg_0099_0000", "ReMIND2Reg_0099_0001", "ReMIND2Reg_001_0000", "ReMIND2Reg_001_0002"):
        (tmp_path / f"{name}.nii.gz").write_bytes(b"")
    cases = _by_name(remind2reg.find_cases(tmp_path))
    assert list(cases) == ["ReMIND2Reg-0001", "ReMIND2Reg-0099"]
    assert [path.name for path in cases["ReMIND2Reg-0001"].mri] == ["ReMIND2Reg_001_0002.nii.gz"]
    assert all(case.exclude and "after resection" in case.reason for case in cases.values())


@pytest.mark.parametrize("find", [find_cases, easy_resect.find_cases, remind2reg.find_cases])
def test_another_folder_is_refused(tmp_path: Path, find):
    with pytest.raises(NotFoundError, match="is it the"):
        find(tmp_path)
    with pytest.raises(NotFoundError, match="no folder"):
        find(tmp_path / "nowhere")


def test_of_two_masks_of_one_name_none_is_guessed(resect: Path, tmp_path: Path, save, capsys):
    """A mask that was corrected in a subfolder: which one is meant used to hang on the subfolder's name."""
    seg = tmp_path / "RESECT_segmentation"
    (mask,) = (path for path in seg.rglob("*") if path.name == "Case1-US-before-tumor.nii.gz")
    (mask.parent / "corrected").mkdir()
    command = ["cases", "--resect", str(resect), "--resect-seg", str(seg), "--out", str(tmp_path / "cases.csv")]
    shutil.copy(mask, mask.parent / "corrected")
    assert main(command) == 0
    save(mask.parent / "corrected" / mask.name, np.ones((8, 9, 10), np.uint8), np.eye(4))
    assert main(command) == 2
    assert "could both be meant, and differ" in capsys.readouterr().err


@pytest.mark.parametrize(
    "place",
    ["RESECT_segmentation/Case1/Case1-US-before-tumor.nii", "RESECT/NIFTI/Case1/US/Case1-US-before-tumor.nii.gz"],
)
def test_a_corrected_mask_beside_the_old_one_is_not_passed_over(tmp_path: Path, place: str):
    """Saved without compression, or beside the volume: the old one was taken without a word."""
    labels, old = tmp_path / "RESECT_segmentation", "Case1-US-before-tumor.nii.gz"
    volume = tmp_path / "RESECT/NIFTI/Case1/US/Case1-US-before.nii.gz"
    for path in (volume, labels / "Case1" / old, tmp_path / place):
        path.parent.mkdir(parents=True, exist_ok=True)
    mask = nib.Nifti1Image(np.ones((3, 3, 3), np.uint8), np.eye(4))
    for path in (volume, labels / "Case1" / old, tmp_path / place):
        nib.save(mask, path)
    assert find_cases(tmp_path / "RESECT", labels)[0].us_label is not None, "twice the same content is one mask"
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)), tmp_path / place)
    with pytest.raises(FormatError, match="could both be meant, and differ"):
        find_cases(tmp_path / "RESECT", labels)


def test_check_finds_masks_that_cannot_be(resect: Path, tmp_path: Path, save):
    """Masks swapped between the modalities, inverted, or elsewhere: each case gets one sentence, the others stay."""
    seg, mri = tmp_path / "RESECT_segmentation", np.zeros((8, 9, 10), np.uint8)
    mri[2:5, 3:6, 4:8] = 1
    for number in (1, 2, 11):
        save(seg / f"Case{number}" / f"Case{number}-FLAIR-tumor.nii.gz", mri, np.eye(4))

    def reasons() -> dict[str, str]:
        command = ["cases", "--resect", str(resect), "--resect-seg", str(seg), "--check"]
        assert main([*command, "--out", str(tmp_path / "cases.csv")]) == 0
        cases = read_cases(tmp_path / "cases.csv")
        return {case.case: case.reason for case in cases if case.exclude and case.phase == "before"}

    assert reasons() == {}
    ours, theirs = (seg / "Case1" / f"Case1-{name}-tumor.nii.gz" for name in ("US-before", "FLAIR"))
    ours.rename(tmp_path / "aside.nii.gz")
    theirs.rename(ours)
    (tmp_path / "aside.nii.gz").rename(theirs)
    save(seg / "Case2" / "Case2-FLAIR-tumor.nii.gz", 1 - mri, np.eye(4))
    away = np.eye(4)
    away[:3, 3] = 300
    save(seg / "Case11" / "Case11-FLAIR-tumor.nii.gz", mri, away)
    found = reasons()
    assert found["RESECT-Case1"].endswith("swap the two masks.")
    assert found["RESECT-Case2"].endswith("covers most of the MRI: is it inverted?")
    assert "does not lie in the MRI" in found["RESECT-Case11"]
    oedema = mri.copy()
    oedema[2:5, 3:6, 4:6] = 2
    save(seg / "Case2" / "Case2-FLAIR-tumor.nii.gz", oedema, np.eye(4))
    assert "holds the labels 1, 2: keep the tumour's alone" in reasons()["RESECT-Case2"]
