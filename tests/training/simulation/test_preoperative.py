"""MRI, its label, landmarks and the second reader of simulated patients: layout, truth, levels, determinism."""

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from hypothesis import given, settings
from hypothesis import strategies as st

from training.cli import main
from training.registration.landmarks import best_rigid, mtre_mm, read_landmarks
from training.registration.pairs import Pair
from training.registration.register import register
from training.registration.transfer import transfer
from training.registration.transforms import apply, read_transform
from training.simulation.border import drawn_border, fringes, signed_distance
from training.simulation.cohort import Cohort, simulate_cohort
from training.simulation.displacement import draw_displacement
from training.simulation.label_error import IMPERFECTIONS, READER, LabelError, Reader
from training.simulation.tissue import Box
from training.slicing.cutting import clear_slices, tumour_slices
from training.slicing.volumes import read_volume

SEED = 1
PATIENTS = 2
PERFECT = Reader(0.0, 0.0, missed_share=0.0)


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cohort]:
    """The same two small patients without label error, and with much by two processes."""
    folder = tmp_path_factory.mktemp("mini")
    return {level: _simulate(folder / level, level, jobs=jobs) for level, jobs in (("none", 1), ("high", 2))}


def _simulate(out: Path, level: str | None, patients: int = PATIENTS, jobs: int = 1) -> Cohort:
    return simulate_cohort(out, patients, SEED, cohort="mini", small=True, label_error=level, jobs=jobs)


def _bytes(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    found = (path for path in folder.rglob(pattern) if path.is_file() and not path.name.startswith("receipt"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def _mask(path: Path) -> np.ndarray:
    return np.asarray(nib.load(path).dataobj) > 0


def test_files_lie_as_published(cohorts: dict[str, Cohort]) -> None:
    for cohort in cohorts.values():
        for number in range(1, PATIENTS + 1):
            case = f"Case{number}"
            for path in (
                f"RESECT/NIFTI/{case}/MRI/{case}-T1.nii.gz",
                f"RESECT/NIFTI/{case}/MRI/{case}-FLAIR.nii.gz",
                f"RESECT/NIFTI/{case}/Landmarks/{case}-MRI-beforeUS.tag",
                f"RESECT_segmentation/{case}/{case}-FLAIR-tumor.nii.gz",
                f"annotator2/{case}/{case}-US-before-tumor.nii.gz",
                f"truth/{case}-mri-to-us.txt",
            ):
                assert (cohort.folder / path).is_file(), path
    table = json.loads((cohorts["high"].folder / "cohort.json").read_text())
    assert table["simulated"] is True
    assert table["label_error"] == "high"
    assert table["imperfection"]["sag_mm"] == IMPERFECTIONS[LabelError.HIGH].sag_mm
    assert not list(cohorts["high"].folder.rglob("*sweep*"))


def test_mri_is_a_millimetre_grid_along_ras_with_its_label_on_it(cohorts: dict[str, Cohort]) -> None:
    for entry in cohorts["high"].patients:
        t1, flair, label = (
            nib.load(cohorts["high"].folder / entry["files"][key]) for key in ("t1", "flair", "mri_label")
        )
        np.testing.assert_allclose(flair.affine[:3, :3], np.eye(3), atol=1e-6)
        np.testing.assert_allclose(t1.affine, flair.affine)
        np.testing.assert_allclose(label.affine, flair.affine, atol=1e-3)
        assert (int(label.header["sform_code"]), int(label.header["qform_code"])) == (0, 1)
        grey, tumour = np.asarray(flair.dataobj), np.asarray(label.dataobj) > 0
        brain = grey > 0
        assert 0.3 < brain.mean() < 0.99
        assert not (tumour & ~brain).any()
        assert np.median(grey[tumour]) > 1.3 * np.median(grey[brain])
        t1_grey = np.asarray(t1.dataobj)
        assert np.median(t1_grey[tumour]) < 0.95 * np.median(t1_grey[brain])


def test_landmarks_are_written_as_resects_and_true(cohorts: dict[str, Cohort]) -> None:
    for level, cohort in cohorts.items():
        for entry in cohort.patients:
            path = cohort.folder / entry["files"]["landmarks"]
            text = path.read_bytes()
            assert text.startswith(b"MNI Tag Point File\nVolumes = 2;\n% Case ")
            assert text.endswith(b'"";')
            landmarks = read_landmarks(path)
            assert len(landmarks.us) in (15, 16)
            truth = read_transform(cohort.folder / entry["files"]["mri_to_us"])
            assert mtre_mm(landmarks) == pytest.approx(entry["mri"]["mtre_navigation_mm"], abs=2e-3)
            assert mtre_mm(landmarks, truth) == pytest.approx(entry["mri"]["mtre_true_rigid_mm"], abs=2e-3)
            if level == "none":
                assert mtre_mm(landmarks, truth) < 1e-3
                assert mtre_mm(landmarks) > 1
            else:
                assert 0.5 < mtre_mm(landmarks, best_rigid(landmarks)) <= mtre_mm(landmarks, truth) + 1e-9
            _all_seen(cohort.folder / entry["files"]["volume"], landmarks.us)


def _all_seen(volume: Path, world: np.ndarray) -> None:
    """Every landmark lies on a grey voxel of the ultrasound."""
    image = nib.load(volume)
    index = np.rint(apply(np.linalg.inv(image.affine), world)).astype(int)
    assert (np.asarray(image.dataobj)[tuple(index.T)] > 0).all()


def test_under_the_true_transform_a_perfect_label_is_the_truth_and_a_wrong_one_is_not(
    cohorts: dict[str, Cohort],
) -> None:
    """MRI voxels of a millimetre leave some rounding on tumours of a centimetre."""
    for number in range(PATIENTS):
        scores = {}
        for level, cohort in cohorts.items():
            files = {key: cohort.folder / path for key, path in cohort.patients[number]["files"].items()}
            us, label = sitk.ReadImage(str(files["volume"])), sitk.ReadImage(str(files["mri_label"]))
            moved, _ = transfer(label, us, read_transform(files["mri_to_us"]))
            scores[level] = _dice(sitk.GetArrayFromImage(moved) > 0, _mask(files["truth"]).transpose(2, 1, 0))
        assert scores["none"] > 0.93
        assert 0.1 < scores["high"] < scores["none"] - 0.05


def test_registration_takes_the_navigation_error_away(cohorts: dict[str, Cohort], tmp_path: Path) -> None:
    cohort, entry = cohorts["none"], max(cohorts["none"].patients, key=lambda one: one["mri"]["mtre_navigation_mm"])
    files = {key: cohort.folder / path for key, path in entry["files"].items()}
    register([Pair("one", files["volume"], (files["flair"],))], tmp_path, "lc2+mind")
    landmarks = read_landmarks(files["landmarks"])
    assert mtre_mm(landmarks, read_transform(tmp_path / "transforms/one.txt")) < min(1.5, mtre_mm(landmarks))


def test_levels_share_patients_and_differ_in_size(cohorts: dict[str, Cohort]) -> None:
    none, high = cohorts["none"], cohorts["high"]
    assert _bytes(none.folder, "*-US-*.nii.gz") == _bytes(high.folder, "*-US-*.nii.gz")
    assert _bytes(none.folder, "*.txt") == _bytes(high.folder, "*.txt")
    for first, second in zip(none.patients, high.patients, strict=True):
        assert first["mri"]["brain_shift_max_mm"] == 0
        assert second["mri"]["brain_shift_max_mm"] > 2
        assert first["mri"]["annotator2_dice"] == second["mri"]["annotator2_dice"]


def test_mri_leaves_the_ultrasound_as_it_is(cohorts: dict[str, Cohort], tmp_path: Path) -> None:
    plain = _bytes(_simulate(tmp_path, None, patients=1).folder / "RESECT/NIFTI/Case1/US")
    assert plain == _bytes(cohorts["high"].folder / "RESECT/NIFTI/Case1/US")
    assert plain


def test_files_do_not_depend_on_jobs_and_an_interrupted_run_goes_on(cohorts: dict[str, Cohort], tmp_path: Path) -> None:
    """Another process made the patient that is made again here."""
    out = shutil.copytree(cohorts["high"].folder, tmp_path / "cohort")
    (out / "patients" / "Case2.json").unlink()
    (out / "RESECT/NIFTI/Case2/MRI/Case2-FLAIR.nii.gz").write_bytes(b"half a file")
    before = (out / "RESECT/NIFTI/Case1/MRI/Case1-FLAIR.nii.gz").stat().st_mtime_ns
    _simulate(out, "high")
    assert (out / "RESECT/NIFTI/Case1/MRI/Case1-FLAIR.nii.gz").stat().st_mtime_ns == before
    assert _bytes(out) == _bytes(cohorts["high"].folder)


def test_the_second_reader_disagrees_but_sees_the_same_tumour(cohorts: dict[str, Cohort]) -> None:
    for entry in cohorts["none"].patients:
        files = {key: cohorts["none"].folder / path for key, path in entry["files"].items()}
        first, second = _mask(files["truth"]), _mask(files["annotator2"])
        assert nib.load(files["annotator2"]).header["qform_code"] == 1
        assert not (second & (np.asarray(nib.load(files["volume"]).dataobj) == 0)).any()
        assert 0.5 < _dice(first, second) < 0.99
        assert _dice(first, second) == pytest.approx(entry["mri"]["annotator2_dice"], abs=1e-3)


def test_there_are_slices_with_tumour_and_without(cohorts: dict[str, Cohort]) -> None:
    with_tumour = without = 0
    for entry in cohorts["none"].patients:
        files = {key: cohorts["none"].folder / path for key, path in entry["files"].items()}
        volume = read_volume(files["volume"], files["truth"])
        with_tumour += sum(len(tumour_slices(volume.mask, axis)) for axis in range(3))
        without += sum(len(clear_slices(volume, axis)) for axis in range(3))
    assert min(with_tumour, without) > 20


BOX = Box(*(np.arange(-30, 31, 1.0, dtype=np.float32) for _ in range(3)), np.eye(4))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_way_to_the_mri_and_back_ends_where_it_began(seed: int) -> None:
    rng = np.random.default_rng(seed)
    displacement = draw_displacement(rng, BOX, np.zeros(3), IMPERFECTIONS[LabelError.HIGH])
    points = rng.uniform(-25, 25, (50, 3))
    np.testing.assert_allclose(displacement.in_box(displacement.to_mri(points)), points, atol=1e-3)


def _ball_with_a_finger() -> np.ndarray:
    y, z, x = np.meshgrid(BOX.y, BOX.z, BOX.x, indexing="ij")
    ball = 10.0 - np.sqrt(x**2 + y**2 + z**2)
    return np.maximum(ball, np.where(x > 0, np.minimum(1.5 - np.hypot(y, z), 18.0 - x), -50.0)).astype(np.float32)


def test_a_perfect_reader_draws_the_truth_and_another_misses_fringes() -> None:
    body = _ball_with_a_finger()
    np.testing.assert_array_equal(drawn_border(np.random.default_rng(0), BOX, body, PERFECT), body)
    finger = fringes(body > 0, READER.fringe_mm, 1.0)
    y, z, x = np.meshgrid(BOX.y, BOX.z, BOX.x, indexing="ij")
    far = (body > 0) & (x > 13)
    assert finger[far].all()
    assert not finger[np.sqrt(x**2 + y**2 + z**2) < 8].any()
    blind = drawn_border(np.random.default_rng(0), BOX, body, Reader(0.01, 0.0, missed_share=1.0))
    assert not (blind[far] > 0).any()


@pytest.mark.parametrize("border", [0.2, 1.0, 2.0])
def test_a_border_is_off_by_what_was_asked(border: float) -> None:
    """The displacement's SD over the borders of eight readers; a single one has only a few correlation lengths."""
    body = _ball_with_a_finger()
    truth, near = signed_distance(body > 0, 1.0), np.abs(body) < 1
    reader = Reader(border, 0.0, missed_share=0.0)
    off = [(drawn_border(np.random.default_rng(seed), BOX, body, reader) - truth)[near] for seed in range(8)]
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(border, rel=0.15)


def test_a_label_error_without_mri_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--patients", "1", "--out", str(tmp_path), "--label-error", "high"]) == 2
    assert "--mri" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
