"""The page of real volumes: a model that finds the outlined region scores 1; the words and pictures are there."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from tests.training.tiny import threshold_model
from training.cli import main
from training.evaluation.real_page import TEST_CASES, write_page
from training.io.receipt import sha256
from training.slicing.by_eye import Outline, Outlined, Outlines
from training.stages import paint

SQUARE = ((20.0, 24.0), (43.0, 24.0), (43.0, 47.0), (20.0, 47.0))


@pytest.fixture
def outlines(tmp_path: Path) -> Outlines:
    """A case that no training uses and two others, each a bright square in a grey box, dark beyond k = 6."""
    volumes = []
    for case in ("Case4", "Case8", "Case9"):
        data = np.full((9, 72, 64), 20, np.float32)
        data[:6, 24:48, 20:44] = 90
        path = tmp_path / "us" / f"{case}-US-before.nii.gz"
        path.parent.mkdir(exist_ok=True)
        image = sitk.GetImageFromArray(data)
        image.SetSpacing((0.5, 0.5, 0.5))
        sitk.WriteImage(image, str(path))
        drawn = () if case == "Case9" else (Outline(2, "plain", (SQUARE,)), Outline(4, "unsure", (SQUARE,)))
        slices = (*drawn, Outline(7, "nothing plainly visible", ()))
        volumes.append(Outlined(case, (64, 72, 9), sha256(path), f"A square in {case}.", slices))
    return Outlines("by eye, no expert", "2026-01-01", "a phantom", "k", "voxels", "frozen", tuple(volumes))


@pytest.fixture
def page(outlines: Outlines, tmp_path: Path) -> str:
    threshold_model(tmp_path / "model.onnx")
    models = {"threshold": tmp_path / "model.onnx"}
    where = (tmp_path / "us", tmp_path / "work", tmp_path / "docs" / "REAL.md")
    write_page(models, outlines, *where, notes=("It fails in the dark.",))
    return (tmp_path / "docs" / "REAL.md").read_text()


def test_the_page_says_what_was_seen_how_well_it_was_met_and_by_whom(page: str, tmp_path: Path) -> None:
    assert "by no expert: a yardstick, and no clinical figure" in page
    assert "CC BY 4.0" in page
    assert "- It fails in the dark." in page
    rows = {line.split(" | ")[0]: line.split(" | ") for line in page.splitlines() if line.startswith("| ")}
    assert float(rows["| 4"][3]) > 0.95
    assert rows["| 4"][1] == "no"
    assert rows["| 8"][1] == "as a background"
    assert rows["| 9"][3] == "-", "nothing was outlined there"
    for case in ("Case4", "Case8", "Case9"):
        assert (tmp_path / "docs" / "figures" / f"real-{case}.png").stat().st_size > 5000


def test_unsure_outlines_are_drawn_and_not_counted(outlines: Outlines, tmp_path: Path) -> None:
    """Case 4's unsure outline is moved to where there is nothing, and the mean stays the same."""
    far = Outline(4, "unsure", (((0.0, 0.0), (5.0, 0.0), (5.0, 5.0), (0.0, 5.0)),))
    first = outlines.volumes[0]
    moved = Outlined(first.case, first.shape, first.sha256, first.seen, (first.slices[0], far, first.slices[2]))
    threshold_model(tmp_path / "model.onnx")
    changed = Outlines("by eye", "2026", "a phantom", "k", "", "", (moved, *outlines.volumes[1:]))
    models = {"threshold": tmp_path / "model.onnx"}
    write_page(models, changed, tmp_path / "us", tmp_path / "work", tmp_path / "REAL.md")
    row = next(line for line in (tmp_path / "REAL.md").read_text().splitlines() if line.startswith("| 4 "))
    assert float(row.split(" | ")[3]) > 0.95


def test_the_report_beside_is_that_of_evaluate(page: str, tmp_path: Path) -> None:
    assert page
    summary = json.loads((tmp_path / "work" / "report" / "summaries" / "threshold.json").read_text())
    assert summary["data"]["annotator"] == "by eye, no expert"
    assert summary["data"]["n_slices"] == 7


def test_the_cases_of_the_real_test_are_those_that_painting_leaves_out() -> None:
    assert TEST_CASES == paint.TEST_CASES


def test_the_command_says_in_a_sentence_which_volume_is_missing(tmp_path: Path, capsys) -> None:
    threshold_model(tmp_path / "model.onnx")
    where = ["--volumes", str(tmp_path), "--work", str(tmp_path / "work"), "--page", str(tmp_path / "REAL.md")]
    assert main(["real", f"a={tmp_path / 'model.onnx'}", *where]) == 2
    assert "holds no volume of Case1" in capsys.readouterr().err
