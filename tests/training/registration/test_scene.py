"""The closer look's planes: ultrasound, MRI and tumour where they belong, wherever the MRI is put and scrolled to."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from cubes import BALL, SHIFT, registered

from inference.errors import FormatError, NotFoundError
from training.registration.planes import ORIENTATIONS
from training.registration.scene import LABEL, PIXEL_MM, SECTOR, Scene, read_scene
from training.registration.transforms import apply


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return read_scene(*registered(tmp_path_factory.mktemp("scene")))


def shown(scene: Scene, plane: str, at_mm: float, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ultrasound, MRI and bits of a plane, as a browser reads red, green and blue."""
    picture = cv2.imdecode(np.frombuffer(scene.picture(plane, at_mm, matrix), np.uint8), cv2.IMREAD_COLOR)
    return picture[..., 2], picture[..., 1], picture[..., 0]


@pytest.mark.parametrize("by", [(0, 0, 0), (4.0, -2.0, 3.0)])
@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=lambda one: one.name)
def test_mri_and_tumour_are_where_the_move_puts_them(scene: Scene, orientation, by) -> None:
    matrix = scene.moved(np.array([*by, 0, 0, 0], float))
    centre = apply(matrix, np.array([BALL]))[0]
    along = centre[orientation.axis] - apply(SHIFT, np.array([BALL]))[0][orientation.axis]
    us, mri, bits = shown(scene, orientation.name, along, matrix)
    assert ((bits & LABEL) > 0).sum() * PIXEL_MM**2 == pytest.approx(np.pi * 16, rel=0.15)
    for found in (mri > 200, (bits & LABEL) > 0):
        rows, cols = np.nonzero(found)
        for pixels, (axis, sign), size in ((cols, orientation.across, 1), (rows, orientation.down, 0)):
            place = sign * (pixels.mean() - (us.shape[size] - 1) / 2) * PIXEL_MM
            assert place == pytest.approx(centre[axis], abs=0.5)
    assert ((us > 0) <= ((bits & SECTOR) > 0)).all()


def test_scrolled_past_the_tumour_there_is_none(scene: Scene) -> None:
    for at_mm, there in ((0.0, True), (3.0, True), (5.0, False), (-5.0, False)):
        _, mri, bits = shown(scene, "axial", at_mm, scene.result)
        assert ((bits & LABEL).any(), (mri > 200).any()) == (there, there)


def test_a_case_whose_files_or_record_are_gone_is_one_sentence(tmp_path: Path) -> None:
    folder, case = registered(tmp_path)
    with pytest.raises(NotFoundError, match="no registration of other"):
        read_scene(folder, "other")
    (tmp_path / "mri.nii.gz").unlink()
    with pytest.raises(NotFoundError, match=r"mri\.nii\.gz"):
        read_scene(folder, case)
    (folder / "cases" / f"{case}.json").write_text('{"key": {}, "result": {}}')
    (folder / "transforms" / f"{case}.txt").touch()
    with pytest.raises(FormatError, match="run 'ius-train register' again"):
        read_scene(folder, case)
