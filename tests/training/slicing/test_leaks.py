"""A patient planted on both sides, under two data sets' names, stops the run; different patients never do."""

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from inference.errors import FormatError
from training.cli import main
from training.cohort.cases import Case, write_cases
from training.io.receipt import write_json
from training.simulation.cohort import simulate_cohort
from training.slicing.areas import read_areas
from training.slicing.fingerprint import ALIKE, fingerprint
from training.slicing.leaks import (
    Identity,
    LeakError,
    patients_in_both,
    read_identities,
    refuse_leaks,
    refuse_twins,
)
from training.slicing.slices import SliceRow, read_slices, read_tumour, write_slices


def _saved(image: sitk.Image) -> sitk.Image:
    """Other numbers for the same grey values, as a tool that saves 16 bits writes them."""
    return sitk.Cast(image * 100, sitk.sitkInt16)


def _jittered(image: sitk.Image) -> sitk.Image:
    """On a grid a third of a voxel off."""
    origin = [at + 0.3 * mm for at, mm in zip(image.GetOrigin(), image.GetSpacing(), strict=True)]
    return sitk.Resample(
        image, image.GetSize(), sitk.Transform(), sitk.sitkLinear, origin, image.GetSpacing(), image.GetDirection(), 0.0
    )


def _upright(image: sitk.Image) -> sitk.Image:
    """On a grid along the world's axes, as EASY-RESECT's."""
    grid = sitk.Image([110] * 3, sitk.sitkFloat32)
    grid.SetSpacing([0.8] * 3)
    middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    grid.SetOrigin([at - 43.7 for at in middle])
    return sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, 0.0)


def _without_place(image: sitk.Image) -> sitk.Image:
    """Finer, and the header's origin and direction lost."""
    image = sitk.Image(image)
    image.SetOrigin([0.0] * 3)
    image.SetDirection(np.eye(3).ravel().tolist())
    size = [round(1.2 * n) for n in image.GetSize()]
    spacing = [mm / 1.2 for mm in image.GetSpacing()]
    return sitk.Resample(image, size, sitk.Transform(), sitk.sitkLinear, [0.1] * 3, spacing, image.GetDirection(), 0.0)


CHANGES = [_saved, _jittered, _upright, _without_place]


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[sitk.Image]:
    paths = sorted((shared_data / "resect" / "us").glob("*.nii.gz"))
    return [sitk.ReadImage(str(path), sitk.sitkFloat32) for path in paths]


def test_real_volumes_are_known_again_and_never_taken_for_another(real: list[sitk.Image]):
    looks = [fingerprint(image) for image in real]
    assert max(one.likeness(other) for one, other in itertools.combinations(looks, 2)) < 0.6
    for image, look in zip(real, looks, strict=True):
        assert min(look.likeness(fingerprint(change(image))) for change in CHANGES) > 0.96 > ALIKE


def _speckle(seed: int, turn: int = 0) -> np.ndarray:
    """A ball-shaped sector with texture of its own."""
    k, j, i = np.indices((60, 56, 52))
    inside = (k - 30) ** 2 + (j - 28) ** 2 + (i - 26) ** 2 < 25**2
    texture = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=inside.shape), 5)
    return np.where(inside, 60 + 900 * texture + turn, 0).clip(0).astype(np.float32)


def _case(folder: Path, dataset: str, number: int, image: sitk.Image) -> Case:
    folder = folder / dataset / f"Case{number}"
    folder.mkdir(parents=True)
    k, j, i = np.indices(image.GetSize()[::-1])
    middle = [n // 2 for n in image.GetSize()[::-1]]
    ball = sum((at - centre) ** 2 for at, centre in zip((k, j, i), middle, strict=True)) < 8**2
    mask = sitk.GetImageFromArray(ball.astype(np.uint8))
    mask.CopyInformation(image)
    for one, name in ((image, "us.nii.gz"), (mask, "mask.nii.gz")):
        sitk.WriteImage(one, str(folder / name))
    name = f"{dataset}-Case{number}"
    return Case(name, name, dataset=dataset, us=folder / "us.nii.gz", us_label=folder / "mask.nii.gz")


def _volume(seed: int) -> sitk.Image:
    image = sitk.GetImageFromArray(_speckle(seed))
    image.SetSpacing([0.9, 0.8, 1.1])
    image.SetDirection([0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1])
    image.SetOrigin([-20.0, 3.0, 11.0])
    return image


def _slice(folder: Path, name: str, cases: list[Case], *options: str) -> int:
    write_cases(cases, folder / f"{name}.csv")
    return main(["slice", str(folder / f"{name}.csv"), "--out", str(folder / name), "--step-mm", "5", *options])


@pytest.mark.parametrize("change", CHANGES)
def test_a_patient_planted_in_train_and_test_under_two_names_stops_the_run(tmp_path: Path, capsys, change):
    train = [_case(tmp_path, "RESECT", number, _volume(number)) for number in (1, 2)]
    test = [_case(tmp_path, "CuRIOUS", 7, _volume(7)), _case(tmp_path, "CuRIOUS", 9, change(_volume(2)))]
    assert _slice(tmp_path, "train", train) == 0
    assert _slice(tmp_path, "clean", test[:1], "--apart-from", str(tmp_path / "train")) == 0
    assert _slice(tmp_path, "test", test, "--apart-from", str(tmp_path / "train")) == 2
    assert "CuRIOUS-Case9 in training and RESECT-Case2 in the test set are the same picture" in capsys.readouterr().err
    assert not (tmp_path / "test" / "slices.csv").exists()
    assert _slice(tmp_path, "both", [*train, *test]) == 2
    assert "RESECT-Case2 of RESECT-Case2 and CuRIOUS-Case9 of CuRIOUS-Case9 are the same" in capsys.readouterr().err


def test_a_shared_name_stops_the_run(tmp_path: Path, capsys):
    one = _case(tmp_path, "RESECT", 1, _volume(1))
    other = Case("EASY-RESECT-Case1", one.patient, us=one.us, us_label=one.us_label)
    assert _slice(tmp_path, "train", [one]) == 0
    assert _slice(tmp_path, "test", [other]) == 0
    with pytest.raises(LeakError, match=r"RESECT-Case1 is in training \(RESECT-Case1\) and in the test set"):
        refuse_leaks(read_identities(tmp_path / "train"), read_identities(tmp_path / "test"))
    scored = ["evaluate", str(tmp_path), str(tmp_path / "test"), "--out", str(tmp_path / "report"), "--data", "all"]
    assert main([*scored, "--trained-on", str(tmp_path / "train")]) == 2
    assert "The patient RESECT-Case1 is in training" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_a_table_of_masks_that_are_no_longer_there_is_not_left(tmp_path: Path):
    """A case was cut anew and the run stopped: areas and patients of the old table stood beside the new masks."""
    one, other = (_case(tmp_path, name, 1, _volume(1)) for name in ("RESECT", "CuRIOUS"))
    assert _slice(tmp_path, "store", [one]) == 0
    mask = sitk.ReadImage(str(one.us_label))
    sitk.WriteImage(sitk.BinaryDilate(mask, (2, 2, 2)), str(one.us_label))
    assert _slice(tmp_path, "store", [one, other]) == 2  # one picture under two names
    assert not (tmp_path / "store" / "slices.csv").exists()
    assert _slice(tmp_path, "store", [one]) == 0
    row = read_slices(tmp_path / "store")[0]
    assert row.area_mm2 == pytest.approx(read_tumour(row.label(tmp_path / "store")).sum() * row.row_mm * row.col_mm)


def test_a_case_that_is_a_frame_now_has_no_areas_of_its_volume(tmp_path: Path):
    """The table that compares mm² under three slicings still counted the volume that nobody cuts any more."""
    one = _case(tmp_path, "RESECT", 1, _volume(1))
    assert _slice(tmp_path, "store", [one]) == 0
    assert read_areas(tmp_path / "store" / "areas.csv")
    for path, kind in ((one.us, sitk.sitkFloat32), (one.us_label, sitk.sitkUInt8)):
        volume = sitk.ReadImage(str(path), kind)
        sitk.WriteImage(volume[:, :, volume.GetSize()[2] // 2], str(path))
    assert _slice(tmp_path, "store", [one]) == 0
    assert [row.axis for row in read_slices(tmp_path / "store")] == ["native"]
    assert read_areas(tmp_path / "store" / "areas.csv") == []


def test_one_picture_twice_in_a_store_is_told_and_one_slice_twice_refused(tmp_path: Path, capsys):
    """No leak, since the patient is one, but a mean in which its slices count twice."""
    one, new = _case(tmp_path, "RESECT", 1, _volume(1)), _case(tmp_path, "RESECT", 2, _volume(2))
    other = Case("EASY-RESECT-Case1", one.patient, us=one.us, us_label=one.us_label)
    assert _slice(tmp_path, "apart", [one, replace(new, patient=one.patient)]) == 0
    assert "warning" not in capsys.readouterr().err
    assert _slice(tmp_path, "both", [one, other]) == 0
    assert "RESECT-Case1 and EASY-RESECT-Case1 of RESECT-Case1 are the same picture" in capsys.readouterr().err
    table = tmp_path / "both" / "slices.csv"
    table.write_text(table.read_text() + table.read_text().splitlines()[-1] + "\n")
    with pytest.raises(FormatError, match=r"lists the slice EASY-RESECT-Case1_[ijk]\d+ twice"):
        read_slices(table)


def test_sets_that_number_the_same_patients_anew_are_kept_apart():
    repeated, known, another = (Identity(name, name) for name in ("ReMIND2Reg-0099", "ReMIND-001", "RESECT-Case1"))
    for pair in ((repeated, known), (known, repeated)):
        with pytest.raises(LeakError, match="ReMIND2Reg-0099 may be ReMIND-001"):
            refuse_leaks(*([one] for one in pair))
        with pytest.raises(LeakError, match="ReMIND2Reg-0099 may be ReMIND-001"):
            refuse_twins(pair)
    refuse_leaks([another], [repeated, known])


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("P07", "P07 "),
        ("P07", "p07"),
        ("P07", "P7"),
        ("P-7", "P\u00a007"),
        ("P07", "\uff3007"),
        ("P07", "P 7"),
        ("P07", "P-07"),
        ("P-7", "P\u20137"),
        ("1a", "1-A"),
        ("7", "07.0"),
    ],
)
def test_a_patient_whose_name_is_written_in_two_ways_is_one(name: str, again: str):
    """Two sessions of a patient show two pictures, so that nothing but the name tells that they are one's."""
    one, other = Identity("first", name), Identity("second", again)
    with pytest.raises(LeakError, match="is in training"):
        refuse_leaks([one], [other])
    with pytest.raises(LeakError, match="differ in spelling alone"):
        refuse_twins([one, other])
    assert patients_in_both([one], [other]) == {again}


@pytest.mark.parametrize(
    "names", [("S1-1", "S11"), ("P1", "P10"), ("P1", "Q1"), ("1-01", "1-10"), ("Case1", "Case1b"), ("7", "7.01")]
)
def test_names_that_differ_are_two_patients(names: tuple[str, str]):
    pair = [Identity(name, name) for name in names]
    refuse_twins(pair)
    refuse_leaks(pair[:1], pair[1:])


def test_one_sweep_under_two_names_is_one_patients(tmp_path: Path):
    """A sweep has no fingerprint, but a file that was copied is known by its bytes."""
    for store, case, digest in (("train", "A", "1f"), ("test", "B", "1f"), ("other", "C", "2e")):
        row = SliceRow(f"{case}_native0000", case, case, "native", 0, 9.0, 4, 4, 0.5, 0.5)
        write_slices([row], tmp_path / store / "slices.csv")
        write_json({"files": {"sweep": digest, "sweep-label": "3d"}}, tmp_path / store / "cases" / f"{case}.json")
    train, test, other = (read_identities(tmp_path / name) for name in ("train", "test", "other"))
    refuse_leaks(train, other)
    with pytest.raises(LeakError, match="A in training and B in the test set are the same picture"):
        refuse_leaks(train, test)


def test_simulated_patients_are_different_pictures(tmp_path: Path):
    folder = simulate_cohort(tmp_path, 3, 3, small=True).folder
    paths = sorted(folder.glob("RESECT/NIFTI/Case*/US/*.nii.gz"))
    looks = [Identity(path.name, path.name, fingerprint(sitk.ReadImage(str(path)))) for path in paths]
    assert len(looks) == 3
    refuse_twins(looks)
    shutil.copy(paths[0], tmp_path / "copy.nii.gz")
    twin = Identity("copy", "copy", fingerprint(sitk.ReadImage(str(tmp_path / "copy.nii.gz"))))
    with pytest.raises(LeakError, match="same picture"):
        refuse_twins([*looks, twin])
