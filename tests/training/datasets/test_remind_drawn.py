"""Masks drawn on ReMIND's ultrasound by others: joined by their voxels, never by the order of a name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from training.cli import main
from training.cohort.cases import Case, read_cases
from training.datasets.remind_drawn import same_voxels

Run = Callable[..., dict[str, Case]]
PHASES = {"pre-dura": "US_pre_dura", "pre-imri": "US_pre_imri"}


@pytest.fixture
def run(tmp_path: Path, remind, clinical) -> Run:
    """`ius-train cases` on a patient with a volume before and one after resection, and with the masks there are."""
    for shift, series in enumerate(PHASES.values()):
        remind.us("ReMIND-003", series, [0, 1, 2, 3], shift)
    (tmp_path / "drawn").mkdir()

    def found(*options: str) -> dict[str, Case]:
        table = tmp_path / "cases.csv"
        rows = clinical((3, 40, "F", 2, "Glioma", "No"))
        files = ["--remind", str(remind.root), "--clinical", str(rows), "--cache", str(tmp_path / "cache")]
        files += ["--remind-drawn", str(tmp_path / "drawn")]
        assert main(["cases", *files, *options, "--out", str(table)]) == 0
        return {case.case: case for case in read_cases(table)}

    return found


@pytest.fixture
def draw(tmp_path: Path, run: Run) -> Callable[..., np.ndarray]:
    """Writes a mask on the grid of one of the patient's volumes, its axes turned, and returns it on that grid."""

    def written(phase: str, name: str = "pre", labels: tuple[int, ...] = (1, 2)) -> np.ndarray:
        us = sitk.ReadImage(str(run("--convert-excluded")[f"ReMIND-003-{phase}"].us))
        mask = np.zeros(us.GetSize()[::-1], np.uint8)
        for at, label in enumerate(labels):
            mask[1 + at, 1:3, 2:4] = label
        image = sitk.GetImageFromArray(mask)
        image.CopyInformation(us)
        turned = sitk.Flip(sitk.PermuteAxes(image, (2, 0, 1)), (True, False, True))
        sitk.WriteImage(turned, str(tmp_path / "drawn" / f"ReMIND-003-{name}-us-segmentation.nii.gz"))
        return mask

    return written


def pixels(path: Path | None) -> np.ndarray:
    assert path is not None
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_a_mask_belongs_to_the_volume_with_its_voxels_whatever_its_name(run: Run, draw, capsys) -> None:
    mask = draw("pre-dura", "post")
    cases = run()
    case = cases["ReMIND-003-pre-dura"]
    assert not case.exclude, "it needs no mask of its MRI"
    np.testing.assert_array_equal(pixels(case.us_label), mask == 1)
    np.testing.assert_array_equal(pixels(case.cavity_label), mask == 2)
    assert sitk.ReadImage(str(case.us_label)).GetSpacing() == sitk.ReadImage(str(case.us)).GetSpacing()
    assert cases["ReMIND-003-pre-imri"].us_label is None
    assert "On no volume" not in capsys.readouterr().err


def test_a_volume_after_resection_is_taken_with_its_own_mask_alone(run: Run, draw, capsys) -> None:
    draw("pre-imri", labels=(1,))
    assert "--include resection" in run()["ReMIND-003-pre-imri"].reason
    assert "On no volume that was taken: ReMIND-003-pre-us-segmentation.nii.gz" in capsys.readouterr().err
    case = run("--include", "resection")["ReMIND-003-pre-imri"]
    assert not case.exclude
    assert (case.cavity_label, case.mri, case.mri_label) == (None, (), None)
    for path in (case.us_label.parents[2] / "drawn").iterdir():
        path.unlink()
    assert run("--include", "resection")["ReMIND-003-pre-imri"].reason == "no tumour mask"


def test_a_mask_of_two_volumes_or_of_an_unknown_label_is_not_guessed(run: Run, draw, remind) -> None:
    draw("pre-dura", labels=(1, 3))
    assert "holds the label 3, and 1 is tumour, 2 cavity" in run()["ReMIND-003-pre-dura"].reason
    draw("pre-dura")
    remind.us("ReMIND-003", "US_post_dura", [0, 1, 2, 3])
    cases = run()
    for phase in ("pre-dura", "post-dura"):
        case = cases[f"ReMIND-003-{phase}"]
        assert case.exclude
        assert "has the grid of ReMIND-003-" in case.reason
    draw("pre-dura", "post")
    assert "have the same grid: leave one of them out" in run()["ReMIND-003-pre-dura"].reason


def test_masks_without_their_volumes_or_that_are_not_there_are_one_sentence(tmp_path: Path, remind, capsys) -> None:
    table, missing = ["--out", str(tmp_path / "a.csv")], str(tmp_path / "nowhere")
    assert main(["cases", "--remind-drawn", str(tmp_path), *table]) == 2
    assert "give --remind DIR too" in capsys.readouterr().err
    files = ["--remind", str(remind.root), "--cache", str(tmp_path / "c"), "--remind-drawn", missing]
    assert main(["cases", *files, *table]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_voxels_are_told_apart_by_half_a_voxel_and_by_their_number() -> None:
    image = sitk.Image(5, 6, 7, sitk.sitkUInt8)
    image.SetSpacing((0.5, 0.6, 0.7))
    assert same_voxels(sitk.PermuteAxes(image, (1, 2, 0)), image)
    moved = sitk.Image(image)
    moved.SetOrigin((0.25, 0, 0))
    assert not same_voxels(moved, image)
    assert not same_voxels(image[:4], image)
    assert not same_voxels(image[::2], image)
