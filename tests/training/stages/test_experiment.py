"""A real experiment from simulated patients to its report: killed during a training, resumed, reported twice."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.cohort.folds import read_folds
from training.slicing.slices import read_slices

TINY = """
title: Tiny
simulated: true
cohorts:
  mri: {labels: mri, mri: flair, metric: none,
        simulate: {cohort: mini, patients: 5, seed: 11, label_error: low}}
  test: {labels: us, simulate: {cohort: test6, patients: 2, seed: 12, label_error: low}}
slicing: {step_mm: 10.0}
training: {plan: realtime-half, folds: [0], epochs: 3, iterations: 2, val_iterations: 1, batch_size: 2}
models:
  MRI_0: {cohorts: [mri]}
  MRI_35: {cohorts: [mri], min_area: 35}
comparisons:
  cutoffs:
    models: {MRI_0: MRI_0, MRI_35: MRI_35}
    test: [test]
    data: two simulated patients
    note: as published
    annotators: {Simulated reader: {cohort: test, folder: annotator2}}
small: {}
"""
DEADLINE_S = 600
pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def command(experiment: Path, work: Path) -> list[str]:
    return [sys.executable, "-m", "training.cli", "experiment", str(experiment), "--work", str(work), "--small"]


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[3])}


def ended(experiment: Path, work: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(experiment, work), env=environment(), text=True, capture_output=True, timeout=DEADLINE_S, check=False
    )


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder whose run was killed with all its processes after the first epoch of the first training."""
    root = tmp_path_factory.mktemp("experiment")
    (root / "tiny.yaml").write_text(TINY)
    latest = "work/nnUNet_results/*/*/fold_0/checkpoint_latest.pth"
    with (
        (root / "first.log").open("w") as log,
        subprocess.Popen(
            command(root / "tiny.yaml", root / "work"),
            env=environment(),
            start_new_session=True,
            stdout=log,
            stderr=log,
        ) as first,
    ):
        give_up = time.monotonic() + DEADLINE_S
        while not list(root.glob(latest)) and first.poll() is None and time.monotonic() < give_up:
            time.sleep(0.05)
        os.killpg(first.pid, signal.SIGKILL)
    assert list(root.glob(latest)), (root / "first.log").read_text()
    before = {path: path.stat().st_mtime_ns for path in (root / "work" / "slices").rglob("*") if path.is_file()}
    second = ended(root / "tiny.yaml", root / "work")
    assert second.returncode == 0, second.stderr[-4000:]
    assert before == {path: path.stat().st_mtime_ns for path in before}, "slices were cut again"
    return root / "work"


def test_it_goes_on_where_it_was_killed(work: Path):
    logs = sorted(work.glob("nnUNet_results/*/*/fold_0/training_log_*.txt"), key=lambda path: path.stat().st_mtime)
    epochs = [[int(at) for at in re.findall(r": Epoch (\d+) *\n", log.read_text())] for log in logs]
    assert len(logs) == 3  # the first training ran twice, the second once
    assert epochs[1][0] >= 1
    assert epochs[1][-1] == epochs[2][-1] == 2
    assert epochs[2][0] == 0


def test_folds_and_slices_are_the_declared_ones(work: Path):
    folds = read_folds(work / "folds.json")
    assert sorted(map(len, folds)) == [1] * 5
    trained = {row.patient for row in read_slices(work / "slices" / "mri")}
    assert set().union(*folds) == trained
    assert not trained & {row.patient for row in read_slices(work / "slices" / "test")}
    predicted = {path.name for path in (work / "predictions" / "MRI_35" / "all").glob("*.nii.gz")}
    assert predicted == {f"{row.name}.nii.gz" for row in read_slices(work / "slices" / "test")}


def test_the_report_says_what_it_is(work: Path):
    page = (work / "report" / "report.md").read_text()
    assert "Simulated patients: a demonstration, never evidence of clinical accuracy." in page
    assert "as published" in page
    tables = json.loads((work / "report" / "cutoffs" / "tables.json").read_text())
    assert [row["model"] for row in tables["dice_by_true_area"]["rows"]] == ["MRI_0", "MRI_35", "Simulated reader"]


def test_the_same_figures_come_out_of_the_stored_predictions(work: Path):
    files = [path for path in sorted((work / "report").rglob("*")) if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    for path in files:
        path.unlink()
    again = ended(work.parent / "tiny.yaml", work)
    assert again.returncode == 0, again.stderr[-4000:]
    assert "Rule: fit" not in again.stderr
    assert {path: path.read_bytes() for path in before} == before


def test_packed_predictions_give_the_same_tables_in_an_empty_folder(work: Path, tmp_path: Path):
    stored = [sys.executable, "-m", "training.workflow.packed_predictions"]
    experiment, packed, again = work.parent / "tiny.yaml", tmp_path / "predictions.zip", tmp_path / "again"
    for words in (
        ["pack", experiment, "--work", work, "--out", packed],
        ["score", experiment, "--work", again, "--from", packed],
    ):
        done = subprocess.run(
            [*stored, *map(str, words), "--small"], env=environment(), text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
    for name in ("tables.json", "slices.csv"):
        assert (again / "report/cutoffs" / name).read_bytes() == (work / "report/cutoffs" / name).read_bytes()
    assert not (again / "nnUNet_results").exists()


def test_another_declaration_is_refused_in_its_folder(work: Path):
    other = work.parent / "other.yaml"
    other.write_text(TINY.replace("seed: 11", "seed: 13"))
    refused = ended(other, work)
    assert refused.returncode == 2
    assert "holds an experiment on other cohorts or settings" in refused.stderr
