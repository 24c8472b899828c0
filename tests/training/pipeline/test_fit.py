"""nnU-Net for real, in processes of its own: planned, trained, killed, resumed, stopped early, predicted."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.cases import write_cases
from training.cutting import Cutting
from training.datasets.resect import find_cases
from training.evaluation.report import evaluate
from training.nnunet.patience import Patience
from training.slices import read_slice, read_slices, write_slices
from training.store import cut_cases

DEADLINE_S = 300


@given(st.lists(st.sampled_from([0.5, 0.25, 0.0, -0.25, float("nan")]), max_size=40), st.integers(1, 5))
def test_patience_counts_higher_losses_since_the_lowest(losses, limit):
    patience, lowest, waited = Patience(limit=limit), float("inf"), 0
    for loss in losses:
        patience = patience.after(loss)
        if loss < lowest:
            lowest, waited = loss, 0
        elif loss != lowest:
            waited += 1
    assert (patience.lowest, patience.waited, patience.exhausted) == (lowest, waited, waited >= limit)


def train_command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "training.cli", *map(str, arguments)]


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "2", "PYTHONPATH": str(Path(__file__).parents[3])}


def ius_train(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        train_command(*arguments), env=environment(), text=True, capture_output=True, timeout=DEADLINE_S, check=False
    )


@pytest.fixture(scope="module")
def store(cohort: Path) -> Path:
    """A slice store, made by the command line's own functions."""
    cases = find_cases(cohort / "RESECT", cohort / "RESECT_segmentation")
    write_cases(cases, cohort / "cases.csv")
    cut_cases(cases, cohort / "slices", Cutting(step_mm=6, negatives=3))
    return cohort / "slices"


@pytest.fixture(scope="module")
def model(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder whose training was killed after an epoch, resumed, and stopped early after the next one."""
    work = tmp_path_factory.mktemp("work")
    length = ("--epochs", 50, "--iterations", 2, "--val-iterations", 1, "--batch-size", 2, "--workers", 0)
    fit = ("fit", store, "--work", work, "--plan", "realtime", "--title", "Ellipsoids", "--bfloat16", *length)
    latest = "nnUNet_results/*/*/fold_0/checkpoint_latest.pth"
    with (
        (work / "first.log").open("w") as log,
        subprocess.Popen(
            train_command(*fit), env=environment(), start_new_session=True, stdout=log, stderr=log
        ) as first,
    ):
        give_up = time.monotonic() + DEADLINE_S
        while not list(work.glob(latest)) and first.poll() is None and time.monotonic() < give_up:
            time.sleep(0.05)
        os.killpg(first.pid, signal.SIGKILL)
    assert list(work.glob(latest)), (work / "first.log").read_text()
    second = ius_train(*fit, "--patience", 0)
    assert second.returncode == 0, second.stderr
    (folder,) = (work / "nnUNet_results").glob("*/*")
    return folder


def test_training_resumes_where_it_was_killed_and_stops_early(model: Path):
    logs = sorted((model / "fold_0").glob("training_log_*.txt"), key=lambda path: path.stat().st_mtime)
    first, second = ([int(at) for at in re.findall(r": Epoch (\d+) *\n", log.read_text())] for log in logs)
    assert first[0] == 0
    assert len(second) == 1
    assert second[0] in (first[-1], first[-1] + 1)
    assert second[0] >= 1
    assert "Stopped early" in logs[1].read_text()
    assert (model / "fold_0" / "checkpoint_final.pth").is_file()
    assert not (model / "fold_0" / "checkpoint_latest.pth").exists()


def test_the_time_a_fit_takes_is_told_before_it(model: Path, store: Path):
    """From batches that are timed now; nothing of them is kept."""
    work = model.parents[2]
    before = {path: path.stat().st_mtime_ns for path in model.rglob("*") if path.is_file()}
    length = ("--epochs", 50, "--iterations", 10, "--val-iterations", 5, "--batch-size", 2, "--workers", 0)
    fit = ("fit", store, "--work", work, "--plan", "realtime", "--title", "Ellipsoids", "--bfloat16", *length)
    done = ius_train(*fit, "--estimate")
    assert done.returncode == 0, done.stderr
    told = re.search(
        r"([\d.]+) s a training .* ([\d.]+) s a validation .*: ([\d.]+) min an epoch, at most ([\d.]+) h for 50",
        done.stdout,
    )
    assert told, done.stdout
    train, val, minutes, hours = map(float, told.groups())
    assert minutes == pytest.approx((10 * train + 5 * val) / 60, abs=0.06)
    assert hours == pytest.approx(50 * minutes / 60, abs=0.1)
    assert {path: path.stat().st_mtime_ns for path in model.rglob("*") if path.is_file()} == before


def test_checkpoint_holds_the_patience(model: Path):
    import torch

    checkpoint = torch.load(model / "fold_0" / "checkpoint_final.pth", map_location="cpu", weights_only=False)
    assert checkpoint["early_stopping"]["lowest"] < float("inf")
    assert checkpoint["current_epoch"] >= 2


def test_the_realtime_plan_is_small_and_patients_are_apart(model: Path, store: Path):
    plan = json.loads((model / "plans.json").read_text())["configurations"]["2d"]
    assert plan["patch_size"] == [256, 256]
    assert plan["spacing"] == [0.35, 0.35]
    assert plan["architecture"]["arch_kwargs"]["features_per_stage"] == [8, 16, 32, 64, 128, 256]
    preprocessed = model.parents[2] / "nnUNet_preprocessed" / model.parent.name
    splits = json.loads((preprocessed / "splits_final.json").read_text())
    patient_of = {row.name: row.patient for row in read_slices(store)}
    assert len(splits) == 5
    for split in splits:
        assert not {patient_of[name] for name in split["train"]} & {patient_of[name] for name in split["val"]}
        assert set(split["train"]) | set(split["val"]) == set(patient_of)


def test_fit_leaves_a_receipt(model: Path):
    receipt = json.loads((model / "fold_0" / "receipt-fit.json").read_text())
    assert receipt["versions"]["nnunetv2"]
    assert all(len(digest) == 64 for digest in receipt["inputs"].values())


def test_predictions_lie_on_their_slices(model: Path, store: Path, tmp_path: Path):
    few = tmp_path / "few"
    few.mkdir()
    for name in ("images", "labels"):
        (few / name).symlink_to(store / name)
    rows = read_slices(store)[::20]
    write_slices(rows, few / "slices.csv")
    done = ius_train("predict", model, few, "--out", tmp_path / "masks", "--checkpoint", "final")
    assert done.returncode == 0, done.stderr
    for row in rows:
        mask = read_slice(tmp_path / "masks" / f"{row.name}.nii.gz")
        assert mask.shape == (row.rows, row.cols)
        assert set(mask.ravel()) <= {0, 1}
    report = evaluate(tmp_path / "masks", few, tmp_path / "report", data="ellipsoids", simulated=True)
    assert report["data"]["n_slices"] == len(rows)


@pytest.mark.parametrize(
    "arguments",
    [
        ("slice", "no/cases.csv", "--out", "out"),
        ("fit", "no/slices", "--work", "work"),
        ("predict", "no/model", "no/slices", "--out", "out"),
        ("cases", "--resect", "no", "--resect-seg", "no", "--out", "cases.csv"),
    ],
)
def test_wrong_input_gives_one_sentence(arguments, tmp_path: Path, monkeypatch, capsys):
    from training.cli import main

    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    sentence = capsys.readouterr().err
    assert sentence.startswith("error: There is no")
    assert len(sentence.splitlines()) == 1
