"""Landmark files, their errors, and transforms in ITK's and our own direction."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.errors import FormatError, NotFoundError
from training.cli import main
from training.registration.landmarks import Landmarks, best_rigid, measure, mtre_mm, read_landmarks, transform_of
from training.registration.output import record_path
from training.registration.pairs import read_pairs
from training.registration.result import Registered, write_results
from training.registration.transforms import angle_deg, apply, as_itk, read_transform, rigid, write_transform

HEAD = "MNI Tag Point File\nVolumes = 2;\n% Case 7: MRI-beforeUS landmarks\n\nPoints =\n"
POINTS = arrays(np.float64, (8, 3), elements=st.floats(-80, 80, width=32))
MOTION = arrays(np.float64, 6, elements=st.floats(-1, 1, width=32))


def _tag(path: Path, pairs: np.ndarray, end: str = ";") -> Path:
    """As RESECT writes it: no newline at the end, the semicolon after the last label."""
    lines = [" " + " ".join(f"{value:.6f}" for value in pair) + ' ""' for pair in pairs]
    path.write_text(HEAD + "\n".join(lines) + end)
    return path


@pytest.fixture
def pairs() -> np.ndarray:
    rng = np.random.default_rng(5)
    mri = rng.uniform(-40, 40, (9, 3))
    return np.hstack([mri, mri + rng.normal(0, 2, (9, 3))])


@pytest.mark.parametrize("end", [";", ";\n", "\n;\n", ""])
def test_a_tag_file_reads_however_it_ends(tmp_path: Path, pairs: np.ndarray, end: str) -> None:
    landmarks = read_landmarks(_tag(tmp_path / "Case7-MRI-beforeUS.tag", pairs, end))
    assert landmarks.case == "Case7"
    np.testing.assert_allclose(np.hstack([landmarks.mri, landmarks.us]), pairs, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Tag File\n", "first line"),
        (HEAD.replace("= 2", "= 1") + ' 1 2 3 ""', "two volumes"),
        (HEAD, "no landmarks"),
        (HEAD + ' 1 2 3 4 5 6 ""\n 1 2 3 4 5 ""', "six numbers"),
        (HEAD + ' 1 2 3 4 5 nan ""', "six numbers"),
    ],
)
def test_a_damaged_tag_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "Case7.tag"
    path.write_text(text)
    with pytest.raises(FormatError, match=words):
        read_landmarks(path)


@settings(max_examples=50, deadline=None)
@given(points=POINTS, motion=MOTION)
def test_the_best_rigid_undoes_a_rigid_motion(points: np.ndarray, motion: np.ndarray) -> None:
    truth = rigid(motion * [20, 20, 20, 1, 1, 1], np.array([3.0, -8.0, 30.0]))
    landmarks = Landmarks("one", points, apply(truth, points))
    assert mtre_mm(landmarks, truth) == 0
    found = best_rigid(landmarks)
    assert mtre_mm(landmarks, found) < 1e-6
    assert np.linalg.det(found[:3, :3]) == pytest.approx(1)  # never a reflection, on a plane or a line neither


def test_a_rotation_leaves_its_centre_and_has_its_angle() -> None:
    centre = np.array([10.0, -4.0, 7.0])
    turned = rigid(np.array([0, 0, 0, 0.3, 0, 0.4]), centre)
    np.testing.assert_allclose(apply(turned, centre[None])[0], centre, atol=1e-12)
    assert angle_deg(turned) == pytest.approx(np.degrees(0.5))


@pytest.mark.parametrize("ending", ["txt", "tfm", "h5", "composite", "euler"])
def test_every_kind_of_file_is_the_same_transform(tmp_path: Path, ending: str) -> None:
    """ITK's own point mapping, from ultrasound to MRI in LPS, is the judge."""
    truth = rigid(np.array([4.0, -3.0, 2.0, 0.2, -0.1, 0.15]), np.array([20.0, 10.0, -30.0]))
    text, tfm = write_transform(truth, tmp_path / "Case7")
    path = {"txt": text, "tfm": tfm}.get(ending, tmp_path / "other.h5")
    if ending == "h5":
        sitk.WriteTransform(as_itk(truth), str(path))
    if ending == "composite":
        sitk.WriteTransform(sitk.CompositeTransform([as_itk(truth), sitk.TranslationTransform(3)]), str(path))
    if ending == "euler":
        euler = sitk.Euler3DTransform()
        euler.SetMatrix(as_itk(truth).GetMatrix(), 1e-9)
        euler.SetTranslation(as_itk(truth).GetTranslation())
        sitk.WriteTransform(euler, str(path))
    np.testing.assert_allclose(read_transform(path), truth, atol=1e-6)
    us = np.array([15.0, 22.0, -9.0])
    mri_lps = as_itk(truth).TransformPoint((us * [-1, -1, 1]).tolist())
    np.testing.assert_allclose(apply(truth, np.array([mri_lps]) * [-1, -1, 1])[0], us, atol=1e-9)


def test_a_transform_that_is_none_is_refused(tmp_path: Path) -> None:
    for number, text in enumerate(["1 0 0 0\n0 1 0 0\n", "a b", "\n".join(["0 0 0 0"] * 3) + "\n0 0 0 1"]):
        path = tmp_path / f"{number}.txt"
        path.write_text(text)
        with pytest.raises(FormatError):
            read_transform(path)
    bent = tmp_path / "bent.h5"
    sitk.WriteTransform(sitk.DisplacementFieldTransform(sitk.Image([4, 4, 4], sitk.sitkVectorFloat64)), str(bent))
    with pytest.raises(FormatError, match="rigid or affine"):
        read_transform(bent)
    workspace = tmp_path / "registered.iws"
    workspace.write_text("<propertyfile><param name='transformation'>1 0 0 5 0 1 0 0 0 0 1 0 0 0 0 1</param>")
    with pytest.raises(FormatError, match="ImFusion"):
        read_transform(workspace)
    mirrored = tmp_path / "mirrored.txt"
    mirrored.write_text("-1 0 0 3\n0 1 0 4\n0 0 1 5\n0 0 0 1\n")
    with pytest.raises(FormatError, match="mirrors"):
        read_transform(mirrored)
    with pytest.raises(NotFoundError):
        read_transform(tmp_path / "none.tfm")


def test_the_command_prints_every_case_and_the_sd_over_cases(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    files, expected = [], []
    rng = np.random.default_rng(3)
    for number, shift in enumerate([1.0, 2.0, 6.0]):
        mri = rng.uniform(-40, 40, (15, 3))
        files.append(
            str(_tag(tmp_path / f"Case{number}-MRI-beforeUS.tag", np.hstack([mri, mri + np.array([0, shift, 0])])))
        )
        expected.append(shift)
    assert main(["landmarks", *files, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["cases"] == 3
    assert printed["mtre_mean_mm"] == pytest.approx(3.0, abs=1e-5)
    assert printed["mtre_sd_mm"] == pytest.approx(np.std(expected, ddof=1), abs=1e-5)
    assert printed["mtre_mm"] == pytest.approx({"Case0": 1.0, "Case1": 2.0, "Case2": 6.0}, abs=1e-5)
    # A shift of 2 mm towards +y takes 2 mm off each; as ITK's file it holds the opposite direction.
    matrix = np.eye(4)
    matrix[1, 3] = 2
    for path in write_transform(matrix, tmp_path / "shift"):
        assert main(["landmarks", *files, "--transform", str(path), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["mtre_mm"] == pytest.approx(
            {"Case0": 1.0, "Case1": 0.0, "Case2": 4.0}, abs=1e-5
        )


def test_a_folder_gives_each_case_its_own_transform(tmp_path: Path, pairs: np.ndarray) -> None:
    first = _tag(tmp_path / "Case1.tag", pairs)
    second = _tag(tmp_path / "Case2.tag", pairs[:, [3, 4, 5, 0, 1, 2]])
    for path in (first, second):
        write_transform(best_rigid(read_landmarks(path)), tmp_path / "transforms" / path.stem)
    errors = measure([first, second], tmp_path / "transforms")
    assert errors.each["Case1"] < mtre_mm(read_landmarks(first))
    assert errors.each["Case2"] == pytest.approx(mtre_mm(read_landmarks(second), best_rigid(read_landmarks(second))))
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="Case1"):
        measure([first], tmp_path / "empty")


def test_one_case_has_no_sd_and_a_case_counts_once(tmp_path: Path, capsys: pytest.CaptureFixture, pairs) -> None:
    path = _tag(tmp_path / "Case1-MRI-beforeUS.tag", pairs)
    assert main(["landmarks", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mtre_sd_mm"] is None
    assert main(["landmarks", str(path), str(path)]) == 2
    assert "second file" in capsys.readouterr().err


def test_the_real_landmarks(shared_data: Path, capsys: pytest.CaptureFixture) -> None:
    """Case 24 starts at 1.10 mm and can reach 0.83; all cases from all files, none of their landmarks lost."""
    files = sorted((shared_data / "resect/landmarks").glob("*.tag"))
    case24 = next(path for path in files if path.name.startswith("Case24-"))
    landmarks = read_landmarks(case24)
    assert mtre_mm(landmarks) == pytest.approx(1.10, abs=0.005)
    assert mtre_mm(landmarks, best_rigid(landmarks)) == pytest.approx(0.83, abs=0.005)
    for path in files:
        assert len(read_landmarks(path).mri) in (15, 16)
    assert main(["landmarks", *map(str, files)]) == 0
    assert f"{len(files)} cases" in capsys.readouterr().out


def test_the_folder_of_the_registration_is_taken_as_it_is(tmp_path: Path):
    (tmp_path / "transforms").mkdir()
    (tmp_path / "transforms" / "Case1.txt").touch()
    assert transform_of(tmp_path, "Case1") == tmp_path / "transforms" / "Case1.txt"
    with pytest.raises(NotFoundError, match=r"holds no Case2\.txt or Case2\.tfm, nor does its folder transforms"):
        transform_of(tmp_path, "Case2")


def test_a_transform_that_a_failed_registration_left_is_not_measured(tmp_path: Path) -> None:
    """The MRI was replaced and could not be registered: its landmarks were measured with the former one's transform."""
    (tmp_path / "transforms").mkdir()
    for case in ("RESECT-Case1", "RESECT-Case2"):
        (tmp_path / "transforms" / f"{case}.txt").touch()
    results = [Registered("RESECT-Case1", "lc2"), Registered("RESECT-Case2", "lc2", error="There is no file mri.nii.")]
    write_results(results, tmp_path)
    assert transform_of(tmp_path, "Case1").name == "RESECT-Case1.txt"
    with pytest.raises(FormatError, match=r"last registration failed: There is no file mri\.nii\."):
        transform_of(tmp_path, "Case2")


def test_a_transform_of_a_registration_that_was_stopped_is_not_measured(tmp_path: Path) -> None:
    """Named by its folder, by the transforms' folder or by itself."""
    path = tmp_path / "transforms" / "Case1.txt"
    path.parent.mkdir()
    path.touch()
    record_path(tmp_path, "Case1").parent.mkdir()
    for named in (tmp_path, path.parent, path):
        with pytest.raises(NotFoundError, match=r"The registration of Case1 in .* was not finished"):
            transform_of(named, "Case1")
    record_path(tmp_path, "Case1").touch()
    assert {transform_of(named, "Case1") for named in (tmp_path, path.parent, path)} == {path}


def test_a_case_is_found_under_its_data_set_and_never_guessed(tmp_path: Path) -> None:
    for name in ("RESECT-Case1", "RESECT-Case11", "Simulated-mini-7-Case2", "RESECT-Case2"):
        (tmp_path / f"{name}.txt").touch()
    assert transform_of(tmp_path, "Case1").name == "RESECT-Case1.txt"
    with pytest.raises(FormatError, match="RESECT-Case2 and Simulated-mini-7-Case2: give the transform file"):
        transform_of(tmp_path, "Case2")


def test_a_cohort_without_mri_is_told_so(tmp_path: Path):
    table = tmp_path / "cases.csv"
    table.write_text("case,patient,us,mri,us_label\nA,A,us.nii.gz,,label.nii.gz\n")
    with pytest.raises(FormatError, match=r"names no MRI for any of its 1 cases.*simulate patients with --mri"):
        read_pairs(table)
