"""A folder without slices is no empty success."""

from pathlib import Path

import pytest

from inference.errors import NotFoundError
from training.export.bundle.scripts.folder import slices_in


def test_only_slices_are_taken_and_none_is_an_error(tmp_path: Path):
    for name in ("b.nii", "a.nii.gz", "notes.txt"):
        (tmp_path / name).touch()
    assert slices_in(str(tmp_path)) == [str(tmp_path / "a.nii.gz"), str(tmp_path / "b.nii")]
    for empty in (tmp_path / "nowhere", tmp_path / "b.nii"):
        with pytest.raises(NotFoundError, match="name the folder of the slices"):
            slices_in(str(empty))
