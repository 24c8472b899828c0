"""A training that ended early (killed, out of patience, disk full): what it resumes from and what it refuses."""

import json
import random
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from fitting import FIT, fit_until_killed, ius_train
from hypothesis import given
from hypothesis import strategies as st

from training.nnunet.early_stopping import Patience
from training.nnunet.results.checkpoint import read_checkpoint

pytestmark = pytest.mark.timeout(900)


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


def test_its_receipt_tells_every_setting_that_trained_and_none_that_did_not(model: Path, store: Path):
    receipt = model / "fold_0" / "receipt-fit.json"
    before = receipt.read_bytes()
    starts = json.loads(before)["settings"]["course"]
    assert [(one["epochs"], one["patience"]) for one in starts] == [(50, None), (50, 0)]
    longer = ius_train("fit", store, "--work", model.parents[2], *FIT, "--patience", 0, "--epochs", 1000)
    assert longer.returncode == 2
    assert "was trained to its end with epochs 50, and is not trained again with epochs 1000" in longer.stderr
    assert receipt.read_bytes() == before


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


class Touches:
    """An object that makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_a_training_that_was_killed_ends_with_the_weights_of_one_that_was_not(model: Path, store: Path, tmp_path: Path):
    """Its checkpoint holds the random generators, so it draws the same slices in the same order."""
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
def test_a_training_on_a_full_disk_ends_with_one_sentence_and_no_half_checkpoint(
    model: Path, store: Path, tmp_path: Path
):
    """torch itself would end with a traceback."""
    shutil.copytree(model.parents[2] / "nnUNet_preprocessed", tmp_path / "nnUNet_preprocessed")
    full = ius_train("fit", store, "--work", tmp_path, *FIT, most_bytes=4 << 20)
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
    """There is one process per GPU; with the same seed, all would train on the same batch."""
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
