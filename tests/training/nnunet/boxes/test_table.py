"""boxes.csv: nothing found is not the same as not predicted, and no box is scored on another picture."""

from pathlib import Path

import numpy as np
import pytest

from inference.errors import FormatError, NotFoundError
from training.nnunet.boxes.table import HEAD, MASK, TABLE, Found, add, read_boxes, sources
from training.slicing.slices import write_slice

NOTHING = Found(np.zeros((0, 4)), np.zeros(0))
TWO = Found(np.array([[1.25, 2.0, 10.0, 12.5], [0.0, 0.0, 3.0, 3.0]]), np.array([0.75, 0.125]))


def pictures(folder: Path, *names: str) -> dict[str, Path]:
    for at, name in enumerate(names):
        write_slice(np.full((16, 20), at + 1, np.float32), (0.5, 0.5), folder / f"{name}.nii.gz")
    return {name: folder / f"{name}.nii.gz" for name in names}


def test_what_was_found_is_read_as_it_was_written_and_nothing_found_is_known(tmp_path: Path):
    images = pictures(tmp_path / "images", "a,b", "c")
    add("a,b", images["a,b"], {HEAD: TWO, MASK: NOTHING}, tmp_path)
    add("c", images["c"], {HEAD: NOTHING, MASK: TWO}, tmp_path)
    found = read_boxes(tmp_path, HEAD, images)
    assert found["a,b"].boxes.tolist() == TWO.boxes.tolist()
    assert found["a,b"].scores.tolist() == TWO.scores.tolist()
    assert found["c"].boxes.shape == (0, 4)
    assert sources([tmp_path]) == [HEAD, MASK]
    assert sources([tmp_path, tmp_path / "images"]) == [], "one fold was predicted without boxes"


def test_a_line_that_a_kill_cut_off_does_not_count_once_the_slice_is_written_again(tmp_path: Path):
    images = pictures(tmp_path / "images", "a")
    add("a", images["a"], {HEAD: TWO}, tmp_path)
    whole = (tmp_path / TABLE).read_text()
    for kept in range(whole.index("\n") + 1, len(whole)):
        (tmp_path / TABLE).write_text(whole[:kept])
        add("a", images["a"], {HEAD: TWO}, tmp_path)
        assert read_boxes(tmp_path, HEAD, images)["a"].scores.tolist() == TWO.scores.tolist(), whole[:kept]


def test_boxes_of_another_picture_and_slices_without_any_are_refused(tmp_path: Path):
    images = pictures(tmp_path / "images", "a", "b")
    add("a", images["b"], {HEAD: TWO}, tmp_path)
    with pytest.raises(FormatError, match="boxes of another picture"):
        read_boxes(tmp_path, HEAD, {"a": images["a"]})
    with pytest.raises(NotFoundError, match="has no boxes of b"):
        read_boxes(tmp_path, HEAD, {"b": images["b"]})
