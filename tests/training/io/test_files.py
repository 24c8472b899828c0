"""Files written aside: whole or not at all, also where the writer does not notice that the disk is full."""

import gzip
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from full_disk import train_on_a_full_disk

from inference.errors import OutputError
from training.io.files import written_aside
from training.slicing.slices import SliceRow, read_slice, write_slice, write_slices


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f\x8b", gzip.compress(b"x" * 9999)[:-9], gzip.compress(b"x")[:-1]],
    ids=["empty", "magic", "half", "last byte"],
)
def test_a_compressed_file_that_is_cut_short_takes_no_name(tmp_path: Path, content: bytes):
    with pytest.raises(OSError, match="No space left"), written_aside(tmp_path / "a.nii.gz") as aside:
        aside.write_bytes(content)
    assert not list(tmp_path.iterdir())


def test_a_whole_one_takes_its_name(tmp_path: Path):
    with written_aside(tmp_path / "a.nii.gz") as aside:
        aside.write_bytes(gzip.compress(os.urandom(3 << 20)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii.gz"]


def test_what_cannot_be_written_is_told_by_its_own_name(tmp_path: Path):
    """A folder that is named where a file belongs; the file beside it is nobody's name."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as told, written_aside(tmp_path / "folder") as aside:  # noqa: PT011 - the name is asked
        aside.touch()
    assert told.value.filename2 == str(tmp_path / "folder")
    with pytest.raises(FileNotFoundError) as told, written_aside(tmp_path / "a.csv") as aside:
        (aside.parent / aside.name).open("rb")
    assert told.value.filename == str(tmp_path / "a.csv")


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file size there")
def test_a_stage_on_a_full_disk_ends_with_one_sentence_and_no_empty_mask(tmp_path: Path):
    store, out = tmp_path / "store", tmp_path / "out"
    picture = np.random.default_rng(0).integers(1, 255, (90, 90)).astype(np.float32)
    row = SliceRow("s", "c", "p", "k", 0, 0.0, 90, 90, 0.5, 0.5)
    for path in (row.image(store), row.label(store)):
        write_slice(picture, (0.5, 0.5), path)
    write_slices([row], store / "slices.csv")
    model = Path(__file__).parents[3] / "assets" / "models" / "demo.onnx"
    words = ("predict", model, store, "--out", out)
    full = train_on_a_full_disk(80, *words)
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert "The disk is full" in full.stderr.splitlines()[-1]
    assert not list(out.glob("*.nii.gz"))
    again = train_on_a_full_disk(9999, *words)
    assert again.returncode == 0, again.stderr
    assert read_slice(out / "s.nii.gz").shape == (90, 90)


def test_a_folder_inside_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="cannot be made"), written_aside(tmp_path / "taken/new.csv"):
        pass
