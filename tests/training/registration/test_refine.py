"""What follows a rigid registration: bounded, nowhere folding, never silent, and carried by all that comes after it."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from cubes import SHIFT, US, volume
from cubes import registered as registered_cubes
from scipy import ndimage

from inference.errors import FormatError
from training.cli import main
from training.registration.align import Alignment
from training.registration.by_hand import move
from training.registration.decisions import fingerprint
from training.registration.deformation import Deformation
from training.registration.landmarks import Landmarks, mtre_mm
from training.registration.mapping import (
    grid_over,
    itk_of,
    kind_of,
    least_jacobian,
    mapping_path,
    read_mapping,
    read_start,
    warped,
    write_mapping,
)
from training.registration.refine import STRETCH, folded, refine, stretch, stretched
from training.registration.result import Registered, flags, read_results
from training.registration.scene import read_scene
from training.registration.transforms import apply, rigid
from training.registration.volume import Volume

TURN = rigid(np.array([2.0, -1.0, 1.5, 0.1, -0.05, 0.08]), np.zeros(3))


def bent(us: Volume, size_mm: float, matrix: np.ndarray = TURN, wide_mm: float = 12.0) -> Deformation:
    """A bump along z about the middle, on top of a matrix."""
    grid = grid_over(us)
    bump = size_mm * np.exp(-(grid.nodes**2).sum(axis=1) / (2 * wide_mm**2))
    there = apply(np.linalg.inv(matrix), grid.nodes + bump[:, None] * [0.0, 0.0, 1.0])
    return Deformation((there - grid.nodes).reshape(grid.shift.shape), grid.affine)


def test_a_field_is_its_own_inverse_and_itks_and_comes_back_from_its_file(tmp_path: Path) -> None:
    """ITK's own point mapping, ultrasound to MRI in LPS, is the judge; points beyond the grid go the linear way."""
    field = bent(US, 3.0)
    points = np.random.default_rng(0).uniform(-16, 16, (40, 3))
    mri = field.to_mri(points)
    itk = itk_of(field)
    judged = np.array([itk.TransformPoint((point * [-1, -1, 1]).tolist()) for point in points]) * [-1, -1, 1]
    np.testing.assert_allclose(mri, judged, atol=1e-9)
    np.testing.assert_allclose(field.to_us(mri), points, atol=0.01)
    assert mtre_mm(Landmarks("one", mri, points), field) < 0.01
    far = np.array([[60.0, 50.0, -70.0]])
    np.testing.assert_allclose(field.to_us(field.to_mri(far)), far, atol=0.01)
    write_mapping(SHIFT, tmp_path / "one")
    write_mapping(field, tmp_path / "one")
    assert [path.name for path in tmp_path.iterdir()] == ["one.nii.gz"], "one result, one kind of file"
    read = read_mapping(tmp_path / "one.nii.gz")
    np.testing.assert_allclose(read.to_mri(points), mri, atol=1e-4)
    image = sitk.ReadImage(str(tmp_path / "one.nii.gz"))
    assert (image.GetNumberOfComponentsPerPixel(), image.GetMetaData("intent_code")) == (3, "1007")
    assert (kind_of(field), kind_of(TURN), kind_of(TURN @ stretch(np.full(6, 0.05), np.zeros(3)))) == (
        "deformable",
        "rigid",
        "affine",
    )


def test_jacobians_tell_shrinking_growing_and_folding() -> None:
    grid = grid_over(US)
    for scale in (0.8, 1.0, 1.3):
        one = replace(grid, shift=(grid.nodes * (scale - 1)).reshape(grid.shift.shape))
        np.testing.assert_allclose(one.jacobian(), scale**3, atol=1e-9)
        assert one.mean_jacobian(np.zeros((1, 3))) == pytest.approx(scale**3)
    assert least_jacobian(bent(US, 3.0), US) > 0.5
    assert folded(bent(US, 3.0), US) == ""
    torn = bent(US, 12.0, wide_mm=4.0)
    assert least_jacobian(torn, US) < 0
    assert "it folds: the least Jacobian determinant" in folded(torn, US)


def test_a_stretch_keeps_its_centre_and_its_bounds() -> None:
    rng = np.random.default_rng(1)
    for size in (0.02, 0.1, 3.0):
        matrix = stretch(rng.normal(0, size, 6), np.array([5.0, 6.0, 7.0]))
        values = np.linalg.svd(matrix[:3, :3], compute_uv=False)
        assert values.min() >= STRETCH[0] - 1e-9
        assert values.max() <= STRETCH[1] + 1e-9
        np.testing.assert_allclose(apply(matrix, np.array([[5.0, 6, 7]])), [[5, 6, 7]], atol=1e-9)
    assert "its bounds or beyond" in stretched(matrix)
    assert stretched(TURN) == ""


@pytest.fixture(scope="module")
def cubes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pair's files."""
    folder = tmp_path_factory.mktemp("cubes")
    registered_cubes(folder)
    return folder


@pytest.fixture(scope="module")
def textured() -> tuple[Volume, Volume, np.ndarray]:
    """An empty ball of ultrasound, an MRI of texture, and points in the ball."""
    rng = np.random.default_rng(3)
    texture = ndimage.gaussian_filter(rng.normal(size=(56, 56, 56)), 2.0)
    mri = volume(56, 1.0, lambda *_: 300 + 50 * texture / texture.std())
    us = volume(44, 1.0, lambda x, y, z: 100.0 * (x**2 + y**2 + z**2 < 19**2))
    points = np.random.default_rng(4).uniform(-9, 9, (30, 3))
    return us, mri, points


def alignment(matrix: np.ndarray, support: float = 0.3) -> Alignment:
    return Alignment(matrix, 0.5, 0.4, 0.0, 0.0, 100.0, support)


def test_an_affine_and_a_deformable_refinement_find_what_was_done(textured) -> None:
    us, mri, points = textured
    truth = bent(us, 3.0)
    seen = Volume(np.where(us.pixels > 0, warped(mri, us, truth), 0).astype(np.float32), us.affine)
    landmarks = Landmarks("one", truth.to_mri(points), points)
    before = mtre_mm(landmarks, TURN)
    found = refine(seen, [mri], alignment(TURN), "mind", "deformable")
    assert found.refused == ""
    assert found.deformation is not None
    assert mtre_mm(landmarks, found.mapping) < before / 2
    assert 1.0 < found.refined_mm < 5.0

    wide = TURN @ stretch(np.array([0.08, -0.06, 0.0, 0.0, 0.0, 0.0]), np.zeros(3))
    seen = Volume(np.where(us.pixels > 0, warped(mri, us, wide), 0).astype(np.float32), us.affine)
    landmarks = Landmarks("one", apply(np.linalg.inv(wide), points), points)
    found = refine(seen, [mri], alignment(TURN), "mind", "affine")
    assert (found.refused, kind_of(found.mapping)) == ("", "affine")
    assert mtre_mm(landmarks, found.mapping) < mtre_mm(landmarks, TURN) / 2
    weak = refine(seen, [mri], alignment(TURN, support=0.0), "mind", "affine")
    np.testing.assert_array_equal(weak.mapping, TURN)
    assert weak.refused == "the registration before it is flagged (weak)"
    assert flags(weak, None) == ["weak", "refused"]
    assert flags(alignment(TURN), None, 12.0) == ["volume"]


def test_a_field_of_ones_own_is_kept_and_everything_after_it_uses_it(tmp_path: Path, cubes: Path, capsys) -> None:
    """The mask, landmarks, the review and its decisions, the closer look; a move by hand is refused."""
    field = bent(US, 4.0, SHIFT)
    write_mapping(field, tmp_path / "own")
    out = tmp_path / "deformed"
    rows = {"us": cubes / "us.nii.gz", "mri": cubes / "mri.nii.gz", "mri_label": cubes / "label.nii.gz"}
    table = tmp_path / "cases.csv"
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["case", *rows, "start"])
        writer.writeheader()
        writer.writerow({"case": "own", **rows, "start": "own.nii.gz"})
    assert main(["register", str(table), "--out", str(out)]) == 0
    assert "deformable: own: moved by at most" in capsys.readouterr().err
    (row,) = read_results(out)
    assert (row.kind, row.refused) == ("deformable", "")
    assert 1.5 < row.refined_mm < 4.1, "beside its own linear part"
    assert row.volume_change_percent is not None
    assert sorted(path.name for path in (out / "transforms").iterdir()) == ["own.nii.gz"]
    assert "linear" in json.loads((out / "cases/own.json").read_text())

    kept = read_mapping(mapping_path(out, "own"))
    points = np.random.default_rng(0).uniform(-12, 12, (15, 3))
    np.testing.assert_allclose(kept.to_mri(points), field.to_mri(points), atol=0.05)
    pairs = np.hstack([field.to_mri(points), points])
    lines = "\n".join(" " + " ".join(f"{value:.6f}" for value in pair) + ' ""' for pair in pairs)
    tag = tmp_path / "own.tag"
    tag.write_text(f"MNI Tag Point File\nVolumes = 2;\n\nPoints =\n{lines};")
    capsys.readouterr()
    assert main(["landmarks", str(tag), "--transform", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mtre_mm"]["own"] < 0.06

    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "labels/own.nii.gz"))) > 0
    centre = apply(US.affine, np.argwhere(mask).mean(axis=0)[None])
    np.testing.assert_allclose(centre, field.to_us(np.array([[5.0, -4.0, 3.0]])), atol=0.3)

    assert main(["review", str(out), "--accept", "own"]) == 0
    assert "deformable" in (out / "review.html").read_text()
    scene = read_scene(out, "own")
    np.testing.assert_array_equal(scene.result, np.eye(4))
    assert scene.picture("axial", 0.0, scene.result) == scene.picture("axial", 0.0, scene.start, start=True)
    with pytest.raises(FormatError, match="a move by hand is rigid"):
        move(out, "own", (1.0, 0, 0, 0, 0, 0), fingerprint(out, "own"))
    stamp = mapping_path(out, "own").stat().st_mtime_ns
    assert main(["register", str(table), "--out", str(out)]) == 0
    assert mapping_path(out, "own").stat().st_mtime_ns == stamp, "resumed"


def test_a_field_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    write_mapping(bent(US, 12.0, wide_mm=4.0), tmp_path / "torn")
    with pytest.raises(FormatError, match="folds within the ultrasound"):
        read_start(tmp_path / "torn.nii.gz", US)
    small = bent(volume(20, 0.6, lambda x, y, z: 1.0 + 0 * (x + y + z)), 1.0)
    write_mapping(small, tmp_path / "small")
    with pytest.raises(FormatError, match="does not cover the ultrasound"):
        read_start(tmp_path / "small.nii.gz", US)
    sitk.WriteImage(sitk.Image([4, 4, 4], sitk.sitkFloat32), str(tmp_path / "grey.nii.gz"))
    with pytest.raises(FormatError, match="three components"):
        read_start(tmp_path / "grey.nii.gz", US)
    bspline = sitk.BSplineTransformInitializer(itk_image(), [4, 4, 4])
    bspline.SetParameters(np.full(len(bspline.GetParameters()), 2.0).tolist())
    sitk.WriteTransform(bspline, str(tmp_path / "spline.h5"))
    moved = read_start(tmp_path / "spline.h5", US)
    np.testing.assert_allclose(moved.to_mri(np.zeros((1, 3))), [[-2.0, -2.0, 2.0]], atol=1e-6)


def itk_image() -> sitk.Image:
    """A grid that is wider than the cube of ultrasound."""
    image = sitk.Image([60, 60, 60], sitk.sitkFloat32)
    image.SetOrigin([-30.0] * 3)
    return image


def test_nothing_is_refined_from_scratch(tmp_path: Path, cubes: Path, capsys) -> None:
    pair = [str(cubes / "us.nii.gz"), str(cubes / "mri.nii.gz"), "--metric", "none", "--refine", "affine"]
    assert main(["register", *pair, "--out", str(tmp_path / "out")]) == 2
    assert "no registration to refine" in capsys.readouterr().err
    assert Registered("old", "mind").kind == "", "a table of an earlier version says nothing of it"
