"""nnU-Net for real, in processes of its own: planned, trained, killed, resumed, stopped early, predicted."""

import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from training.cases import write_cases
from training.cutting import Cutting
from training.datasets.resect import find_cases
from training.evaluation.report import evaluate
from training.export.checkpoint import read_checkpoint
from training.nnunet.patience import Patience
from training.slices import read_slice, read_slices, write_slices
from training.store import cut_cases

pytestmark = pytest.mark.timeout(900)
DEADLINE_S = 400
LENGTH = ("--epochs", 50, "--iterations", 2, "--val-iterations", 1, "--batch-size", 2, "--workers", 0)
FIT = ("--plan", "realtime", "--title", "Ellipsoids", "--bfloat16", *LENGTH)


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


def few_of(store: Path, few: Path) -> Path:
    """A store of every twentieth slice."""
    few.mkdir()
    for name in ("images", "labels"):
        (few / name).symlink_to(store / name)
    write_slices(read_slices(store)[::20], few / "slices.csv")
    return few


@pytest.fixture(scope="module")
def store(cohort: Path) -> Path:
    """A slice store, made by the command line's own functions."""
    cases = find_cases(cohort / "RESECT", cohort / "RESECT_segmentation")
    write_cases(cases, cohort / "cases.csv")
    cut_cases(cases, cohort / "slices", Cutting(step_mm=6, negatives=3))
    return cohort / "slices"


def fit_until_killed(work: Path, fit: tuple[object, ...]) -> None:
    """Train until the first epoch's checkpoint is there, and kill it: whatever it was doing then."""
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


@pytest.fixture(scope="module")
def model(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder whose training was killed after an epoch, resumed, and stopped early after the next one."""
    work = tmp_path_factory.mktemp("work")
    fit = ("fit", store, "--work", work, *FIT)
    fit_until_killed(work, fit)
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


def test_checkpoint_holds_the_patience(model: Path):
    import torch

    checkpoint = torch.load(model / "fold_0" / "checkpoint_final.pth", map_location="cpu", weights_only=False)
    assert checkpoint["early_stopping"]["lowest"] < float("inf")
    assert checkpoint["current_epoch"] >= 2


def test_resuming_opens_no_checkpoint_that_could_run_code(model: Path, store: Path, tmp_path: Path):
    """nnU-Net itself would unpickle anything."""
    import torch

    work = shutil.copytree(model.parents[2], tmp_path / "work")
    fold = work / model.relative_to(model.parents[2]) / "fold_0"
    mark = tmp_path / "ran"
    (fold / "checkpoint_final.pth").rename(fold / "checkpoint_latest.pth")
    checkpoint = torch.load(fold / "checkpoint_latest.pth", map_location="cpu", weights_only=False)
    torch.save(checkpoint | {"init_args": Touches(mark)}, fold / "checkpoint_latest.pth")
    refused = ius_train("fit", store, "--work", work, *FIT)
    assert refused.returncode == 2
    assert "could run code" in refused.stderr
    assert not mark.exists()


LIMITED = """
import resource, signal, sys
from training.cli import main
if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
    sys.exit(main(sys.argv[2:]))
"""
"""The command line where no file may grow beyond a size: what a full disk does, without one."""


class Touches:
    """Pickles as a call that makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_the_course_of_the_training_is_a_table_and_a_picture(model: Path):
    import cv2

    with (model / "fold_0" / "progress.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["epoch"]) for row in rows] == list(range(len(rows)))
    assert len(rows) >= 2
    assert all(float(row["train_loss"]) < 2 for row in rows)
    picture = cv2.imread(str(model / "fold_0" / "progress.png"))
    assert picture is not None
    assert picture.std() > 5


def test_a_training_that_was_killed_ends_with_the_weights_of_one_that_was_not(model: Path, store: Path, tmp_path: Path):
    """Its checkpoint holds the random generators: it draws the same slices in the same way."""
    import torch

    found = []
    for name in ("whole", "killed"):
        work = tmp_path / name
        shutil.copytree(model.parents[2] / "nnUNet_preprocessed", work / "nnUNet_preprocessed")
        fit = ("fit", store, "--work", work, *FIT, "--epochs", 4)
        if name == "killed":
            fit_until_killed(work, fit)
        done = ius_train(*fit)
        assert done.returncode == 0, done.stderr
        (fold,) = work.glob("nnUNet_results/*/*/fold_0")
        assert len(list(fold.glob("training_log_*.txt"))) == (1 if name == "whole" else 2)
        found.append([read_checkpoint(fold / f"checkpoint_{one}.pth")["network_weights"] for one in ("best", "final")])
    for whole, killed in zip(*found, strict=True):
        assert all(torch.equal(weight, killed[key]) for key, weight in whole.items())


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file size there")
def test_a_training_on_a_full_disk_ends_with_one_sentence_and_half_no_checkpoint(
    model: Path, store: Path, tmp_path: Path
):
    """torch itself would end in a traceback."""
    shutil.copytree(model.parents[2] / "nnUNet_preprocessed", tmp_path / "nnUNet_preprocessed")
    words = ["fit", str(store), "--work", str(tmp_path), *map(str, FIT)]
    run = [sys.executable, "-c", LIMITED, str(4 << 20), *words]
    full = subprocess.run(run, env=environment(), text=True, capture_output=True, timeout=DEADLINE_S, check=False)
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert "The disk is full at" in full.stderr.splitlines()[-1]
    assert not list(tmp_path.glob("nnUNet_results/*/*/*/*.pth"))


def test_random_generators_go_on_from_a_checkpoint(tmp_path: Path):
    import torch

    from training.nnunet.randomness import random_state, restore_random_state, seed_generators

    def draws() -> list[float]:
        numbers = np.random.normal(size=3)  # noqa: NPY002 - the generator that nnU-Net draws from
        return [random.random(), *map(float, numbers), float(torch.rand(1)), float(torch.randn(1))]

    seed_generators(3)
    torch.save({"random_state": random_state()}, tmp_path / "checkpoint.pth")
    wanted = draws()
    assert draws() != wanted
    restore_random_state(read_checkpoint(tmp_path / "checkpoint.pth")["random_state"])
    assert draws() == wanted
    seed_generators(3)
    assert draws() == wanted


def test_processes_that_share_a_training_draw_other_slices():
    """As many as there are GPUs: with one seed for all, each would train on the same batch."""
    from torch import distributed
    from torch.testing._internal.distributed.fake_pg import FakeStore

    from training.nnunet.randomness import seed_generators

    drawn = []
    for rank in range(2):
        distributed.init_process_group("fake", store=FakeStore(), rank=rank, world_size=2)
        try:
            seed_generators(0)
        finally:
            distributed.destroy_process_group()
        drawn.append(np.random.rand())  # noqa: NPY002
    assert drawn[0] != drawn[1]


def test_the_five_folds_choose_the_postprocessing_that_predict_obeys(model: Path, store: Path, tmp_path: Path):
    home = model.parents[2]
    work = shutil.copytree(home, home.with_name("five-folds"))  # beside it: a data set points to its slices from there
    copy = work / model.relative_to(home)
    lacking = ius_train("postprocess", copy, "--work", work)
    assert lacking.returncode == 2
    assert "no trained fold 1" in lacking.stderr
    for fold in range(1, 5):
        shutil.copytree(copy / "fold_0", copy / f"fold_{fold}")
    chosen = ius_train("postprocess", copy, "--work", work, "--jobs", 1)
    assert chosen.returncode == 0, chosen.stderr
    validated = {path.name for fold in range(5) for path in (copy / f"fold_{fold}" / "validation").glob("*.nii.gz")}
    assert validated == {f"{row.name}.nii.gz" for row in read_slices(store)}
    answer = copy / "crossval_results_folds_0_1_2_3_4" / "postprocessing.json"
    kept = json.loads(answer.read_text())
    assert kept["input_folder"]["foreground_mean"]["Dice"] <= kept["postprocessed"]["foreground_mean"]["Dice"]
    largest = {"postprocessing_fns": ["remove_all_but_largest_component_from_segmentation"]}
    answer.write_text(json.dumps(kept | largest | {"postprocessing_kwargs": [{"labels_or_regions": [1]}]}))
    few = few_of(store, tmp_path / "few")
    done = ius_train("predict", copy, few, "--out", tmp_path / "masks", "--folds", 0, 1)
    assert done.returncode == 0, done.stderr
    for row in read_slices(few):
        mask = read_slice(tmp_path / "masks" / f"{row.name}.nii.gz")
        assert ndimage.label(mask, np.ones((3, 3)))[1] <= 1
    assert json.loads((tmp_path / "masks" / "receipt-predict.json").read_text())["settings"]["largest_region_only"]


def test_the_time_a_fit_takes_is_told_before_it(model: Path, store: Path):
    """From batches that are timed now; nothing of them is kept."""
    before = {path: path.stat().st_mtime_ns for path in model.rglob("*") if path.is_file()}
    length = ("--iterations", 10, "--val-iterations", 5)
    done = ius_train("fit", store, "--work", model.parents[2], *FIT, *length, "--estimate")
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


def test_more_gpus_than_there_are(store: Path, tmp_path: Path, capsys):
    from training.cli import main

    assert main(["fit", str(store), "--work", str(tmp_path), "--device", "cuda", "--gpus", "64"]) == 2
    assert "64 were asked for" in capsys.readouterr().err


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
    few = few_of(store, tmp_path / "few")
    rows = read_slices(few)
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
