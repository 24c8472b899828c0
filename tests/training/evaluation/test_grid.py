"""An experiment's grid: scores against the cut-off, folds beside their mean, counts of training slices."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.errors import FormatError
from training.cli import main
from training.evaluation.boxes import find_boxes
from training.evaluation.cutoff_trend import Run, trend_table
from training.evaluation.grid import compare_grid, read_grid
from training.evaluation.metrics import score
from training.evaluation.strata import Scored
from training.slicing.slices import SliceRow


@pytest.fixture
def grid(discs, tmp_path) -> Path:
    """A grid of two cut-offs with two folds each."""
    _, masks = discs
    for name, path in masks.items():
        (tmp_path / name).symlink_to(path)
    lines = ["MRI_0,0,0,silent", "MRI_0,0,1,shifted", "MRI_200,200,0,loud", "MRI_200,200,1,shifted"]
    table = tmp_path / "grid.csv"
    table.write_text("model,cutoff_mm2,fold,predictions\n" + "\n".join(lines) + "\n")
    return table


def test_the_cutoffs_report(grid, discs, tmp_path):
    store, _ = discs
    out = tmp_path / "out"
    where = ["--slices", str(store), "--training", f"MRI={store}", "--out", str(out), "--data", "discs", "--simulated"]
    assert main(["evaluate", "--grid", str(grid), *where, "--note", "The cut-off was chosen on these patients."]) == 0
    tables = json.loads((out / "tables.json").read_text())
    rows = {(row["cut-off mm²"], row["fold"]): row for row in tables["trend"]["rows"]}
    assert list(rows) == [(0, "0"), (0, "1"), (0, "mean"), (200, "0"), (200, "1"), (200, "mean")]
    for cutoff in (0, 200):
        for column in ("total", "PP", "detected", "> 200 mm²"):
            folds = [rows[cutoff, fold][column] for fold in "01"]
            assert rows[cutoff, "mean"][column] == pytest.approx(sum(folds) / 2)
    assert rows[0, "0"]["PP"] == pytest.approx(2 / 3)
    assert tables["slices_per_cutoff"]["rows"] == [{"cut-off mm²": "0", "MRI": 54}, {"cut-off mm²": "200", "MRI": 18}]
    models = [row["model"] for row in tables["dice_by_true_area"]["rows"]]
    assert models == ["MRI_0 fold 0", "MRI_0 fold 1", "MRI_200 fold 0", "MRI_200 fold 1"]
    assert {"trend", "training_areas", "slices_per_cutoff"} <= {path.stem for path in (out / "figures").glob("*.png")}
    assert "chosen on these patients" in (out / "report.html").read_text()


def test_a_grid_of_one_cutoff_has_no_trend(discs, tmp_path):
    store, masks = discs
    runs = [Run("MRI_200", 200, "all", masks["loud"]), Run("US_200", 200, "all", masks["shifted"])]
    tables = compare_grid(runs, store, tmp_path, data="d", simulated=True, annotators={"reader": masks["silent"]})
    assert "trend" not in tables
    assert [row["model"] for row in tables["dice_by_true_area"]["rows"]] == ["MRI_200", "US_200", "reader"]
    assert {path.stem for path in (tmp_path / "summaries").iterdir()} == {"MRI_200", "US_200"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("model,fold,predictions\n", "column cutoff_mm2 is missing"),
        ("model,cutoff_mm2,fold,predictions\nm,many,0,p\n", "cut-off of m is not a number"),
    ],
)
def test_a_broken_grid_is_refused(text, sentence, tmp_path):
    table = tmp_path / "grid.csv"
    table.write_text(text)
    with pytest.raises(FormatError, match=sentence):
        read_grid(table)


def test_two_models_are_never_averaged_as_folds(discs, tmp_path):
    store, masks = discs
    runs = [Run(f"MRI_{loss}", cut, "0", masks["loud"]) for loss in ("dice", "focal") for cut in (0.0, 200.0)]
    with pytest.raises(FormatError, match="MRI_dice and MRI_focal would share the line MRI at 0 mm²"):
        compare_grid(
            [replace(run, fold=str(at)) for at, run in enumerate(runs)], store, tmp_path, data="d", simulated=True
        )


def test_a_grid_as_excel_saves_it(tmp_path):
    (tmp_path / "grid.csv").write_bytes("model;cutoff_mm2;fold;predictions\r\nHalbgroß;200;0;p\r\n".encode("cp1252"))
    assert read_grid(tmp_path / "grid.csv") == [Run("Halbgroß", 200.0, "0", tmp_path / "p")]


def test_a_run_stands_once(discs, tmp_path):
    store, masks = discs
    run = Run("m", 0, "0", masks["loud"])
    with pytest.raises(FormatError, match="twice"):
        compare_grid([run, run], store, tmp_path, data="d", simulated=True)


def found_part(patient: int, size: int) -> Scored:
    """A tumour of 100 mm² in one row of pixels, of which so many were found and nothing else."""
    true, found = (np.arange(200)[None] < count for count in (100, size))
    row = SliceRow(f"s{patient}", str(patient), str(patient), "k", 0, 100.0, 1, 200, 1.0, 1.0)
    return Scored(row, score(found, true, 1.0), find_boxes(found, true, 1.0))


def test_an_ensemble_is_no_fold_of_a_mean_over_folds():
    """All folds together stood beside them in the grid, and lifted "mean over folds" towards themselves."""
    found = {"0": 20, "1": 40, "all": 100}
    runs = {fold: Run("MRI_0", 0.0, fold, Path(fold)) for fold in found}
    scores = {fold: [found_part(n, size) for n in range(5)] for fold, size in found.items()}
    table = trend_table(scores, runs)
    (mean,) = [row for row in table.rows if row[2] == "mean"]
    assert mean[table.head.index("total")] == pytest.approx((40 / 120 + 80 / 140) / 2)
    alone = {fold: run for fold, run in runs.items() if fold != "1"}
    few = trend_table({fold: [found_part(0, 50)] for fold in alone}, alone)
    assert [row[2] for row in few.rows] == ["0", "all"], "one fold has no mean"
