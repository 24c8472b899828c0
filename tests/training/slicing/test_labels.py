"""`ius-train slice`: whose masks are cut, and broken cases that get one sentence and leave the others going."""

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from cubes import recorded

from training.cli import main
from training.cohort.cases import Case, write_cases
from training.io.receipt import sha256
from training.registration.decisions import fingerprint
from training.registration.output import record_path
from training.registration.result import Registered
from training.registration.transforms import write_transform
from training.slicing.slices import read_slices
from training.slicing.store import read_left_out

ASSETS = Path(__file__).resolve().parents[3] / "assets"
SHAPE = (12, 14, 16)


def _write(array: np.ndarray, path: Path, spacing: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([spacing] * 3)
    sitk.WriteImage(image, str(path))
    return path


def _ball(radius: float) -> np.ndarray:
    k, j, i = np.indices(SHAPE)
    return ((k - 6) ** 2 + (j - 7) ** 2 + (i - 8) ** 2 < radius**2).astype(np.uint8)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    speckle = np.random.default_rng(0).uniform(1, 90, SHAPE).astype(np.float32)
    return _write(speckle * _ball(6.5), tmp_path / "us.nii.gz")


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    return _write(_ball(3), tmp_path / "mask.nii.gz")


def _registered_from(folder: Path, case: str, us: Path, label: Path) -> None:
    """The record of `ius-train register`."""
    recorded(folder, Registered(case, "lc2"), us=[sha256(us)], mri=["another"], label=[sha256(label)])


def _slice(tmp_path: Path, cases: list[Case], *options: str) -> tuple[int, Path]:
    write_cases(cases, tmp_path / "cases.csv")
    store = tmp_path / "store"
    return main(["slice", str(tmp_path / "cases.csv"), "--out", str(store), *options]), store


def _review(folder: Path, decisions: dict[str, str]) -> None:
    with (folder / "review.csv").open("w", newline="") as stream:
        rows = [(case, decision, "", fingerprint(folder, case)) for case, decision in decisions.items()]
        csv.writer(stream).writerows([("case", "decision", "note", "fingerprint"), *rows])


@pytest.fixture
def registered(tmp_path: Path) -> Path:
    """Labels a voxel larger than the ultrasound's own, of three cases."""
    for case in ("good", "bad", "unseen"):
        _write(_ball(4), tmp_path / "registered" / "labels" / f"{case}.nii.gz")
        write_transform(np.eye(4), tmp_path / "registered" / "transforms" / case)
        recorded(tmp_path / "registered", Registered(case, "lc2"))
    _review(tmp_path / "registered", {"good": "Accept", "bad": "reject", "unseen": ""})
    return tmp_path / "registered"


def test_of_mris_masks_only_the_accepted_are_cut(tmp_path: Path, picture: Path, mask: Path, registered: Path):
    mri = (tmp_path / "mri.nii.gz",)
    cases = [Case(name, "one", us=picture, mri=mri, mri_label=mask) for name in ("good", "bad", "unseen", "never")]
    cases.append(Case("drawn", "one", us=picture, us_label=mask))
    code, store = _slice(tmp_path, cases, "--labels", "both", "--registered", str(registered))
    assert code == 0
    assert {(row.case, row.origin) for row in read_slices(store)} == {("good", "mri"), ("drawn", "us")}
    reasons = read_left_out(store)
    assert list(reasons) == ["bad", "unseen", "never"]
    assert "rejected" in reasons["bad"]
    assert "Nobody has looked" in reasons["unseen"]
    assert "no registered MRI mask" in reasons["never"]
    _registered_from(registered, "good", picture, mask)
    assert _slice(tmp_path, cases, "--labels", "both", "--registered", str(registered))[0] == 0
    assert "good" not in read_left_out(store)
    areas = {name: sum(row.area_mm2 for row in read_slices(store) if row.case == name) for name in ("good", "drawn")}
    assert areas["good"] == 3 * _ball(4).sum()
    assert areas["drawn"] == 3 * _ball(3).sum()


@pytest.mark.parametrize("changed", ["us", "mri", "label"])
def test_a_mask_that_was_carried_over_from_or_to_another_file_is_not_cut(tmp_path, picture, mask, registered, changed):
    """A corrected MRI mask or a replaced volume of one size: the mask in the folder is still the old one's."""
    _registered_from(registered, "good", picture, mask)
    path, pixels = {"us": (picture, _ball(6)), "mri": (tmp_path / "mri.nii.gz", _ball(6)), "label": (mask, _ball(2))}[
        changed
    ]
    _write(pixels if changed == "label" else 90.0 * pixels, path)
    case = Case("good", "one", us=picture, mri=(tmp_path / "mri.nii.gz",), mri_label=mask)
    code, _ = _slice(tmp_path, [case], "--labels", "mri", "--registered", str(registered))
    assert code == 2


def test_a_case_with_both_masks_gives_the_one_asked_for(tmp_path: Path, picture: Path, mask: Path, registered: Path):
    case = Case("good", "P", us=picture, us_label=mask, mri_label=mask)
    for labels, origin in (("us", "us"), ("both", "us"), ("mri", "mri"), ("us", "us")):
        code, store = _slice(tmp_path, [case], "--labels", labels, "--registered", str(registered))
        assert code == 0
        assert {row.origin for row in read_slices(store)} == {origin}


def test_a_later_rejection_is_obeyed(tmp_path: Path, picture: Path, mask: Path, registered: Path):
    cases = [Case(name, "one", us=picture, mri_label=mask) for name in ("good", "bad")]
    options = ("--labels", "mri", "--registered", str(registered))
    assert _slice(tmp_path, cases, *options)[0] == 0
    _review(registered, {"good": "reject", "bad": "accept"})
    code, store = _slice(tmp_path, cases, *options)
    assert code == 0
    assert {row.case for row in read_slices(store)} == {"bad"}


def test_a_mask_registered_anew_is_not_cut_on_the_old_ones_acceptance(
    tmp_path: Path, picture: Path, mask: Path, registered: Path, capsys: pytest.CaptureFixture
):
    _write(_ball(5), registered / "labels" / "good.nii.gz")
    case = Case("good", "P", us=picture, mri_label=mask)
    code, _ = _slice(tmp_path, [case], "--labels", "mri", "--registered", str(registered))
    assert code == 2
    assert "Nobody has looked at its registration" in capsys.readouterr().err


def test_a_mask_of_a_registration_that_was_stopped_is_not_cut(
    tmp_path: Path, picture: Path, mask: Path, registered: Path, capsys: pytest.CaptureFixture
):
    """Its transform and mask may be of two runs; the record is written last, and the decision stands."""
    record_path(registered, "good").unlink()
    code, _ = _slice(tmp_path, [Case("good", "P", us=picture, mri_label=mask)], "--labels", "mri", "--registered",
                     str(registered))  # fmt: skip
    assert code == 2
    assert "The registration of good in" in (told := capsys.readouterr().err)
    assert "was not finished: run 'ius-train register' again" in told


def test_without_a_review_no_mri_mask_is_cut(tmp_path: Path, picture: Path, mask: Path, registered: Path, capsys):
    (registered / "review.csv").unlink()
    code, _ = _slice(tmp_path, [Case("good", "P", us=picture, mri_label=mask)], "--labels", "mri", "--registered",
                     str(registered))  # fmt: skip
    assert code == 2
    assert "Nobody has looked at its registration: run 'ius-train review" in capsys.readouterr().err


def test_broken_cases_get_one_sentence_and_leave_the_others_going(
    tmp_path: Path, picture: Path, mask: Path, capsys: pytest.CaptureFixture
):
    torn = tmp_path / "torn.nii.gz"
    torn.write_bytes(picture.read_bytes()[:900])
    dicom = tmp_path / "sweep.dcm"
    dicom.write_bytes((ASSETS / "clips" / "demo.dcm").read_bytes()[:100_000])
    inverted = _write(1 - _ball(3), tmp_path / "inverted.nii.gz")
    broken = {
        "no-file": (Case("no-file", "P1", us=picture, us_label=tmp_path / "gone.nii.gz"), "There is no file"),
        "no-patient": (Case("no-patient", "", us=picture, us_label=mask), "It has no patient"),
        "no-mask": (Case("no-mask", "P2", us=picture), "no tumour mask"),
        "swapped": (
            Case("swapped", "P3", us=mask, us_label=picture),
            "is a picture, not a mask: were the two swapped?",
        ),
        "mri-mask": (
            Case("mri-mask", "P4", us=picture, us_label=_write(_ball(3), tmp_path / "mri.nii.gz", 0.8)),
            "is it MRI's, which has to be registered first",
        ),
        "inverted": (Case("inverted", "P5", us=picture, us_label=inverted), "is it inverted"),
        "empty": (
            Case("empty", "P6", us=picture, us_label=_write(0 * _ball(3), tmp_path / "empty.nii.gz")),
            "is empty",
        ),
        "torn": (Case("torn", "P7", us=torn, us_label=mask), "is damaged or cut short"),
        "torn-dicom": (Case("torn-dicom", "P8", sweep=dicom, sweep_label=mask), "is it whole?"),
    }
    whole = Case("whole", "P9", us=picture, us_label=mask)
    code, store = _slice(tmp_path, [*(case for case, _ in broken.values()), whole])
    printed = capsys.readouterr()
    assert code == 0
    assert {row.case for row in read_slices(store)} == {"whole"}
    reasons = read_left_out(store)
    assert list(reasons) == list(broken)
    for name, (_, words) in broken.items():
        assert words in reasons[name]
        assert reasons[name].count(". ") == 0
        assert f"error: {name}: {reasons[name]}" in printed.err
    assert "9 cases left out" in printed.err
    assert "slices larger than" in printed.out


def test_an_inverted_mask_is_found_where_the_picture_fills_its_box(tmp_path: Path, mask: Path, capsys):
    full = _write(np.random.default_rng(1).uniform(1, 9, SHAPE).astype(np.float32), tmp_path / "full.nii.gz")
    inverted = _write(1 - _ball(3), tmp_path / "inverted.nii.gz")
    assert _slice(tmp_path, [Case("inverted", "P", us=full, us_label=inverted)])[0] == 2
    assert "covers nearly all of the ultrasound: is it inverted?" in capsys.readouterr().err
    assert _slice(tmp_path, [Case("right", "P", us=full, us_label=mask)])[0] == 0
