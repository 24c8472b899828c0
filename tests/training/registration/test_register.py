"""The stage: files in and out, resuming, flags, broken cases, transferred labels; and the real pair."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from training.cli import main
from training.registration.align import Alignment, align, sector_centre
from training.registration.contrast import contrast
from training.registration.landmarks import mtre_mm, read_landmarks
from training.registration.result import FLAG_CONTRAST, FLAG_SUPPORT, flags
from training.registration.transfer import transfer
from training.registration.transforms import angle_deg, as_itk, read_transform, rigid, write_transform
from training.registration.volume import as_volume, read_image

TRUTH = rigid(np.array([2.0, -3.0, 1.5, 0.05, -0.04, 0.06]), np.array([0.0, 0.0, 0.0]))
"""MRI to ultrasound, RAS mm; the volumes' centres are at the origin."""


def _image(pixels: np.ndarray, side: float, *, oblique: bool = False) -> sitk.Image:
    """A volume (k, j, i) of cubes about the origin."""
    image = sitk.GetImageFromArray(pixels)
    image.SetSpacing([side] * 3)
    if oblique:
        turned = rigid(np.array([0, 0, 0, 0.3, -0.4, 0.5]), np.zeros(3))[:3, :3]
        image.SetDirection(turned.ravel().tolist())
    middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    image.SetOrigin([-at for at in middle])
    return image


def _ball(side: float, voxels: int, radius: float, centre: tuple[float, float, float]) -> np.ndarray:
    axis = (np.arange(voxels) - (voxels - 1) / 2) * side
    k, j, i = np.meshgrid(axis, axis, axis, indexing="ij")
    x, y, z = centre
    return ((i - x) ** 2 + (j - y) ** 2 + (k - z) ** 2 < radius**2).astype(np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A pair with a known transform, as RESECT stores one: oblique ultrasound, MRI and tumour mask on another grid."""
    folder = tmp_path_factory.mktemp("pair")
    rng = np.random.default_rng(2)
    texture = ndimage.gaussian_filter(rng.normal(size=(52, 52, 52)), 2.5)
    seen_tumour = 100 * _ball(1.0, 52, 7, (3, -4, 2))  # or its mask would be flagged as one beside its tumour
    mri = _image((texture / texture.std() * 50 + 300 + seen_tumour).astype(np.float32), 1.0)
    label = _image(_ball(1.0, 52, 7, (3, -4, 2)), 1.0)
    grid = _image(np.zeros((40, 40, 40), np.float32), 0.8, oblique=True)
    seen = sitk.GetArrayFromImage(sitk.Resample(mri, grid, as_itk(TRUTH), sitk.sitkLinear, 300.0))
    sector = _ball(0.8, 40, 15.5, (0, 0, 0)) > 0
    us = np.where(sector, np.clip(50 + 0.3 * (seen - 300) + rng.normal(0, 2, seen.shape), 1, None), 0)
    image = sitk.GetImageFromArray(us.astype(np.float32))
    image.CopyInformation(grid)
    paths = {
        "us": folder / "Case1-US-before.nii.gz",
        "mri": folder / "Case1-FLAIR.nii.gz",
        "label": folder / "L.nii.gz",
    }
    for name, written in (("us", image), ("mri", mri), ("label", label)):
        sitk.WriteImage(written, str(paths[name]))
    return paths


def _table(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["case", "us", "mri", "mri_label", "start", "exclude"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def _rows(out: Path) -> list[dict[str, str]]:
    with (out / "registration.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_a_table_is_registered_resumed_and_the_same_again(
    tmp_path: Path, files: dict[str, Path], capsys: pytest.CaptureFixture
) -> None:
    """Broken cases get one sentence each and leave the others going; a second run changes nothing and does nothing."""
    torn = tmp_path / "torn.nii.gz"
    torn.write_bytes(files["mri"].read_bytes()[:3000])
    far = tmp_path / "far.nii.gz"
    away = sitk.ReadImage(str(files["label"]))
    away.SetOrigin([500.0, 0, 0])
    sitk.WriteImage(away, str(far))
    inverted = tmp_path / "inverted.nii.gz"
    sitk.WriteImage(sitk.ReadImage(str(files["label"])) == 0, str(inverted))
    whole = {"us": files["us"], "mri": files["mri"], "mri_label": files["label"]}
    cases = _table(
        tmp_path / "cases.csv",
        [
            {"case": "whole", **whole},
            {"case": "no-mri", "us": files["us"]},
            {"case": "torn", "us": files["us"], "mri": torn},
            {"case": "off-grid", **whole, "mri_label": far},
            {"case": "swapped", **whole, "mri_label": files["mri"]},
            {"case": "inverted", **whole, "mri_label": inverted},
            {"case": "excluded", "us": "nowhere", "exclude": 1},
        ],
    )
    out = tmp_path / "out"
    command = ["register", str(cases), "--out", str(out), "--metric", "lc2+mind", "--jobs", "2"]
    assert main(command) == 0
    printed = capsys.readouterr().err
    rows = {row["case"]: row for row in _rows(out)}
    assert list(rows) == ["whole", "no-mri", "torn", "off-grid", "swapped", "inverted"]
    refused = {"no-mri": "no MRI", "torn": "damaged or cut short", "off-grid": "does not lie in"}
    for case, words in (refused | {"swapped": "not a mask", "inverted": "is it inverted"}).items():
        assert words in rows[case]["error"]
        assert f"error: {case}: {rows[case]['error']}" in printed
    assert "1 registered, 0 flagged, 5 failed" in printed
    _found_well(out / "transforms/whole.tfm")
    assert rows["whole"]["error"] == ""
    assert float(rows["whole"]["label_inside_percent"]) > 94
    assert float(rows["whole"]["contrast"]) > FLAG_CONTRAST
    assert json.loads((out / "receipt-register.json").read_text())["settings"]["metric"] == "lc2+mind"

    written = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and "receipt-" not in path.name}
    stamp = (out / "labels/whole.nii.gz").stat().st_mtime_ns
    assert main(command) == 0
    assert (out / "labels/whole.nii.gz").stat().st_mtime_ns == stamp
    again = tmp_path / "again"
    assert main(["register", str(cases), "--out", str(again)]) == 0
    for path, content in written.items():
        assert (again / path.relative_to(out)).read_bytes() == content, path.name
        assert path.read_bytes() == content, path.name
    assert main(["register", str(cases), "--out", str(out), "--metric", "none"]) == 0
    assert _rows(out)[0]["metric"] == "none"  # another metric is another result
    assert float(_rows(out)[0]["shift_mm"]) == 0


def _found_well(path: Path) -> None:
    """Within a millimetre and two degrees of the truth."""
    left = read_transform(path) @ np.linalg.inv(TRUTH)
    assert np.linalg.norm(left[:3, 3]) < 1.0
    assert angle_deg(left) < 2.0


def test_a_pair_takes_an_external_transform_as_it_is(tmp_path: Path, files: dict[str, Path]) -> None:
    """Its label, transferred, is the truth's: Dice over 0.98."""
    _, start = write_transform(TRUTH, tmp_path / "external")
    pair = [str(files["us"]), str(files["mri"]), "--label", str(files["label"]), "--start", str(start)]
    assert main(["register", *pair, "--out", str(tmp_path / "out"), "--metric", "none"]) == 0
    np.testing.assert_allclose(read_transform(tmp_path / "out/transforms/Case1-US-before.txt"), TRUTH, atol=1e-9)
    us = sitk.ReadImage(str(files["us"]))
    index = np.indices(us.GetSize()[::-1]).reshape(3, -1).T.astype(float)
    volume = as_volume(us)
    world = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    mri = world @ np.linalg.inv(TRUTH)[:3, :3].T + np.linalg.inv(TRUTH)[:3, 3]
    ball = np.linalg.norm(mri - [-3, 4, 2], axis=1) < 7  # the mask's centre in RAS
    truth = ball.reshape(volume.pixels.shape) & (volume.pixels > 0)
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out/labels/Case1-US-before.nii.gz"))) > 0
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.98


def test_at_the_identity_a_mask_comes_back_cut_to_the_field_of_view() -> None:
    sector = _ball(0.7, 30, 9, (0, 0, 0))
    us = _image(sector.astype(np.float32) * 40, 0.7, oblique=True)
    us[15, 15, 15] = 0  # a cyst is no edge of the sector
    inside, across = (_image(_ball(0.7, 30, 4, (at, 0, 0)), 0.7, oblique=True) for at in (0, 8))
    mask, percent = transfer(inside, us, np.eye(4))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(mask), sitk.GetArrayFromImage(inside))
    assert percent == 100
    mask, percent = transfer(across, us, np.eye(4))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(mask), sitk.GetArrayFromImage(across) & sector)
    assert 20 < percent < 90


def test_flags_are_raised_just_beyond_their_limits() -> None:
    def found(
        shift: float, rotation: float, overlap: float, similarity: float, support: float = FLAG_SUPPORT
    ) -> list[str]:
        one = Alignment(np.eye(4), similarity, 0.5, shift, rotation, overlap, support)
        return flags(one, 0.0 if shift > 90 else None)

    assert found(15, 15, 60, 0.6) == []
    assert found(15.1, 0, 100, 0.6) == ["shift"]
    assert found(0, 15.1, 59.9, 0.4) == ["rotation", "overlap", "worse"]
    assert found(99, 0, 100, 0.6) == ["shift", "label"]
    assert found(0, 0, 100, 0.6, FLAG_SUPPORT - 0.001) == ["weak"]


def _moved(image: sitk.Image) -> sitk.Image:
    image.SetOrigin([900.0, 0, 0])
    return image


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda image: image * 0, "empty"),
        (_moved, "do not overlap"),
    ],
)
def test_a_pair_that_cannot_be_registered_is_one_sentence(
    tmp_path: Path, files: dict[str, Path], capsys: pytest.CaptureFixture, change, words: str
) -> None:
    path = tmp_path / "changed.nii.gz"
    sitk.WriteImage(change(sitk.ReadImage(str(files["us"]))), str(path))
    assert main(["register", str(path), str(files["mri"]), "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out/registration.csv").exists()


def test_a_table_without_mri_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("case,patient,us\nCase1,Case1,a.nii.gz\n")
    assert main(["register", str(table), "--out", str(tmp_path / "out")]) == 2
    assert "column mri is missing" in capsys.readouterr().err


def test_the_real_pair_from_a_random_start(shared_data: Path) -> None:
    """Case 24 of RESECT, T1 only: the navigation's alignment has 1.10 mm, the best rigid one 0.83."""
    us = as_volume(read_image(shared_data / "resect/us/Case24-US-before-0p5mm.nii.gz"))
    mri = as_volume(read_image(shared_data / "resect/mri/Case24-T1-in-US-0p5mm.nii.gz"))
    landmarks = read_landmarks(shared_data / "resect/landmarks/Case24-MRI-beforeUS.tag")
    rng = np.random.default_rng(1)
    shift, turn = rng.normal(size=3), rng.normal(size=3)
    shift *= rng.uniform(6, 12) / np.linalg.norm(shift)
    start = rigid(np.concatenate([shift, turn * 0.05 / np.linalg.norm(turn)]), sector_centre(us))
    assert mtre_mm(landmarks, start) > 4
    found = align(us, [mri], start)
    assert mtre_mm(landmarks, found.matrix) < 2.5
    assert found.support > FLAG_SUPPORT


def test_where_nothing_in_the_ultrasound_supports_it_a_result_is_flagged(shared_data: Path) -> None:
    """The real pair as navigated, 1.1 mm off, and its MRI with another patient's ultrasound: no other flag differs."""
    mri = as_volume(read_image(shared_data / "resect/mri/Case24-T1-in-US-0p5mm.nii.gz"))
    own, other = (as_volume(read_image(shared_data / f"resect/us/Case{n}-US-before-0p5mm.nii.gz")) for n in (24, 25))
    across = np.eye(4)
    across[:3, 3] = sector_centre(other) - sector_centre(own)
    right, wrong = (align(us, [mri], start, "none") for us, start in ((own, np.eye(4)), (other, across)))
    assert flags(right, None) == []
    assert flags(wrong, None) == ["weak"]


def test_a_tumour_that_was_carried_beside_the_one_in_the_ultrasound_is_flagged() -> None:
    """A bright or dark ball in speckle: its own mask stands out, and one where nothing is does not."""
    rng = np.random.default_rng(4)
    ball, sector = _ball(1.0, 48, 8, (0, 0, 0)) > 0, _ball(1.0, 48, 22, (0, 0, 0)) > 0
    grey = (60 + 50 * ball) * rng.rayleigh(0.8, ball.shape)
    us = as_volume(_image(np.where(sector, grey + 1, 0).astype(np.float32), 1.0))
    right = contrast(us, ball)
    assert right is not None
    assert right > 2
    dark = as_volume(_image(np.where(sector, 1000 - us.pixels, 0).astype(np.float32), 1.0))
    assert contrast(dark, ball) == pytest.approx(right, rel=0.1)
    found = Alignment(np.eye(4), 0.6, 0.5, 0.0, 0.0, 100.0, FLAG_SUPPORT)
    assert flags(found, 90.0, contrast=right) == []
    assert flags(found, 90.0, contrast=FLAG_CONTRAST - 0.01) == ["faint"]
    assert contrast(us, ball & False) is None, "no mask is in view"
    speckle = as_volume(_image(np.where(sector, 60 * rng.rayleigh(0.8, ball.shape) + 1, 0).astype(np.float32), 1.0))
    assert flags(found, 90.0, contrast=contrast(speckle, ball)) == ["faint"], "nothing is there"
