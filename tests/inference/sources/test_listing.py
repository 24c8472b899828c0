"""What a folder offers: what can be gone into or opened, and nothing else."""

from pathlib import Path

import pytest

from inference.errors import NotFoundError
from inference.sources.listing import MOST, is_model, is_source, listing


def test_folders_and_what_can_be_opened_are_listed_by_name_and_number(tmp_path: Path) -> None:
    for name in ("b", "a10", "a9", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("10.png", "9.png", "case.nii.gz", "clip.MP4", "notes.txt", "model.onnx", ".secret.png", "README"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    found = listing(tmp_path, is_source)
    assert [path.name for path in found.folders] == ["a9", "a10", "b"]
    assert [path.name for path in found.files] == ["9.png", "10.png", "case.nii.gz", "clip.MP4", "IM0001"]
    assert found.left_out == 0
    assert [path.name for path in listing(tmp_path, is_model).files] == ["model.onnx"]


def test_a_long_folder_is_cut_and_says_so_and_a_missing_one_is_one_sentence(tmp_path: Path) -> None:
    for number in range(MOST + 7):
        (tmp_path / f"{number}.png").write_bytes(b"")
    found = listing(tmp_path, is_source)
    assert (len(found.files), found.left_out) == (MOST, 7)
    with pytest.raises(NotFoundError, match="choose another folder"):
        listing(tmp_path / "gone", is_source)
