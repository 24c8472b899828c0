"""A registration moved by hand: its matrix and mask move, it says so, somebody decides anew, and resuming keeps it."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from cubes import SHIFT, registered
from scipy.spatial.transform import Rotation

from inference.errors import FormatError
from training.cli import main
from training.registration.by_hand import move
from training.registration.decisions import fingerprint, read_decisions
from training.registration.pictures import FOLDER, picture_paths
from training.registration.result import read_results
from training.registration.transforms import read_transform

BY = (2.0, -1.5, 0.5, 0.0, 0.0, 0.1)


def centre_of(mask: Path) -> np.ndarray:
    """Of a mask, RAS mm."""
    image = sitk.ReadImage(str(mask))
    k, j, i = np.nonzero(sitk.GetArrayFromImage(image))
    point = image.TransformContinuousIndexToPhysicalPoint([float(at.mean()) for at in (i, j, k)])
    return np.array([-point[0], -point[1], point[2]])


def test_a_move_is_kept_as_moved_by_hand_with_its_matrix(tmp_path: Path) -> None:
    folder, case = registered(tmp_path)
    assert main(["review", str(folder), "--accept", case]) == 0
    label, pictures = folder / "labels" / f"{case}.nii.gz", picture_paths(folder / FOLDER, case)
    before, drawn = centre_of(label), pictures["axial", "overlay"].read_bytes()
    row = move(folder, case, BY, fingerprint(folder, case))

    turn = Rotation.from_rotvec(BY[3:]).as_matrix()
    moved = read_transform(folder / "transforms" / f"{case}.txt")
    np.testing.assert_allclose(moved[:3, :3], turn, atol=1e-9)
    np.testing.assert_allclose(centre_of(label), turn @ before + BY[:3], atol=0.15)
    assert pictures["axial", "overlay"].read_bytes() != drawn
    assert "hand" in row.flags.split()
    assert row.shift_mm == pytest.approx(np.linalg.norm(BY[:3]), abs=0.01), "since the start, which was the result"
    assert row.rotation_deg == pytest.approx(np.degrees(0.1), abs=0.01)
    assert read_results(folder) == [row]
    assert read_decisions(folder) == {}, "what was accepted is another result"
    (told,) = json.loads((folder / "cases" / f"{case}.json").read_text())["moved"]
    np.testing.assert_allclose(told["from"], SHIFT)
    np.testing.assert_allclose(told["to"], moved)

    table, pair = (
        (folder / "registration.csv").read_bytes(),
        [str(tmp_path / f"{name}.nii.gz") for name in ("us", "mri")],
    )
    start = ["--label", str(tmp_path / "label.nii.gz"), "--start", str(tmp_path / "shift.txt")]
    assert main(["register", *pair, *start, "--metric", "none", "--out", str(folder)]) == 0
    assert (folder / "registration.csv").read_bytes() == table
    np.testing.assert_array_equal(read_transform(folder / "transforms" / f"{case}.txt"), moved)


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ((41.0, 0, 0, 0, 0, 0), "more than 40 mm"),
        ((0, 0, 0, 0, 0, 2.0), "more than 40 mm"),
        ((float("nan"), 0, 0, 0, 0, 0), "three translations"),
        ((1.0, 2.0), "three translations"),
    ],
)
def test_what_is_no_move_changes_nothing(tmp_path: Path, by, words: str) -> None:
    folder, case = registered(tmp_path)
    seen = fingerprint(folder, case)
    with pytest.raises(FormatError, match=words):
        move(folder, case, by, seen)
    with pytest.raises(FormatError, match="registered anew since"):
        move(folder, case, BY, "another")
    assert fingerprint(folder, case) == seen


def test_half_of_another_result_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    """A run was stopped after its mask was written: the next one found the old record, and left that mask."""
    folder, case = registered(tmp_path)
    label, pictures = folder / "labels" / f"{case}.nii.gz", folder / FOLDER / case
    before = label.read_bytes()
    words = ["register", *(str(tmp_path / f"{name}.nii.gz") for name in ("us", "mri"))]
    words += ["--label", str(tmp_path / "label.nii.gz"), "--metric", "none", "--out", str(folder), "--start"]
    np.savetxt(tmp_path / "other.txt", np.eye(4))
    pictures.rename(tmp_path / "aside")
    pictures.touch()  # no picture can be written there
    assert main([*words, str(tmp_path / "other.txt")]) == 2
    assert label.read_bytes() != before
    pictures.unlink()
    (tmp_path / "aside").rename(pictures)
    assert main([*words, str(tmp_path / "shift.txt")]) == 0
    assert label.read_bytes() == before
